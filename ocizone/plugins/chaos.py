"""``chaos``: CH TXT version.bind, version.server, authors.bind, hostname.bind, id.server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chaos:
    """What to say: an empty version means ocizone's own."""

    version: str
    authors: tuple[str, ...]
