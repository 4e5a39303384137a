"""Keep one artifact of a registry fresh: resolve, fetch what is missing, deploy.

Attempts of a look as often and as far apart as the block says (follow.retry), each with its own
deadline in a pool thread (follow.attempt). A digest that is served, was refused, or is held costs
one HEAD. What an operator may do about it is in follow.verbs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import assert_never

from twisted.internet.defer import Deferred

from ocizone.errors import FetchReason, RegistryError, StoreError, Transient
from ocizone.follow.attempt import (
    Fetched,
    Found,
    Known,
    Refused,
    Rejected,
    Relabelled,
    Revision,
    Same,
    StillHeld,
    Terms,
    Waiting,
    attempt,
    wanted,
)
from ocizone.follow.deploy import Deployer
from ocizone.follow.facts import SourceFacts
from ocizone.follow.gatekeeper import Gate
from ocizone.follow.pool import Overdue, call_within
from ocizone.follow.reporting import Reporter
from ocizone.follow.retry import Pause, retrying
from ocizone.follow.schedule import schedule_of
from ocizone.follow.service import LookingService
from ocizone.follow.source import OciSource
from ocizone.follow.status import (
    WAITING_FOR_SIGNATURE,
    AttemptFailed,
    Failure,
    LookResult,
    Outcome,
)
from ocizone.follow.tools import Tools
from ocizone.follow.verbs import Verbs
from ocizone.limits import MINIMUM_INTERVAL_S
from ocizone.plugins.artifact import Artifact
from ocizone.registry.api import PullClient
from ocizone.registry.manifest import Descriptor
from ocizone.registry.trust import CheckSignature
from ocizone.store.reports import DeployState
from ocizone.store.standing import Pin, Suspension

#: Makes a client for one artifact; must not touch the network.
ClientFactory = Callable[[Artifact], PullClient]

# What a client may need beyond its deadline to notice it (name resolution cannot be interrupted).
_GRACE_S = 5.0


class Follower(LookingService):
    """Follows one ``oci`` directive."""

    def __init__(
        self,
        source: OciSource,
        client_factory: ClientFactory,
        tools: Tools,
        check_signature: CheckSignature,
    ) -> None:
        """Make it; nothing happens before ``startService``.

        Raises:
            StoreError: the source's key cannot name a directory.
        """
        artifact = source.artifact
        reference = artifact.followed
        facts = SourceFacts(
            key=source.key,
            name=source.name,
            reference=reference,
            rules=source.rules,
            path=Path(artifact.path),
            interval_s=artifact.interval_s,
            gate=Gate(artifact.guard, artifact.allow_rollback),
            verify=artifact.verify,
            terms=repr((artifact.allowed_types, artifact.verify and asdict(artifact.verify))),
        )
        deployer = Deployer(facts, tools)
        super().__init__(
            key=source.key,
            reference=reference,
            schedule=schedule_of(artifact, tools.draw),
            startup=artifact.startup,
            deployer=deployer,
            tools=tools,
        )
        self._artifact = artifact
        self._client_factory = client_factory
        self._check_signature = check_signature
        self._client = client_factory(artifact)
        self._hold = tools.store.hold()
        self._pause = Pause(tools.clock)
        self._reporter: Reporter | None = None
        self._trusted = ""
        self._tentative: Pin | None = None
        self.verbs = Verbs(self, deployer, tools)

    @property
    def retry_at(self) -> float | None:
        """When the next attempt of this look is made, on the clock."""
        return self._pause.until

    @property
    def suspension(self) -> Suspension | None:
        """Why there are no looks now: the operator, or the Corefile."""
        if self._artifact.suspend:
            return Suspension(0, None, "the Corefile says so")
        return super().suspension

    @property
    def verify(self) -> str:
        """Whether a signature is wanted."""
        verify = self._artifact.verify
        return verify.policy if verify else ""

    def hurry(self) -> None:
        """Make the next attempt now, if one is being waited for."""
        self._pause.cut()

    def abort(self) -> None:
        """Close the client's connections."""
        self._client.abort()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """End the look under way, as LookingService does, and close the kept connections."""
        busy = self._state != "idle"
        stopped = super().stopService()
        client = self._client
        if busy:
            # Behind the work that may still use it in a thread; the stop does not wait for that.
            stopped.addCallback(lambda _: self._close_later(client))
        else:
            self._close(client)
        return stopped

    def _close_later(self, client: PullClient) -> None:
        self._tools.pulls.call(lambda: self._close(client))

    def _close(self, client: PullClient) -> None:
        client.close()
        self._tools.arena.release(client)

    async def look(self) -> LookResult:
        """Look at the registry once, with its attempts, and deploy what is new.

        Raises:
            RegistryError, StoreError, CompilerError: it failed.
        """
        if self._reporter is not None and self._reporter.report.state != "waiting":
            self._reporter = None
        while True:
            # Layers of a look that failed stay until the next one, which need not fetch them again.
            former, self._hold = self._hold, self._tools.store.hold()
            pin = self._pin
            try:
                found = await retrying(
                    self._pause,
                    self._attempt,
                    replace(self._artifact, attempts=1) if self._once else self._artifact,
                    failed=self._attempt_failed,
                )
            except RegistryError as error:
                await self._report_ended("failed", Failure.of(error))
                raise
            finally:
                former.release()
            async with self.deploying:
                if self._pin == pin:
                    return await self._take(found)
            # An operator decided otherwise meanwhile.

    async def _take(self, found: Found) -> LookResult:
        """Do what a look's finding asks for."""
        deployer = self._deployer
        decisions = deployer.decisions
        self.found = found.named or self.found
        await decisions.let_go(wanted(self._pin, found.named))
        match found:
            case Same(digest):
                await self._stand_by(digest)
                if not deployer.materialised:
                    await deployer.materialise()
                return LookResult(Outcome.UNCHANGED, digest)
            case Rejected(digest):
                return self.refused(digest)
            case StillHeld(digest):
                return self.still_held(digest)
            case Waiting(digest):
                failure = Failure(WAITING_FOR_SIGNATURE, found.message)
                await self._report_ended("waiting", failure)
                return LookResult(Outcome.HELD, digest, failure)
            case Refused(digest):
                failure = Failure(found.reason, found.message)
                await self._report_ended("refused", failure)
                if found.lasting:
                    await deployer.reject(digest, found.problems)
                return LookResult(Outcome.REFUSED, digest, failure, found.problems)
            case Relabelled(revision):
                self._trusted = revision.digest
                self._octets += revision.octets
                await self._stand_by(revision.digest)
                await deployer.relabel(revision)
                if not deployer.materialised:
                    await deployer.materialise()
                return LookResult(Outcome.UNCHANGED, revision.digest)
            case Fetched(revision):
                self._trusted = revision.digest
                self._octets += revision.octets
                await self._stand_by(revision.digest)
                return await self.deploy(revision, self._hold, self._reporter)
            case _:
                assert_never(found)

    @property
    def _pin(self) -> Pin | None:
        """What this look is to find: what an operator tries to pin, or what is pinned."""
        return self._tentative or self._deployer.decisions.standing.pin

    async def _stand_by(self, digest: str) -> None:
        """Write down a pin that was only tried, now that its digest is known to be there."""
        tried = self._tentative
        if tried is not None and tried.digest == digest:
            self._tentative = None
            await self._deployer.decisions.pin(digest, "pin", tried.reason)

    async def try_pin(self, pin: Pin) -> LookResult:
        """Look for a digest that is to be pinned; it is, once it was fetched and verified.

        A pin of what cannot be had must not stand, whatever ends the attempt.
        """
        self._tentative = pin
        try:
            return await self.refresh(hard=True, once=True)
        finally:
            self._tentative = None

    def _terms(self) -> Terms:
        artifact, asked, seconds = self._artifact, self._asked, self._tools.clock.seconds
        # Ticks of blocks that follow one tag fall together; who asks wants to know of now.
        shared_s = min(MINIMUM_INTERVAL_S, artifact.interval_s) / 2

        def fresh_s() -> float:
            return shared_s if asked is None else seconds() - asked

        def have(client: PullClient, blob: Descriptor) -> int:
            return self._tools.arena.realize(
                blob, client, lambda: self._client_factory(artifact), artifact.timeout_s
            )

        return Terms(
            have=have,
            check_signature=self._check_signature,
            pin=self._pin,
            fresh_s=fresh_s,
            timeout_s=artifact.timeout_s,
            allowed_types=artifact.allowed_types,
            verify=artifact.verify,
            max_octets=artifact.max_octets,
            enter=self._enter,
        )

    def _enter(self, state: DeployState, found: Revision) -> None:
        """Write down how far a deployment came; in the thread of the attempt."""
        reporter = self._reporter
        if reporter is None or reporter.report.digest != found.digest:
            reporter = self._reporter = self._deployer.reports.begin(found)
        if reporter.report.state != "waiting" or state == "fetching":
            reporter.enter(state, verified_by=found.verified_by)

    async def _report_ended(self, state: DeployState, failure: Failure) -> None:
        """Write down why a deployment ended; one that waits goes on waiting quietly."""
        reporter = self._reporter
        if reporter is not None and reporter.report.state not in {state, "served", "superseded"}:
            await self._deployer.reports.ended(reporter, state, failure)

    async def _attempt(self) -> Found:
        self._attempts += 1
        self._state = "looking"
        client, hold, deployer, store = (
            self._client,
            self._hold,
            self._deployer,
            self._tools.store,
        )
        held = None if self._hard else deployer.held
        known = Known(
            deployer.intact, deployer.refusals.digest, held.digest if held else "", self._trusted
        )
        terms = self._terms()
        place = self._tools.places.of(self._artifact.reference.registry)
        try:
            async with place:
                return await call_within(
                    self._tools.pulls,
                    self._tools.clock,
                    terms.timeout_s + _GRACE_S,
                    lambda: attempt(client, store, hold, known, terms),
                )
        except Overdue as error:
            # The thread is lost, and with it the client it may still be using.
            client.abort()
            self._close_later(client)
            self._client = self._client_factory(self._artifact)
            raise Transient(
                f"{self._reference}: the attempt outlived its deadline of {terms.timeout_s:.0f} s",
                reason=FetchReason.TIMEOUT,
            ) from error

    def _attempt_failed(
        self, number: int, error: RegistryError | StoreError, retry_in_s: float
    ) -> None:
        self._state = "waiting"
        self._last_error = Failure.of(error)
        self._tools.observe(
            AttemptFailed(self._deployer.name, number, self._last_error, retry_in_s)
        )
