"""``provenance``: the names of artifacts may be asked for in DNS."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Directive


@dataclass(frozen=True, slots=True)
class Provenance:
    """The block tells which artifact a zone comes from."""


DIRECTIVE = Directive(
    "provenance",
    "*provenance* answers `artifact.ZONE CH TXT` with the artifact a zone comes from.",
    build=lambda _use, _scope: [Provenance()],
    once=True,
)
