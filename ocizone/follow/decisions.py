"""What an operator decided about one source: in memory, and on disk before it counts.

Not here: what follows from a decision (follow.gatekeeper, follow.verbs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from ocizone import limits
from ocizone.compiler.spec import CompiledZone
from ocizone.errors import StoreError
from ocizone.follow.pool import Pool
from ocizone.follow.watermark import raised
from ocizone.store.deployments import Deployment
from ocizone.store.records import SourceRecords
from ocizone.store.standing import Held, Pin, Standing, Suspension


class Decisions:
    """The standing of one source."""

    def __init__(self, records: SourceRecords, files: Pool, wall: Callable[[], float]) -> None:
        """Make it; nothing is decided before ``load``.

        Args:
            records: of the source.
            files: threads for the disk.
            wall: unix seconds.
        """
        self.standing = Standing()
        self._records = records
        self._files = files
        self._wall = wall

    async def load(self) -> None:
        """Read what was decided before the start.

        Raises:
            StoreError: it is damaged or cannot be read; then nothing is decided.
        """
        self.standing = await self._files.call(self._records.standing)

    async def _keep(self, standing: Standing) -> None:
        """Write first: a decision that a restart forgets was never made.

        Raises:
            StoreError: it cannot be written; nothing changed.
        """
        if standing == self.standing:
            return
        await self._files.call(lambda: self._records.keep_standing(standing))
        self.standing = standing

    def _now(self) -> int:
        return int(self._wall())

    @property
    def suspension(self) -> Suspension | None:
        """The suspension, if it stands now."""
        found = self.standing.suspension
        if found is None or (found.until is not None and found.until <= self._wall()):
            return None
        return found

    async def pin(
        self,
        digest: str,
        kind: Literal["pin", "rollback"],
        reason: str = "",
        passed_over: tuple[str, ...] = (),
    ) -> None:
        """Hold the source to a digest.

        Raises:
            StoreError: it cannot be written.
        """
        pin = Pin(digest, kind, self._now(), reason, passed_over)
        await self._keep(replace(self.standing, pin=pin))

    async def unpin(self) -> Pin | None:
        """Let the tag decide again; returns what stood.

        Raises:
            StoreError: it cannot be written.
        """
        found = self.standing.pin
        await self._keep(replace(self.standing, pin=None))
        return found

    async def suspend(self, seconds: float | None, reason: str = "") -> None:
        """Look no more, for so long or until ``resume``.

        Raises:
            StoreError: it cannot be written.
        """
        now = self._now()
        until = None if seconds is None else now + int(seconds)
        suspension = Suspension(now, until, reason)
        await self._keep(replace(self.standing, suspension=suspension))

    async def resume(self) -> bool:
        """Look again; tells whether it was suspended.

        Raises:
            StoreError: it cannot be written.
        """
        stood = self.suspension is not None
        await self._keep(replace(self.standing, suspension=None))
        return stood

    async def hold(self, held: Held) -> None:
        """Remember what waits for ``approve``.

        Raises:
            StoreError: it cannot be written.
        """
        await self._keep(replace(self.standing, held=held))

    async def approve(self, digest: str) -> None:
        """Need no further approval of a digest.

        Raises:
            StoreError: it cannot be written.
        """
        others = tuple(one for one in self.standing.approved if one != digest)
        approved = (*others, digest)[-limits.APPROVALS :]
        await self._keep(replace(self.standing, approved=approved))

    async def served(
        self, deployment: Deployment, zones: tuple[CompiledZone, ...], *, follows_tag: bool
    ) -> None:
        """Note that a deployment went live: raise the watermark, forget what was held.

        Args:
            deployment: that is served.
            zones: as compiled.
            follows_tag: it is what the tag names, no rollback: what an operator went back to
                must not become the mark.

        Raises:
            StoreError: it cannot be written.
        """
        standing = self.standing
        mark = standing.watermark
        if follows_tag:
            mark = raised(mark, deployment.digest, deployment.created, zones, self._now())
        held = standing.held
        if held is not None and held.digest == deployment.digest:
            held = None
        await self._keep(replace(standing, watermark=mark, held=held))

    async def end_rollback(self, named: str) -> None:
        """The tag names this now: a rollback that did not mean it has done its work.

        Raises:
            StoreError: it cannot be written.
        """
        pin = self.standing.pin
        if pin is not None and pin.kind == "rollback" and named != pin.digest:
            await self._keep(replace(self.standing, pin=None))


def damaged(error: StoreError) -> StoreError:
    """Return the warning about a standing that cannot be read."""
    return StoreError(
        f"{error}; pins, approvals and the mark against rollback are forgotten: decide again"
    )
