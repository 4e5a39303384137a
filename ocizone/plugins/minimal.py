"""``minimal``: leave out authority and additional records a client does not need."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Directive


@dataclass(frozen=True, slots=True)
class Minimal:
    """The block gives minimal answers."""


DIRECTIVE = Directive(
    "minimal",
    "*minimal* leaves out authority and additional records that an answer does not need.",
    build=lambda _use, _scope: [Minimal()],
)
