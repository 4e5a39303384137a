"""``nsid``: a name for this server, given when asked (RFC 5001)."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Argument, Directive, Given, Scope, Use


@dataclass(frozen=True, slots=True)
class Nsid:
    """The data, or None for the host name."""

    data: bytes | None


def _data(given: Given) -> bytes | None:
    return " ".join(word.text for word in given.words).encode() if given.words else None


DATA = Argument(
    "DATA", _data, "The identifier, words joined by a space; without it the host name.", many=True
)


def _build(use: Use, _scope: Scope) -> list[Nsid]:
    return [Nsid(use.argument(DATA))]


DIRECTIVE = Directive(
    "nsid",
    "*nsid* gives this server's identifier to clients that ask for it (RFC 5001).",
    (DATA,),
    build=_build,
)
