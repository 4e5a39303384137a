"""What ``/health`` and ``/ready`` say: alive is one thing, every configured zone served another.

Readiness never depends on the registry: a last good version that is served is ready (CoreDNS
issues 2534 and 2951 argue both halves). Pure, but for the latch of ``until-ready``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ocizone.admin.pages import TEXT, Page
from ocizone.answer.blocks import NotReady, Snapshot
from ocizone.wire.name import to_text


def missing(snapshot: Snapshot, views: Iterable[str] | None = None) -> list[str]:
    """Return what keeps a snapshot from being ready, a line each, sorted.

    Args:
        snapshot: what is served.
        views: only these blocks count; None for all.
    """
    wanted = None if views is None else frozenset(views)
    found = []
    for name, block in snapshot.blocks.items():
        if wanted is not None and name not in wanted:
            continue
        found += [
            f"{to_text(apex)}: {zone.reason}"
            for apex, zone in block.zones.items()
            if isinstance(zone, NotReady)
        ]
        if block.pending:
            # The block's own zones may all be there, from another source: it is not whole yet.
            absent = [to_text(zone) for zone in block.keys if zone not in block.zones]
            found += [f"{zone}: {block.pending}" for zone in absent or [block.name]]
    return sorted(found)


def health() -> Page:
    """Return that we are alive: whoever can say so is."""
    return Page(200, TEXT, b"OK")


class Readiness:
    """Answers ``/ready`` for some blocks."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        stopping: Callable[[], bool],
        views: Iterable[str],
        *,
        latch: bool,
    ) -> None:
        """Make the answerer.

        Args:
            snapshot: returns what is served now.
            stopping: tells whether the server is shutting down.
            views: names of the blocks that count.
            latch: once ready stays ready (``monitor until-ready``).
        """
        self._snapshot = snapshot
        self._stopping = stopping
        self._views = tuple(views)
        self._latch = latch
        self._was_ready = False

    def page(self) -> Page:
        """Return 200 OK, or 503 and what is missing."""
        if self._stopping():
            return Page(503, TEXT, b"Shutting down")
        if self._latch and self._was_ready:
            return Page(200, TEXT, b"OK")
        lines = missing(self._snapshot(), self._views)
        if lines:
            return Page(503, TEXT, "\n".join(lines).encode())
        self._was_ready = True
        return Page(200, TEXT, b"OK")
