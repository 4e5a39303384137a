"""Parsers of single arguments, shared by the declarations: durations, addresses, zones, numbers.

Each takes a Given and returns a value, or raises BadArgumentError in Go's or CoreDNS' words.
Nothing here looks at the file system or the network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address
from typing import Final

from ocizone.corefile.directive import BadArgumentError, Given
from ocizone.corefile.keys import BadKeyError, zones_of
from ocizone.corefile.regexp import BadRegexpError, translate

_UNITS: Final = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "\u00b5s": Decimal("1e-6"),
    "\u03bcs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_NUMBER: Final = re.compile(r"(?=[0-9.])([0-9]*)(\.[0-9]*)?", re.ASCII)
_UNIT: Final = re.compile(r"[^0-9.]+")
#: Go keeps a duration in 64 bits of nanoseconds.
_LONGEST_S: Final = Decimal(2**63 - 1) / 10**9


def text(given: Given) -> str:
    """Return the word as it is."""
    return given.text


def switch(_given: Given) -> bool:
    """Return True: the property is there."""
    return True


def parse_duration(written: str) -> float:
    """Return seconds, by the rules of Go's time.ParseDuration.

    Raises:
        ValueError: with Go's message.
    """
    rest = written.removeprefix("-") if written.startswith("-") else written.removeprefix("+")
    if rest == "0":
        return 0.0
    total = Decimal(0)
    shown = f'"{written[:40]}"'
    if not rest:
        raise ValueError(f"time: invalid duration {shown}")
    while rest:
        number = _NUMBER.match(rest)
        if number is None or number[0] in {"", "."}:
            raise ValueError(f"time: invalid duration {shown}")
        rest = rest[number.end() :]
        unit = _UNIT.match(rest)
        if unit is None:
            raise ValueError(f"time: missing unit in duration {shown}")
        if unit[0] not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit[0][:20]}" in duration {shown}')
        total += Decimal(f"0{number[0]}") * _UNITS[unit[0]]
        rest = rest[unit.end() :]
    if total > _LONGEST_S:
        raise ValueError(f"time: invalid duration {shown}")
    return float(-total if written.startswith("-") else total)


def duration(given: Given) -> float:
    """Return seconds; a duration such as ``30s``, ``1h30m`` or ``0``, never negative."""
    try:
        seconds = parse_duration(given.text)
    except ValueError as error:
        raise BadArgumentError(str(error), "a duration is 30s, 5m or 1h30m") from error
    if seconds < 0:
        raise BadArgumentError(f"invalid duration: {given.words[0].shown}", "it is negative")
    return seconds


def number(least: int, most: int) -> Callable[[Given], int]:
    """Return a parser of whole numbers in a range."""

    def parse(given: Given) -> int:
        word = given.text
        if word.isascii() and word.isdigit() and least <= int(word[:12]) <= most:
            return int(word)
        raise BadArgumentError(
            f"'{given.words[0].shown}' is not a number from {least} to {most}", rule="out-of-range"
        )

    return parse


def address(given: Given) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``; host "" is every address.

    Names other than localhost are refused: resolving one would need the network.
    """
    word, shown = given.text, given.words[0].shown
    host, colon, port = word.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadArgumentError(
            f"address {shown}: too many colons in address", "write [ADDRESS]:PORT"
        )
    if not colon:
        raise BadArgumentError(
            f"address {shown}: missing port in address", "write HOST:PORT or :PORT"
        )
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65_535):
        raise BadArgumentError(f"address {shown}: invalid port", "a port is 0 to 65535")
    if host == "localhost":
        host = "127.0.0.1"
    if host and not is_address(host):
        raise BadArgumentError(f"address {shown}: not an IP address", "or localhost")
    return host, int(port)


def is_address(word: str) -> bool:
    """Tell whether this is an IP address; an IPv6 one may carry a scope."""
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def zones(given: Given) -> tuple[bytes, ...]:
    """Return the lower-case wire names of all words, networks in CIDR form expanded."""
    found: list[bytes] = []
    for word in given.words:
        try:
            found += zones_of(word.text)
        except BadKeyError as error:
            raise BadArgumentError(str(error), error.hint, rule="bad-zone", at=word) from error
    return tuple(dict.fromkeys(found))


def regexp(given: Given) -> str:
    """Return the expression in Python's syntax."""
    try:
        return translate(given.text)
    except BadRegexpError as error:
        hint = "regular expressions are Go's (RE2): no look-around, no back-references"
        raise BadArgumentError(str(error), hint, rule="bad-regexp") from error
