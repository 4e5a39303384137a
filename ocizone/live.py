"""The one mutable cell of the program: which snapshot is served.

``serve`` reads it for every query, ``app`` replaces its content with one assignment. No lock:
both happen on the reactor thread, and a query keeps the snapshot it started with.
"""

from __future__ import annotations

from ocizone.answer.blocks import Snapshot


class LiveZones:
    """Holds the snapshot that is served now."""

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
