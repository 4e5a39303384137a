"""``transfer``: who may have whole zones, and whom to tell when they change."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from ocizone.corefile.arguments import zones
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.lexer import Token
from ocizone.wire.name import BadNameError, from_text

_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Secondary:
    """One ADDRESS of a ``to`` line.

    Attributes:
        network: addresses that may ask; None for every one.
        notify: address and port that are told of changes; None for nobody.
        key: lower-case wire name of the TSIG key that requests must, and NOTIFY will, be
            signed with; None for unsigned.
    """

    network: IPv4Network | IPv6Network | None
    notify: tuple[str, int] | None
    key: bytes | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One ``transfer`` directive.

    Attributes:
        zones: lower-case wire names; empty for every zone of the block, its catalog too.
        to: who may have them: any of these.
        source: the address NOTIFY is sent from; "" leaves it to the system.
    """

    zones: tuple[bytes, ...]
    to: tuple[Secondary, ...]
    source: str = ""


def _to(given: Given) -> tuple[Secondary, ...]:
    """Parse ``ADDRESS... [key NAME]``; with a key and no address every address may ask."""
    words = list(given.words)
    at = next((index for index, word in enumerate(words) if word.text == "key"), len(words))
    addresses, rest = words[:at], words[at:]
    key = _key(rest) if rest else None
    if not addresses:
        return (Secondary(None, None, key),)
    return tuple(_secondary(word, key) for word in addresses)


def _key(words: list[Token]) -> bytes:
    if len(words) != 2:
        raise BadArgumentError(
            "'key' takes one name", "write 'to ADDRESS... key NAME'", at=words[0]
        )
    try:
        return from_text(words[1].text.rstrip(".") + ".").lower()
    except BadNameError as error:
        raise BadArgumentError(
            f"'{words[1].shown}' is no key name: {error}", at=words[1]
        ) from error


def _secondary(word: Token, key: bytes | None) -> Secondary:
    if word.text == "*":
        return Secondary(None, None, key)
    try:
        if "/" in word.text:
            return Secondary(_network(word), None, key)
        host, port = _host_and_port(word.text)
        return Secondary(ip_network(host), (host, port), key)
    except BadArgumentError:
        raise
    except ValueError as error:
        raise BadArgumentError(
            f"must specify an IP address: `{word.shown}'", "IP[:PORT], IP/LENGTH or *", at=word
        ) from error


def _network(word: Token) -> IPv4Network | IPv6Network:
    """Return a network; one address of it with its length may be meant to admit that one alone."""
    network = ip_network(word.text, strict=False)
    host = word.text.partition("/")[0]
    if ip_address(host) != network.network_address:
        raise BadArgumentError(
            f"`{word.shown}' is an address in a network", f"write {network} or {host}", at=word
        )
    return network


def _host_and_port(text: str) -> tuple[str, int]:
    """Return the address and port of ``192.0.2.1``, ``192.0.2.1:53``, ``2001:db8::1``, ``[::1]:53``.

    Raises:
        ValueError: it is none of them.
    """
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(text)
        port = port[1:] if port else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65_535):
        raise ValueError(text)
    if "%" in host:
        raise ValueError(text)
    return str(ip_address(host)), int(port or _PORT)


def _source(given: Given) -> str:
    try:
        return str(ip_address(given.text))
    except ValueError as error:
        raise BadArgumentError(
            f"must specify an IP address: `{given.words[0].shown}'", "source takes one address"
        ) from error


ZONES = Argument("ZONE", zones, "Which zones; without it every one of the block.", many=True)
TO: Property[tuple[Secondary, ...]] = Property(
    "to",
    "ADDRESS... [key NAME]",
    _to,
    "Who may have them: `*`, IP, IP:PORT, IP/LENGTH; with `key` only signed by this TSIG key.",
    most=None,
)
SOURCE = Property("source", "IP", _source, "Where NOTIFY is sent from.")


def _build(use: Use, _scope: Scope) -> list[Transfer]:
    lines = use.every(TO)
    if not lines:
        raise BadArgumentError("'to' is required", "write 'to *' to let everybody")
    sources = use.every(SOURCE)
    if len(sources) > 1:
        raise BadArgumentError("'source' can be set only once")
    to = tuple(secondary for line in lines for secondary in line)
    return [Transfer(use.argument(ZONES), to, sources[0] if sources else "")]


DIRECTIVE = Directive(
    "transfer",
    "*transfer* gives whole zones to secondaries, and tells them of changes (AXFR, IXFR, NOTIFY).",
    (ZONES,),
    (TO, SOURCE),
    build=_build,
)
