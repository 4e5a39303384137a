"""``whoami``: answer every query with the asker's address, port and transport."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Directive


@dataclass(frozen=True, slots=True)
class Whoami:
    """The block answers who asked."""


DIRECTIVE = Directive(
    "whoami",
    "*whoami* answers every query with the address, port and transport it came from.",
    build=lambda _use, _scope: [Whoami()],
)
