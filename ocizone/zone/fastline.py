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
# Targets repeat; more of them than this are cheaper made again than kept.
_NAMES_KEPT: Final = 50_000


class FastLine(NamedTuple):
    """What a line says; None where it leaves a field out."""

    owner: bytes | None
    ttl: int | None
    rrtype: int
    rdata: bytes


class _NotFastError(Exception):
    """The line needs the complete reader."""


class FastReader:
    """Reads common lines relative to one origin; make another when the origin changes."""

    def __init__(self, origin: bytes) -> None:
        self._origin = origin
        self._names: dict[bytes, bytes] = {b"@": origin}
        self._rdata: dict[bytes, tuple[int, Callable[[bytes], bytes]]] = {}
        for mnemonic, number, read in (
            (b"A", TYPE_A, _ipv4),
            (b"AAAA", TYPE_AAAA, _ipv6),
            (b"NS", TYPE_NS, self._target),
            (b"CNAME", TYPE_CNAME, self._target),
            (b"PTR", TYPE_PTR, self._target),
            (b"MX", TYPE_MX, self._mx),
            (b"TXT", TYPE_TXT, _txt),
            (b"SRV", TYPE_SRV, self._srv),
        ):
            self._rdata[mnemonic] = self._rdata[mnemonic.lower()] = (number, read)

    def read(self, line: bytes) -> FastLine | None:
        """Return what the line says, or None when it is for the complete reader."""
        found = _LINE.fullmatch(line)
        if found is None or len(line) > FAST_LINE_OCTETS:
            return None
        owner, ttl, ttl_after_class, mnemonic, rest = found.groups()
        entry = self._rdata.get(mnemonic)
        if entry is None or (ttl is not None and ttl_after_class is not None):
            return None
        rrtype, read = entry
        seconds = ttl or ttl_after_class
        try:
            return FastLine(
                None if owner is None else self._name(owner),
                None if seconds is None else _ttl(seconds),
                rrtype,
                read(rest),
            )
        except _NotFastError:
            return None

    def _name(self, token: bytes) -> bytes:
        wire = self._names.get(token)
        if wire is None:
            wire = _wire_name(token, self._origin)
            if len(self._names) >= _NAMES_KEPT:
                self._names = {b"@": self._origin}
            self._names[token] = wire
        return wire

    def _target(self, rest: bytes) -> bytes:
        return self._target_token(_tokens(rest, 1)[0])

    def _target_token(self, token: bytes) -> bytes:
        wire = self._names.get(token)
        if wire is not None:
            return wire
        if token.translate(None, _NAME_CHARACTERS):
            raise _NotFastError
        return self._name(token)

    def _mx(self, rest: bytes) -> bytes:
        preference, exchange = _tokens(rest, 2)
        return _u16(preference) + self._target_token(exchange)

    def _srv(self, rest: bytes) -> bytes:
        priority, weight, port, target = _tokens(rest, 4)
        return _u16(priority) + _u16(weight) + _u16(port) + self._target_token(target)


def _tokens(rest: bytes, count: int) -> list[bytes]:
    tokens = rest.split()
    if len(tokens) != count or rest[0] == 0x22:
        raise _NotFastError
    return tokens


def _wire_name(token: bytes, origin: bytes) -> bytes:
    if token == b".":
        return ROOT
    absolute = token.endswith(b".")
    parts = (token[:-1] if absolute else token).split(b".")
    try:
        wire = b"".join([_LABEL_LENGTH[len(part)] + part for part in parts])
    except IndexError:
        raise _NotFastError from None
    wire += ROOT if absolute else origin
    if len(wire) > NAME_OCTETS or b"" in parts:
        raise _NotFastError
    return wire


def _ttl(token: bytes) -> int:
    seconds = int(token)
    if seconds > TTL_SECONDS:
        raise _NotFastError
    return seconds


def _u16(token: bytes) -> bytes:
    if not token.isdigit() or len(token) > 5:
        raise _NotFastError
    try:
        return int(token).to_bytes(2, "big")
    except OverflowError:
        raise _NotFastError from None


def _ipv4(rest: bytes) -> bytes:
    try:
        a, b, c, d = _tokens(rest, 1)[0].split(b".")
        return _OCTET[a] + _OCTET[b] + _OCTET[c] + _OCTET[d]
    except (KeyError, ValueError):
        raise _NotFastError from None


def _ipv6(rest: bytes) -> bytes:
    token = _tokens(rest, 1)[0]
    if _IPV6.fullmatch(token) is None:
        raise _NotFastError
    head, gap, tail = token.partition(b"::")
    front = _groups(head)
    if not gap:
        if len(front) != 16:
            raise _NotFastError
        return front
    back = _groups(tail)
    missing = 16 - len(front) - len(back)
    # "::" stands for at least one group (RFC 4291 2.2); BIND and we take one or more.
    if missing < 2:
        raise _NotFastError
    return front + bytes(missing) + back


def _groups(text: bytes) -> bytes:
    if not text:
        return b""
    groups = text.split(b":")
    if any(len(group) > 4 for group in groups):
        raise _NotFastError
    try:
        return b"".join([int(group, 16).to_bytes(2, "big") for group in groups])
    except (ValueError, OverflowError):
        raise _NotFastError from None


def _txt(rest: bytes) -> bytes:
    strings = _QUOTED.findall(rest) if rest[0] == 0x22 else rest.split()
    try:
        return b"".join([bytes([len(string)]) + string for string in strings])
    except ValueError:
        raise _NotFastError from None
