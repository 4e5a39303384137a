"""``memcached``: manifests shared by the servers of a fleet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ocizone.corefile.arguments import is_address
from ocizone.corefile.directive import Argument, BadArgumentError, Directive, Given, Scope, Use
from ocizone.corefile.types import Position
from ocizone.limits import NAME_OCTETS

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_ALL_DIGITS: Final = re.compile(r"[0-9.]+")


@dataclass(frozen=True, slots=True)
class Memcached:
    """One ``memcached`` directive.

    Attributes:
        host: a name or an address.
        port: of TCP.
        position: for messages.
    """

    host: str
    port: int
    position: Position


def _server(given: Given) -> tuple[str, int]:
    """Return host and port; unlike an address to listen on, the host may be a name."""
    word, shown = given.text, given.words[0].shown
    host, _, port = word.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    good_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65_535
    named = len(host) <= NAME_OCTETS and _NAME.fullmatch(host) and not _ALL_DIGITS.fullmatch(host)
    good_host = is_address(host) and (":" in host) == bracketed
    if not good_port or not (good_host or (named and not bracketed)):
        raise BadArgumentError(f"'{shown}' is not HOST:PORT", "such as cache.example.org:11211")
    return host, int(port)


SERVER = Argument("HOST:PORT", _server, "Where it is reached over TCP.", required=True)


def _build(use: Use, _scope: Scope) -> list[Memcached]:
    host, port = use.argument(SERVER)
    return [Memcached(host, port, use.position)]


DIRECTIVE = Directive(
    "memcached",
    "*memcached* shares manifests with the other servers that use the same memcached.",
    (SERVER,),
    build=_build,
    once=True,
)
