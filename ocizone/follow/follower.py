"""Keep one artifact of a registry fresh: resolve, fetch what is missing, deploy.

Three attempts a look (follow.retry), each with its own deadline in a pool thread
(follow.attempt). A digest that is served, or that was refused, costs one HEAD.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from twisted.internet.defer import Deferred

from ocizone import limits
from ocizone.errors import FetchReason, RegistryError, StoreError, Transient
from ocizone.follow.attempt import Fetched, Found, Known, Rejected, Relabelled, Same, attempt
from ocizone.follow.deploy import Deployer, Revision
from ocizone.follow.pool import Overdue, call_within
from ocizone.follow.retry import Pause, retrying
from ocizone.follow.service import LookingService
from ocizone.follow.source import OciSource
from ocizone.follow.status import (
    AttemptFailed,
    Failure,
    LookResult,
    Outcome,
)
from ocizone.follow.tools import Tools
from ocizone.plugins.artifact import Artifact
from ocizone.registry.api import PullClient

#: Makes a client for one artifact; must not touch the network.
ClientFactory = Callable[[Artifact], PullClient]

# What a client may need beyond its deadline to notice it (name resolution cannot be interrupted).
_GRACE_S = 5.0


class Follower(LookingService):
    """Follows one ``oci`` directive."""

    def __init__(self, source: OciSource, client_factory: ClientFactory, tools: Tools) -> None:
        """Make it; nothing happens before ``startService``.

        Raises:
            StoreError: the source's key cannot name a directory.
        """
        artifact = source.artifact
        reference = str(artifact.reference)
        deployer = Deployer(
            key=source.key,
            name=source.name,
            reference=reference,
            rules=source.rules,
            path=Path(artifact.path),
            tools=tools,
            interval_s=artifact.interval_s,
        )
        super().__init__(
            key=source.key,
            reference=reference,
            interval_s=artifact.interval_s,
            deployer=deployer,
            tools=tools,
        )
        self._artifact = artifact
        self._client_factory = client_factory
        self._client = client_factory(artifact)
        self._hold = tools.store.hold()
        self._pause = Pause(tools.clock)

    @property
    def retry_at(self) -> float | None:
        """When the next attempt of this look is made, on the clock."""
        return self._pause.until

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
            client.close()
        return stopped

    def _close_later(self, client: PullClient) -> None:
        self._tools.pulls.call(client.close)

    async def look(self) -> LookResult:
        """Look at the registry once, with its attempts, and deploy what is new.

        Raises:
            RegistryError, StoreError, CompilerError: it failed.
        """
        deployer = self._deployer
        # Layers of a look that failed stay until the next one, which need not fetch them again.
        former, self._hold = self._hold, self._tools.store.hold()
        try:
            found = await retrying(
                self._pause,
                self._attempt,
                interval_s=self._artifact.interval_s,
                failed=self._attempt_failed,
            )
        finally:
            former.release()
        match found:
            case Same(digest):
                if not deployer.materialised:
                    await deployer.materialise()
                return LookResult(Outcome.UNCHANGED, digest)
            case Relabelled(digest):
                await deployer.relabel(digest)
                return LookResult(Outcome.UNCHANGED, digest)
            case Rejected(digest):
                return self.refused(digest)
            case Fetched(digest, layers):
                return await self.deploy(Revision(digest, layers), self._hold)
            case _:
                assert_never(found)

    async def _attempt(self) -> Found:
        self._attempts += 1
        self._state = "looking"
        client, hold, deployer, store = (
            self._client,
            self._hold,
            self._deployer,
            self._tools.store,
        )
        rejected = deployer.rejected
        known = Known(deployer.intact, rejected.digest if rejected else "")
        try:
            return await call_within(
                self._tools.pulls,
                self._tools.clock,
                limits.ATTEMPT_DEADLINE_S + _GRACE_S,
                lambda: attempt(client, store, hold, known),
            )
        except Overdue as error:
            # The thread is lost, and with it the client it may still be using.
            client.abort()
            self._close_later(client)
            self._client = self._client_factory(self._artifact)
            raise Transient(
                f"{self._reference}: the attempt outlived its deadline of"
                f" {limits.ATTEMPT_DEADLINE_S:.0f} s",
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
