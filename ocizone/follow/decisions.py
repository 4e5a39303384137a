"""What an operator decided about one source: in memory, and on disk before it counts.

Not here: what follows from a decision (follow.gatekeeper, follow.verbs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from twisted.internet.defer import DeferredLock

from ocizone import limits
from ocizone.errors import StoreError
from ocizone.follow.pool import Pool
from ocizone.follow.watermark import raised
from ocizone.store.deployments import Deployment
from ocizone.store.records import SourceRecords
from ocizone.store.standing import Held, Pin, Standing, Suspension, Watermark


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
        self._changing = DeferredLock()
        self._records = records
        self._files = files
        self._wall = wall

    async def load(self) -> None:
        """Read what was decided before the start.

        Raises:
            StoreError: it is damaged or cannot be read; then nothing is decided.
        """
        self.standing = await self._files.call(self._records.standing)

    async def _change(self, change: Callable[[Standing], Standing]) -> None:
        """Write first: a decision that a restart forgets was never made.

        One after the other: two that come together must both stand.

        Raises:
            StoreError: it cannot be written; nothing changed.
        """
        async with self._changing:
            standing = change(self.standing)
            if standing == self.standing:
                return
            await self._files.call(lambda: self._records.keep_standing(standing))
            self.standing = standing

    def seed(self, deployment: Deployment) -> None:
        """Take what was restored for the newest that was served, if nothing else is known."""
        standing = self.standing
        if standing.watermark == Watermark():
            mark = raised(
                standing.watermark,
                deployment.digest,
                deployment.created,
                deployment.zones,
                self._now(),
            )
            # Written with the next decision: a start must not write.
            self.standing = replace(standing, watermark=mark)

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
    ) -> Pin:
        """Hold the source to a digest; returns what stands from now on.

        Raises:
            StoreError: it cannot be written.
        """
        pin = Pin(digest, kind, self._now(), reason, passed_over)
        await self._change(lambda now: replace(now, pin=pin))
        return pin

    async def unpin(self) -> Pin | None:
        """Let the tag decide again; returns what stood.

        Raises:
            StoreError: it cannot be written.
        """
        stood: list[Pin | None] = []

        def change(now: Standing) -> Standing:
            stood.append(now.pin)
            return replace(now, pin=None)

        await self._change(change)
        return stood[0]

    async def take_back(self, own: Pin, former: Pin | None) -> None:
        """Undo a pin that could not be carried out, unless another decision took its place.

        Raises:
            StoreError: it cannot be written.
        """
        await self._change(lambda now: replace(now, pin=former) if now.pin is own else now)

    async def suspend(self, seconds: float | None, reason: str = "") -> None:
        """Look no more, for so long or until ``resume``.

        Raises:
            StoreError: it cannot be written.
        """
        now = self._now()
        suspension = Suspension(now, None if seconds is None else now + int(seconds), reason)
        await self._change(lambda standing: replace(standing, suspension=suspension))

    async def resume(self) -> bool:
        """Look again; tells whether it was suspended.

        Raises:
            StoreError: it cannot be written.
        """
        stood = self.suspension is not None
        await self._change(lambda now: replace(now, suspension=None))
        return stood

    async def hold(self, held: Held) -> None:
        """Remember what waits for ``approve``.

        Raises:
            StoreError: it cannot be written.
        """
        await self._change(lambda now: replace(now, held=held))

    async def let_go(self, wanted: str) -> None:
        """Forget what is held when something else is to be served now.

        Raises:
            StoreError: it cannot be written.
        """
        held = self.standing.held
        if held is not None and held.digest != wanted:
            await self._change(lambda now: replace(now, held=None))

    async def approve(self, digest: str) -> None:
        """Need no further approval of a digest, until it was served.

        Raises:
            StoreError: it cannot be written.
        """

        def change(now: Standing) -> Standing:
            others = tuple(one for one in now.approved if one != digest)
            return replace(now, approved=(*others, digest)[-limits.APPROVALS :])

        await self._change(change)

    async def served(self, deployment: Deployment, *, follows_tag: bool) -> None:
        """Note that a deployment went live.

        The watermark rises, what was held and approved is done with, and a rollback that did not
        mean this digest has ended.

        Args:
            deployment: that is served.
            follows_tag: it is what the tag names: what an operator went back to must not become
                the mark.

        Raises:
            StoreError: it cannot be written.
        """
        digest = deployment.digest

        def change(now: Standing) -> Standing:
            approved = tuple(one for one in now.approved if one != digest)
            if not follows_tag:
                return replace(now, approved=approved)
            created, zones = deployment.created, deployment.zones
            mark = raised(now.watermark, digest, created, zones, self._now())
            pin = now.pin
            if pin is not None and pin.kind == "rollback" and pin.digest != digest:
                pin = None
            return replace(now, approved=approved, watermark=mark, pin=pin, held=None)

        await self._change(change)


def damaged(error: StoreError) -> StoreError:
    """Return the warning about a standing that cannot be read."""
    return StoreError(
        f"{error}; pins, approvals and the mark against rollback are forgotten: decide again"
    )
