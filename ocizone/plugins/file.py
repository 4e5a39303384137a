"""``file DBFILE [ZONES...]``: which file holds which zones."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.types import Position


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """One ``file`` directive.

    Attributes:
        path: absolute.
        origins: lower-case wire names; one zone each.
        reload_s: how often a file on disk is looked at; 0 means never. A file of an artifact
            changes with the artifact and ignores it.
        position: for messages.
    """

    path: str
    origins: tuple[bytes, ...]
    reload_s: float
    position: Position
