"""What an operator may do to a source: roll back, pin, suspend, approve, and undo each.

A decision is on disk before anything follows from it, so that no restart and no tick undoes it;
one that cannot be carried out is taken back. Rolling back and approving need no registry: what
they serve is in the store. Not here: which source is meant (ocizone.operations).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock

from ocizone.errors import InputError, OcizoneError
from ocizone.follow.attempt import Revision
from ocizone.follow.deploy import Deployer
from ocizone.follow.status import Decided, Failure, LookResult, Outcome, VerbRefused
from ocizone.follow.tools import Tools
from ocizone.limits import DIGEST_DIGITS, GENERATION_DIGITS
from ocizone.registry.manifest import is_digest
from ocizone.store.deployments import Deployment
from ocizone.store.standing import Pin

#: What became of a verb: a look's result, or why it was not done.
Done = LookResult | VerbRefused


class Looks(Protocol):
    """The follower, as its verbs need it."""

    deploying: DeferredLock
    found: str

    def refresh(self, *, hard: bool = False, once: bool = False) -> Deferred[LookResult]:
        """Look now."""

    async def try_pin(self, pin: Pin) -> LookResult:
        """Look for a digest that is to be pinned."""

    def interrupt(self) -> None:
        """End a compilation under way: what it makes is not wanted now."""

    def settle(self, result: LookResult) -> None:
        """Take over what a verb came to."""


class Verbs:
    """The verbs of one source that is followed in a registry."""

    def __init__(self, follower: Looks, deployer: Deployer, tools: Tools) -> None:
        self._follower = follower
        self._deployer = deployer
        self._decisions = deployer.decisions
        self._tools = tools

    async def rollback(self, to: str = "", reason: str = "", *, unsigned: bool = False) -> Done:
        """Serve a version of before, from the store, until the tag names yet another digest.

        Args:
            to: digest, its beginning, or a generation; "" for what was served before: before
                what is served at this moment, whatever is on its way.
            reason: the operator's words.
            unsigned: even if nobody who may sign now has signed it.
        """
        leaving = self._deployer.current
        standing = self._decisions.standing.pin
        passed = standing.passed_over if standing and standing.kind == "rollback" else ()
        try:
            kept = await self._tools.files.call(self._deployer.records.history)
        except OcizoneError as error:
            return VerbRefused(str(error))
        target = version(kept, leaving, to, passed)
        if isinstance(target, VerbRefused):
            return target
        self._follower.interrupt()
        async with self._follower.deploying:
            over = [self._follower.found, leaving.digest if leaving else "", *passed]
            over = [one for one in dict.fromkeys(over) if one and one != target.digest]

            async def decide() -> Pin:
                return await self._decisions.pin(target.digest, "rollback", reason, tuple(over))

            return await self._serve(target, "rollback", decide, reason, unsigned=unsigned)

    async def pin(self, digest: str, reason: str = "", *, unsigned: bool = False) -> Done:
        """Serve this digest whatever the tag names, until ``unpin``; pulled if it is not here.

        Args:
            digest: of a manifest; the beginning of one that is kept will do.
            reason: the operator's words.
            unsigned: see ``rollback``; what has to be pulled is verified in any case.
        """
        try:
            kept = await self._tools.files.call(self._deployer.records.history)
        except OcizoneError as error:
            return VerbRefused(str(error))
        target = version(kept, None, digest)
        if isinstance(target, Deployment):
            self._follower.interrupt()
            async with self._follower.deploying:

                async def decide() -> Pin:
                    return await self._decisions.pin(target.digest, "pin", reason)

                return await self._serve(target, "pin", decide, reason, unsigned=unsigned)
        if not is_digest(digest):
            return VerbRefused(
                f"{digest} is the beginning of no version that is kept: give all of the digest"
            )
        result = await self._follower.try_pin(Pin(digest, "pin", 0, reason))
        if result.outcome in {Outcome.ACTIVATED, Outcome.UNCHANGED}:
            self._tell("pin", digest, reason)
        else:
            # What is known of the source is what its tag says, not what this digest did.
            self._follower.refresh()
        return result

    async def unpin(self) -> Done:
        """Let the tag decide again, and look."""
        try:
            stood = await self._decisions.unpin()
        except OcizoneError as error:
            return VerbRefused(str(error))
        if stood is None:
            return VerbRefused("it is not pinned, nor rolled back")
        self._tell("unpin", stood.digest)
        return await self._follower.refresh(once=True)

    async def suspend(self, seconds: float | None = None, reason: str = "") -> Done:
        """Look no more, for so long or until ``resume``; what is served stays."""
        try:
            await self._decisions.suspend(seconds, reason)
        except OcizoneError as error:
            return VerbRefused(str(error))
        self._tell("suspend", "", reason)
        return LookResult(Outcome.SUSPENDED)

    async def resume(self) -> Done:
        """Look again, now and at each tick."""
        try:
            stood = await self._decisions.resume()
        except OcizoneError as error:
            return VerbRefused(str(error))
        if not stood:
            return VerbRefused("it is not suspended by a command")
        self._tell("resume")
        return await self._follower.refresh(once=True)

    async def approve(self, digest: str) -> Done:
        """Serve what waits, from the store.

        Args:
            digest: of what is held, or its beginning.
        """
        async with self._follower.deploying:
            held = self._deployer.held
            if held is None:
                return VerbRefused("nothing waits for approval")
            if not _begins(held.digest, digest):
                return VerbRefused(f"what waits is {held.digest}, not {digest}")
            if self._follower.found not in {"", held.digest}:
                return VerbRefused(
                    f"the tag names {self._follower.found} now: `ocizone refresh`, or `ocizone pin`"
                )
            try:
                await self._decisions.approve(held.digest)
            except OcizoneError as error:
                return VerbRefused(str(error))
            self._tell("approve", held.digest)
            if held.candidate is not None:
                candidate = replace(held.candidate, activated_at=0)
                result = await self._deploy(candidate, follows_tag=True)
                self._follower.settle(result)
                return result
        return await self._follower.refresh()

    # --- Serving from the store --------------------------------------------------------------

    async def _serve(
        self,
        target: Deployment,
        verb: str,
        decide: Callable[[], Awaitable[Pin]],
        reason: str,
        *,
        unsigned: bool,
    ) -> Done:
        untrusted = self._deployer.untrusted(target)
        if untrusted and not unsigned:
            return VerbRefused(f"{untrusted}; --unsigned serves it nevertheless")
        former = self._decisions.standing.pin
        try:
            own = await decide()
        except OcizoneError as error:
            return VerbRefused(str(error))
        current = self._deployer.current
        if current is not None and current.digest == target.digest:
            result = LookResult(Outcome.UNCHANGED, target.digest)
        else:
            result = await self._deploy(target, follows_tag=False)
        if result.outcome in {Outcome.REFUSED, Outcome.FAILED}:
            await self._take_back(own, former)
        else:
            self._follower.settle(result)
            self._tell(verb, target.digest, reason)
        return result

    async def _deploy(self, target: Deployment, *, follows_tag: bool) -> LookResult:
        """Deploy what is in the store; an image that is not there any more is compiled."""
        deployer = self._deployer
        revision = Revision(
            target.digest,
            target.layers,
            tag=target.tag,
            created=target.created,
            verified_by=target.verified_by,
        )
        reporter = deployer.reports.begin(revision)
        hold = self._tools.store.hold()
        for layer in target.layers:
            hold.keep(layer.digest)
        try:
            await deployer.require(target)
            judged = await deployer.deploy(revision, hold, reporter, follows_tag=follows_tag)
        except OcizoneError as error:
            failure = Failure.of(error)
            problems = error.problems if isinstance(error, InputError) else ()
            state = "refused" if isinstance(error, InputError) else "failed"
            await deployer.reports.ended(reporter, state, failure, problems)  # type: ignore[arg-type]  # one of two states
            outcome = Outcome.REFUSED if isinstance(error, InputError) else Outcome.FAILED
            return LookResult(outcome, target.digest, failure, problems)
        finally:
            hold.release()
        if judged.condition is not None:
            held = Failure(judged.condition, "; ".join(one.message for one in judged.problems))
            return LookResult(Outcome.HELD, target.digest, held, judged.problems)
        return LookResult(Outcome.ACTIVATED, target.digest, None, deployer.problems)

    async def _take_back(self, own: Pin, former: Pin | None) -> None:
        """Undo a pin that could not be carried out."""
        try:
            await self._decisions.take_back(own, former)
        except OcizoneError as error:
            self._deployer.disturbed("remember", error)

    def _tell(self, verb: str, digest: str = "", reason: str = "") -> None:
        self._tools.observe(Decided(self._deployer.name, verb, digest, reason))


def _begins(digest: str, beginning: str) -> bool:
    """Tell whether a digest begins so, with enough digits to mean one; ``sha256:`` may be left out."""
    digits = beginning.removeprefix("sha256:")
    return len(digits) >= DIGEST_DIGITS and digest.removeprefix("sha256:").startswith(digits)


def version(
    kept: tuple[Deployment, ...],
    current: Deployment | None,
    to: str,
    passed: tuple[str, ...] = (),
) -> Deployment | VerbRefused:
    """Return the version that is meant.

    Args:
        kept: newest first.
        current: what is served; "" means the newest one before it with another digest.
        to: digest, its beginning, a generation, or "".
        passed: digests that were rolled back already: "" means one before those, too.
    """
    if not to:
        known = {*passed, current.digest} if current else set(passed)
        newest = current.generation if current else 0
        earlier = [one for one in kept if one.generation < newest and one.digest not in known]
        if not earlier:
            return VerbRefused("no version before this one is kept (see `keep` in the Corefile)")
        return earlier[0]
    # A generation has few digits, the beginning of a digest many.
    if to.isdecimal() and len(to) <= GENERATION_DIGITS:
        matching = [one for one in kept if one.generation == int(to)]
    else:
        matching = [one for one in kept if _begins(one.digest, to)]
    if not matching:
        return VerbRefused(f"no version {to} is kept (see `ocizone history`)")
    if len({one.digest for one in matching}) > 1:
        return VerbRefused(f"{to} is the beginning of several digests")
    return matching[0]
