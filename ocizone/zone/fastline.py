"""One record on one line, the common way: a regular expression a line, wire forms out.

Knows A AAAA NS CNAME MX TXT PTR SRV without escapes and parentheses, TTLs in plain seconds.
Whatever it does not recognise, or finds wrong, it leaves to zone.masterfile, which says why.
Law (tests): where it yields a record, the complete reader yields the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ocizone.limits import FAST_LINE_OCTETS, LABEL_OCTETS, NAME_OCTETS, TTL_SECONDS
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_MX,
    TYPE_NS,
    TYPE_PTR,
    TYPE_SRV,
    TYPE_TXT,
)
from ocizone.wire.name import ROOT
from ocizone.zone.memo import Memo

_LINE: Final = re.compile(
    rb"(@|[A-Za-z0-9_*./-]+)?[ \t]+"
    rb"(?:([0-9]{1,10})[ \t]+)?(?:[Ii][Nn][ \t]+)?(?:([0-9]{1,10})[ \t]+)?"
    rb"([A-Za-z]+)[ \t]+"
    rb'([!#-\x27*-:<-\[\]-~][\t !#-\x27*-:<-\[\]-~]*|(?:"[ !#-\[\]-~]*"[ \t]*)+)'
    rb"(?:;[\t -~]*)?\r?\n?"
)
_NAME_CHARACTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_*./-"
_QUOTED: Final = re.compile(rb'"([^"]*)"')
_IPV6: Final = re.compile(rb"[0-9A-Fa-f:]+")
_OCTET: Final = {str(value).encode(): bytes([value]) for value in range(256)}
_LABEL_LENGTH: Final = [bytes([size]) for size in range(LABEL_OCTETS + 1)]


class FastLine(NamedTuple):
    """What a line says; None where it leaves a field out."""

    owner: bytes | None
    ttl: int | None
    rrtype: int
    rdata: bytes


class NotFastError(Exception):
    """It needs the complete reader."""


class FastReader:
    """Reads common lines relative to one origin; make another when the origin changes."""

    def __init__(self, origin: bytes) -> None:
        self._origin = origin

    def read(self, line: bytes) -> FastLine | None:
        """Return what the line says, or None when it is for the complete reader."""
        found = _LINE.fullmatch(line)
        if found is None or len(line) > FAST_LINE_OCTETS:
            return None
        owner, ttl, ttl_after_class, mnemonic, rest = found.groups()
        if ttl is not None and ttl_after_class is not None:
            return None
        seconds = ttl or ttl_after_class
        try:
            rrtype, rdata = self.rdata(mnemonic, rest)
            return FastLine(
                None if owner is None else self._name(owner),
                None if seconds is None else ttl_of(seconds),
                rrtype,
                rdata,
            )
        except NotFastError:
            return None

    def rdata(self, mnemonic: bytes, rest: bytes) -> tuple[int, bytes]:
        """Return the type and the rdata that a mnemonic and what follows it say.

        Raises:
            NotFastError: another type, or text that is not for certain right.
        """
        entry = _RDATA.get(mnemonic)
        if entry is None:
            raise NotFastError
        rrtype, read = entry
        return rrtype, read(self, rest)

    def _name(self, token: bytes) -> bytes:
        return self._origin if token == b"@" else _wire_name(token, self._origin)

    def target(self, token: bytes) -> bytes:
        """Return the name that rdata names.

        Raises:
            NotFastError: it is not for certain one.
        """
        if token != b"@" and token.translate(None, _NAME_CHARACTERS):
            raise NotFastError
        return self._name(token)


def _tokens(rest: bytes, count: int) -> list[bytes]:
    tokens = rest.split()
    if len(tokens) != count or rest[0] == 0x22:
        raise NotFastError
    return tokens


def _wire_name(token: bytes, origin: bytes) -> bytes:
    if b"." not in token and len(token) <= LABEL_OCTETS:
        wire = _LABEL_LENGTH[len(token)] + token + origin
        if len(wire) > NAME_OCTETS:
            raise NotFastError
        return wire
    if token == b".":
        return ROOT
    absolute = token.endswith(b".")
    parts = (token[:-1] if absolute else token).split(b".")
    try:
        wire = b"".join([_LABEL_LENGTH[len(part)] + part for part in parts])
    except IndexError:
        raise NotFastError from None
    wire += ROOT if absolute else origin
    if len(wire) > NAME_OCTETS or b"" in parts:
        raise NotFastError
    return wire


def ttl_of(token: bytes) -> int:
    """Return the seconds that digits say.

    Raises:
        NotFastError: too many.
    """
    seconds = int(token)
    if seconds > TTL_SECONDS:
        raise NotFastError
    return seconds


def _u16(token: bytes) -> bytes:
    if not token.isdigit() or len(token) > 5:
        raise NotFastError
    try:
        return int(token).to_bytes(2, "big")
    except OverflowError:
        raise NotFastError from None


def octet_pair(token: bytes) -> bytes:
    """Return the two octets that half an IPv4 address says.

    Raises:
        NotFastError: no octet, or not in its shortest form.
    """
    first, _, second = token.partition(b".")
    try:
        return _OCTET[first] + _OCTET[second]
    except KeyError:
        raise NotFastError from None


def _ipv4(_reader: FastReader, rest: bytes) -> bytes:
    try:
        a, b, c, d = _tokens(rest, 1)[0].split(b".")
        return _OCTET[a] + _OCTET[b] + _OCTET[c] + _OCTET[d]
    except (KeyError, ValueError):
        raise NotFastError from None


def _ipv6(_reader: FastReader, rest: bytes) -> bytes:
    token = _tokens(rest, 1)[0]
    if _IPV6.fullmatch(token) is None:
        raise NotFastError
    head, gap, tail = token.partition(b"::")
    front = _groups(head)
    if not gap:
        if len(front) != 16:
            raise NotFastError
        return front
    back = _groups(tail)
    missing = 16 - len(front) - len(back)
    # "::" stands for at least one group (RFC 4291 2.2); BIND and we take one or more.
    if missing < 2:
        raise NotFastError
    return front + bytes(missing) + back


def _groups(text: bytes) -> bytes:
    return b"".join([_GROUPS[group] for group in text.split(b":")]) if text else b""


def _group(token: bytes) -> bytes:
    if not 0 < len(token) <= 4:
        raise NotFastError
    return int(token, 16).to_bytes(2)


_GROUPS: Final = Memo(_group)


def _txt(_reader: FastReader, rest: bytes) -> bytes:
    strings = _QUOTED.findall(rest) if rest[0] == 0x22 else rest.split()
    try:
        return b"".join([bytes([len(string)]) + string for string in strings])
    except ValueError:
        raise NotFastError from None


def _name(reader: FastReader, rest: bytes) -> bytes:
    return reader.target(_tokens(rest, 1)[0])


def _mx(reader: FastReader, rest: bytes) -> bytes:
    preference, exchange = _tokens(rest, 2)
    return _u16(preference) + reader.target(exchange)


def _srv(reader: FastReader, rest: bytes) -> bytes:
    priority, weight, port, target = _tokens(rest, 4)
    return _u16(priority) + _u16(weight) + _u16(port) + reader.target(target)


# A table of functions and not of bound methods: those would keep every reader alive in a process
# without garbage collection.
_RDATA: Final[dict[bytes, tuple[int, Callable[[FastReader, bytes], bytes]]]] = {
    spelled: entry
    for mnemonic, entry in {
        b"A": (TYPE_A, _ipv4),
        b"AAAA": (TYPE_AAAA, _ipv6),
        b"NS": (TYPE_NS, _name),
        b"CNAME": (TYPE_CNAME, _name),
        b"PTR": (TYPE_PTR, _name),
        b"MX": (TYPE_MX, _mx),
        b"TXT": (TYPE_TXT, _txt),
        b"SRV": (TYPE_SRV, _srv),
    }.items()
    for spelled in (mnemonic, mnemonic.lower())
}
