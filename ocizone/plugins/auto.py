"""``auto``: every matching file of a directory is a zone."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.types import Position


@dataclass(frozen=True, slots=True)
class AutoZones:
    """One ``auto`` directive.

    Attributes:
        directory: absolute.
        regexp: searched in the base name; Python syntax, checked.
        template: ``{N}`` and ``{name}`` stand for captures; gives the origin.
        origins: lower-case wire names the zones must be at or below.
        reload_s: how often a directory on disk is looked at; 0 means once.
        position: for messages.
    """

    directory: str
    regexp: str
    template: str
    origins: tuple[bytes, ...]
    reload_s: float
    position: Position
