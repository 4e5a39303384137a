"""``bufsize``: caps the UDP size a client may advertise (RFC 6891 6.2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import number
from ocizone.corefile.directive import Argument, Directive, Scope, Use


@dataclass(frozen=True, slots=True)
class BufferSize:
    """The cap, in octets: 512 to 4096."""

    octets: int


SIZE = Argument("SIZE", number(512, 4096), "The cap in octets, 512 to 4096.", default="1232")


def _build(use: Use, _scope: Scope) -> list[BufferSize]:
    return [BufferSize(use.argument(SIZE))]


DIRECTIVE = Directive(
    "bufsize",
    "*bufsize* caps the size of UDP answers, whatever the client says it can take.",
    (SIZE,),
    build=_build,
)
