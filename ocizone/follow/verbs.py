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

    def settle(self, result: LookResult) -> None:
        """Take over what a verb came to."""


class Verbs:
    """The verbs of one source that is followed in a registry."""

    def __init__(self, follower: Looks, deployer: Deployer, tools: Tools) -> None:
        self._follower = follower
        self._deployer = deployer
        self._decisions = deployer.decisions
        self._tools = tools

    async def rollback(self, to: str = "", reason: str = "") -> Done:
        """Serve a version of before, from the store, until the tag names yet another digest.

        Args:
            to: digest, its beginning, or a generation; "" for what was served before.
            reason: the operator's words.
        """
        try:
            kept = await self._tools.files.call(self._deployer.records.history)
        except OcizoneError as error:
            return VerbRefused(str(error))
        async with self._follower.deploying:
            current = self._deployer.current
            target = _version(kept, current, to)
            if isinstance(target, VerbRefused):
                return target
            former = self._decisions.standing.pin
            passed = [self._follower.found, current.digest if current else ""]
            passed += former.passed_over if former and former.kind == "rollback" else ()
            over = tuple(one for one in dict.fromkeys(passed) if one and one != target.digest)

            async def decide() -> None:
                await self._decisions.pin(target.digest, "rollback", reason, over)

            return await self._serve(target, "rollback", decide, reason)

    async def pin(self, digest: str, reason: str = "") -> Done:
        """Serve this digest whatever the tag names, until ``unpin``; pulled if it is not here.

        Args:
            digest: of a manifest; the beginning of one that is kept will do.
            reason: the operator's words.
        """
        try:
            kept = await self._tools.files.call(self._deployer.records.history)
        except OcizoneError as error:
            return VerbRefused(str(error))
        former = self._decisions.standing.pin
        async with self._follower.deploying:
            target = _version(kept, None, digest)
            if isinstance(target, Deployment):

                async def decide() -> None:
                    await self._decisions.pin(target.digest, "pin", reason)

                return await self._serve(target, "pin", decide, reason)
            if not is_digest(digest):
                return VerbRefused(
                    f"{digest} is the beginning of no version that is kept: give all of the digest"
                )
            try:
                await self._decisions.pin(digest, "pin", reason)
            except OcizoneError as error:
                return VerbRefused(str(error))
        result = await self._follower.refresh(hard=True, once=True)
        if result.outcome in {Outcome.REFUSED, Outcome.FAILED}:
            await self._take_back(former)
            # What is known of the source is what its tag says, not what this digest did.
            self._follower.refresh()
        else:
            self._tell("pin", digest, reason)
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
            if not digest or not _begins(held.digest, digest):
                return VerbRefused(f"what waits is {held.digest}, not {digest}")
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
        return await self._follower.refresh(once=True)

    # --- Serving from the store --------------------------------------------------------------

    async def _serve(
        self,
        target: Deployment,
        verb: str,
        decide: Callable[[], Awaitable[None]],
        reason: str,
    ) -> Done:
        former = self._decisions.standing.pin
        try:
            await decide()
        except OcizoneError as error:
            return VerbRefused(str(error))
        current = self._deployer.current
        if current is not None and current.digest == target.digest:
            result = LookResult(Outcome.UNCHANGED, target.digest)
        else:
            result = await self._deploy(target, follows_tag=False)
        if result.outcome in {Outcome.REFUSED, Outcome.FAILED}:
            await self._take_back(former)
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
        reporter = deployer.report(revision)
        reporter.report = replace(reporter.report, verified_by=target.verified_by)
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
            await deployer.ended(reporter, state, failure, problems)  # type: ignore[arg-type]  # one of two states
            outcome = Outcome.REFUSED if isinstance(error, InputError) else Outcome.FAILED
            return LookResult(outcome, target.digest, failure, problems)
        finally:
            hold.release()
        if judged.condition is not None:
            held = Failure(judged.condition, "; ".join(one.message for one in judged.problems))
            return LookResult(Outcome.HELD, target.digest, held, judged.problems)
        return LookResult(Outcome.ACTIVATED, target.digest, None, deployer.problems)

    async def _take_back(self, former: Pin | None) -> None:
        """Undo a pin that could not be carried out."""
        try:
            if former is None:
                await self._decisions.unpin()
            else:
                await self._decisions.pin(
                    former.digest, former.kind, former.reason, former.passed_over
                )
        except OcizoneError as error:
            self._deployer.disturbed("remember", error)

    def _tell(self, verb: str, digest: str = "", reason: str = "") -> None:
        self._tools.observe(Decided(self._deployer.name, verb, digest, reason))


def _begins(digest: str, beginning: str) -> bool:
    """Tell whether a digest begins so; ``sha256:`` may be left out."""
    return digest.startswith(beginning) or digest.removeprefix("sha256:").startswith(beginning)


def _version(
    kept: tuple[Deployment, ...], current: Deployment | None, to: str
) -> Deployment | VerbRefused:
    """Return the version that is meant.

    Args:
        kept: newest first.
        current: what is served; "" means the newest one before it with another digest.
        to: digest, its beginning, a generation, or "".
    """
    if not to:
        newest = current.generation if current else 0
        earlier = [
            one
            for one in kept
            if current is not None and one.generation < newest and one.digest != current.digest
        ]
        if not earlier:
            return VerbRefused("no version before this one is kept (see `keep` in the Corefile)")
        return earlier[0]
    numbered = [one for one in kept if to.isdecimal() and one.generation == int(to)]
    matching = numbered or [one for one in kept if _begins(one.digest, to)]
    if not matching:
        return VerbRefused(f"no version {to} is kept (see `ocizone history`)")
    if len({one.digest for one in matching}) > 1:
        return VerbRefused(f"{to} is the beginning of several digests")
    return matching[0]
