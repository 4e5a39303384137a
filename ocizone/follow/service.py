"""Looking when it is due (follow.schedule) and when asked; one look at a time.

States: idle (between looks), looking (at the registry or the disk), waiting (between two
attempts of a look), deploying (compiling, activating), stopped. What a look does is up to the
subclass: follow.follower for a registry, follow.local for the disk.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, succeed
from twisted.python.failure import Failure as Fault

from ocizone import limits
from ocizone.errors import InputError, OcizoneError
from ocizone.follow.alarm import Alarm
from ocizone.follow.attempt import Revision
from ocizone.follow.deploy import Deployer
from ocizone.follow.reporting import Reporter
from ocizone.follow.schedule import Schedule
from ocizone.follow.status import (
    BUG,
    CONTENT_REFUSED,
    Crashed,
    Failure,
    Looked,
    LookResult,
    Outcome,
    SourceStatus,
    State,
)
from ocizone.follow.tools import Tools
from ocizone.plugins.artifact import Startup
from ocizone.store.gc import Hold
from ocizone.store.standing import Suspension


class LookingService(Service):
    """Keeps one source fresh; see the module for its states."""

    def __init__(
        self,
        *,
        key: str,
        reference: str,
        schedule: Schedule,
        startup: Startup,
        deployer: Deployer,
        tools: Tools,
    ) -> None:
        """Make it; nothing happens before ``startService``.

        Args:
            key: of the source.
            reference: what is followed, as text.
            schedule: when to look.
            startup: when to look first.
            deployer: of the source; its name is the service's.
            tools: see Tools.
        """
        self._key = key
        self._reference = reference
        self._alarm = Alarm(schedule, startup, tools, self._wake)
        self._deployer = deployer
        self._tools = tools
        self._state: State = "idle"
        self._attempts = 0
        self._last_error: Failure | None = None
        self._last: LookResult | None = None
        self._last_check: float | None = None
        self._last_success: float | None = None
        self._is_restored = False
        self._restore_ended = False
        self._restore_waiters: list[Deferred[None]] = []
        self._begun = 0.0
        self._octets = 0
        self._turn: Deferred[LookResult | None] | None = None
        self._waiters: list[Deferred[LookResult]] = []
        self._later: list[Deferred[LookResult]] = []
        self._asked: float | None = None
        self._hard = False
        self._once = False
        self.found = ""
        """What the tag named at the last look that learned it."""
        self.deploying = DeferredLock()
        """Held by whoever changes what is served: a look, or an operator's verb."""

    # --- What subclasses say -----------------------------------------------------------------

    @abstractmethod
    async def look(self) -> LookResult:
        """Look once; see the subclass.

        Raises:
            OcizoneError: the look failed, or (InputError) the content is refused.
        """

    async def deploy(
        self, revision: Revision, hold: Hold, reporter: Reporter | None = None
    ) -> LookResult:
        """Deploy what a look found.

        Raises:
            StoreError, CompilerError: it failed.
        """
        self._state = "deploying"
        deployer = self._deployer
        reporter = reporter or deployer.reports.begin(revision)
        try:
            judged = await deployer.deploy(revision, hold, reporter)
        except InputError as error:
            failure = Failure.of(error)
            await deployer.reports.ended(reporter, "refused", failure, error.problems)
            return LookResult(Outcome.REFUSED, revision.digest, failure, error.problems)
        except OcizoneError as error:
            await deployer.reports.ended(reporter, "failed", Failure.of(error))
            raise
        if judged.condition is not None:
            return self.still_held(revision.digest)
        return LookResult(Outcome.ACTIVATED, revision.digest, None, deployer.problems)

    def refused(self, digest: str) -> LookResult:
        """Return the result of a look that found what was refused before."""
        rejected = self._deployer.refusals.last
        failure = Failure(CONTENT_REFUSED, f"{digest} was refused before")
        return LookResult(Outcome.REFUSED, digest, failure, rejected.problems if rejected else ())

    def still_held(self, digest: str) -> LookResult:
        """Return the result of a look that found what waits for ``approve``."""
        held = self._deployer.held
        assert held is not None
        message = "; ".join(problem.message for problem in held.problems)
        return LookResult(Outcome.HELD, digest, Failure(held.condition, message), held.problems)

    @property
    def suspension(self) -> Suspension | None:
        """Why there are no looks now, or None."""
        return self._deployer.decisions.suspension

    @property
    def verify(self) -> str:
        """Whether a signature is wanted; see SourceStatus."""
        return ""

    @property
    def retry_at(self) -> float | None:
        """When a look that waits goes on, on the clock; None when none waits."""
        return None

    def hurry(self) -> None:
        """End a wait between two attempts: somebody wants to know now."""

    def abort(self) -> None:
        """Make blocking work under way end soon."""

    # --- Service -----------------------------------------------------------------------------

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Begin: restore what was served, then look as ``startup`` says. Returns immediately."""
        super().startService()  # type: ignore[no-untyped-call] # Twisted does not annotate it
        self._take_turn(self._start())

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """End the look under way; fires within limits.STOP_S whatever the registry does."""
        super().stopService()  # type: ignore[no-untyped-call] # Twisted does not annotate it
        self._state = "stopped"
        self._alarm.stop()
        turn = self._turn
        if turn is None:
            self._tell_restored()
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        late = self._tools.clock.callLater(limits.STOP_S, stopped.callback, None)

        def ended(_: object) -> None:
            if late.active():
                late.cancel()
                stopped.callback(None)

        self.abort()
        # The turn ends every failure itself, so this adds no handling of errors.
        turn.addBoth(ended)
        turn.cancel()
        return stopped

    def refresh(self, *, hard: bool = False, once: bool = False) -> Deferred[LookResult]:
        """Look now; the result is that of a look that began after this was asked for.

        A look that waits for its next attempt makes it now, and counts.

        Cancelling the Deferred forgets the reader; the look goes on.

        Args:
            hard: look even at what was refused or held before.
            once: make one attempt: whoever asks waits for the answer.
        """
        self._hard = self._hard or hard
        self._once = self._once or once
        if self._turn is not None and self._state != "waiting":
            # It may have asked the registry before the push we are asked because of.
            later: Deferred[LookResult] = Deferred(self._forget)
            self._later.append(later)
            return later
        result: Deferred[LookResult] = Deferred(self._forget)
        self._waiters.append(result)
        self._asked = self._tools.clock.seconds()
        if self._turn is None:
            self._begin()
        else:
            self.hurry()
        return result

    def _forget(self, reader: Deferred[LookResult]) -> None:
        (self._later if reader in self._later else self._waiters).remove(reader)

    @property
    def restored(self) -> Deferred[None]:
        """Fires when what was served before is served again, or cannot be; one for each reader.

        A reader may cancel his: the service goes on restoring.
        """
        if self._restore_ended:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._restore_waiters.remove)
        self._restore_waiters.append(waiter)
        return waiter

    @property
    def status(self) -> SourceStatus:
        """What the source is doing now."""
        current = self._deployer.current
        clock, wall = self._tools.clock, self._tools.wall
        due = self._alarm.next_at
        if self.retry_at is not None:
            due = self.retry_at - clock.seconds() + wall()
        standing = self._deployer.decisions.standing
        refused = self._last.problems if self._last and self._last.failure else ()
        return SourceStatus(
            key=self._key,
            name=self._deployer.name,
            reference=self._reference,
            digest=current.digest if current else "",
            generation=current.generation if current else 0,
            state="suspended" if self._state == "idle" and self.suspension else self._state,
            last_check=self._last_check,
            last_success=self._last_success,
            activated=current.activated_at if current else None,
            next_check=due,
            attempts=self._attempts,
            last_error=self._last_error,
            problems=refused or self._deployer.problems,
            materialised=self._deployer.materialised,
            zones=current.zones if current else (),
            tag=current.tag if current else "",
            verified_by=current.verified_by if current else "",
            found=self.found,
            pin=standing.pin,
            suspension=self.suspension,
            held=self._deployer.held,
            verify=self.verify,
            octets=self._octets,
        )

    # --- One look at a time ------------------------------------------------------------------

    def _wake(self) -> None:
        """A look is due; one that is under way counts for it."""
        if self._turn is None:
            self._begin()

    def _begin(self) -> None:
        self._take_turn(self._look())

    def _take_turn(self, work: Coroutine[Any, Any, LookResult | None]) -> None:
        self._attempts = 0
        self._state = "looking"
        self._begun = self._tools.clock.seconds()
        looked = Deferred.fromCoroutine(work)
        looked.addErrback(self._crashed)
        # Set before the last callback is added: a look may have ended already.
        self._turn = looked
        looked.addCallback(self._ended)

    async def _start(self) -> LookResult | None:
        """Restore, and look if the first look is due now; None when it is not."""
        try:
            await self._restore()
        except OcizoneError as error:
            return LookResult(Outcome.FAILED, "", Failure.of(error))
        except CancelledError:
            return LookResult(Outcome.CANCELLED)
        if not self.running:
            return None
        due = self._alarm.begin(restored=self._deployer.current is not None)
        return await self._look() if due else None

    async def _look(self) -> LookResult:
        try:
            if not self._is_restored:
                await self._restore()
            if self.suspension is not None:
                return LookResult(Outcome.SUSPENDED, self.found)
            if self._hard:
                self._deployer.refusals.forgive()
            return await self.look()
        except InputError as error:
            return LookResult(Outcome.REFUSED, "", Failure.of(error), error.problems)
        except OcizoneError as error:
            return LookResult(Outcome.FAILED, "", Failure.of(error))
        except CancelledError:
            return LookResult(Outcome.CANCELLED)

    async def _restore(self) -> None:
        try:
            await self._deployer.restore()
            self._is_restored = True
        finally:
            self._tell_restored()
        await self._deployer.restore_earlier()

    def _tell_restored(self) -> None:
        self._restore_ended = True
        waiters, self._restore_waiters = self._restore_waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def _crashed(self, fault: Fault) -> LookResult:
        """A bug must not end the following: say so, and look again at the next tick."""
        self._tools.observe(Crashed(self._deployer.name, fault.getTraceback()))
        return LookResult(Outcome.FAILED, "", Failure(BUG, fault.getErrorMessage()))

    def _ended(self, result: LookResult | None) -> None:
        self._turn = None
        self._asked = None
        if not self._later:
            self._hard = self._once = False
        self._state = "idle" if self.running else "stopped"
        if result is not None:
            waiters, self._waiters = self._waiters, []
            try:
                self._note(result)
            finally:
                # Whatever an observer makes of it: who waits must not wait for ever.
                for waiter in waiters:
                    waiter.callback(result)
        self._look_again()

    def interrupt(self) -> None:
        """End a compilation under way: an operator wants something else, now."""
        if self._turn is not None and self._deployer.is_compiling:
            self._turn.cancel()

    def settle(self, result: LookResult) -> None:
        """Take over what an operator's verb came to: it is what is known of the source now."""
        self._last = result
        if result.outcome is not Outcome.SUSPENDED:
            self._last_error = result.failure

    def _note(self, result: LookResult) -> None:
        self.settle(result)
        self._last_check = self._tools.wall()
        if result.outcome in {Outcome.UNCHANGED, Outcome.ACTIVATED}:
            self._last_success = self._last_check
        seconds = self._tools.clock.seconds() - self._begun
        self._tools.observe(Looked(self._deployer.name, result, seconds))

    def _look_again(self) -> None:
        """Look for those who asked while a look was under way."""
        later, self._later = self._later, []
        if not later:
            return
        self._waiters += later
        if self.running and self._turn is None:
            self._asked = self._tools.clock.seconds()
            self._begin()
        elif not self.running:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.callback(LookResult(Outcome.CANCELLED))
