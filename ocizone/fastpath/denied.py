"""Denials by NSEC of names right below the apex or deeper, put together (RFC 4035 3.1.3.2).

The SOA and its signatures are alike for all names of one length and learned from ``respond``; the
NSEC that covers the name is read from its node; that of the apex denies the wildcard. Pure. Law
(tests): the reply is the reply of ``answer.respond``. Not here: NSEC3, which ``respond`` answers,
and names below others that exist.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ocizone.fastpath.template import Denial, Put, Wanted
from ocizone.wire.codes import TYPE_NSEC
from ocizone.wire.name import key_label, name_from_key
from ocizone.zone.node import Flag
from ocizone.zone.reader import EncodedReader

_OCCLUDED: Final = int(Flag.OCCLUDED)
_MIXED_CASE: Final = int(Flag.MIXED_CASE)
_RRSET: Final = struct.Struct("!HIHHI")
_ASTERISK: Final = key_label(b"*")
_NSEC_IN: Final = b"\x00\x2f\x00\x01"
_RRSIG_IN: Final = b"\x00\x2e\x00\x01"
_POINTER: Final = 0xC000
_HEADER_AND_TYPE: Final = 16
_COUNTS: Final = b"\x00\x01\x00\x00"
_ONE: Final = b"\x00\x01"


@dataclass(frozen=True, slots=True)
class _Nsec:
    """The NSEC of a node.

    Attributes:
        record: TTL, length and rdata.
        signatures: the same of its RRSIGs, each.
    """

    record: bytes
    signatures: tuple[bytes, ...]


class Denials:
    """Denies names of one zone."""

    def __init__(self, reader: EncodedReader, apex: bytes) -> None:
        self._before = reader.value_before
        self._apex = apex
        self._templates: dict[int, Denial] = {}
        # What denies the wildcard at the apex: the apex itself, unless a name sorts before "*".
        last = reader.value_before(_ASTERISK)
        self._wildcard = None if last is None or last[0] else _nsec_of(last[1])

    def forget(self) -> None:
        """Let every template go."""
        self._templates.clear()

    def no_name(self, name: bytes, key: bytes, own: bytes, mark: int) -> Put | Wanted | None:
        """Return the reply to a question for a name whose closest encloser is the apex.

        Args:
            name: lower case.
            key: of it.
            own: its label right below the apex.
            mark: kind of the question, and length of the name.
        """
        apex = self._wildcard
        if apex is None:
            return None
        template = self._templates.get(mark)
        if template is None:
            return Wanted(self._templates, mark, b"", self._apex, own, denial=True)
        before = self._before(key)
        if before is None or own in template.labels:
            return None
        place, value = before
        pointer = (_POINTER | 12 + len(name) - len(self._apex)).to_bytes(2)
        parts = [template.soa]
        records = template.records
        if place:
            nsec = None if value[1] & _OCCLUDED else _nsec_of(value)
            if nsec is None:
                return None
            nearest = place[: place.index(0)]
            if nearest == own or nearest in template.labels:
                return None
            owner = _owner(place, value) + pointer
            # The signatures' owner points at the owner before them (RFC 1035 4.1.4).
            again = (_POINTER | _HEADER_AND_TYPE + len(name) + len(template.soa)).to_bytes(2)
            parts += (owner, _NSEC_IN, nsec.record)
            for signature in nsec.signatures:
                parts += (again, _RRSIG_IN, signature)
            records += 1 + len(nsec.signatures)
        parts += (pointer, _NSEC_IN, apex.record)
        for signature in apex.signatures:
            parts += (pointer, _RRSIG_IN, signature)
        records += 1 + len(apex.signatures)
        parts.append(template.tail)
        head = template.flags + _COUNTS + records.to_bytes(2) + _ONE
        return head, b"", b"".join(parts), template.cells, template.labels, place


def _owner(key: bytes, value: bytes) -> bytes:
    """Return the labels of an owner below the apex, as it is spelled."""
    relative = name_from_key(key, b"")
    if value[1] & _MIXED_CASE:
        return value[5 : 5 + len(relative)]
    return relative


def _nsec_of(value: bytes) -> _Nsec | None:
    """Return the NSEC of an encoded node; None where there is none."""
    at = 4
    if value[1] & _MIXED_CASE:
        at += 1 + value[at]
    for _ in range(value[2] << 8 | value[3]):
        rrtype, _, rdatas, signatures, octets = _RRSET.unpack_from(value, at)
        ttl = value[at + 2 : at + 6]
        at += _RRSET.size
        if rrtype != TYPE_NSEC:
            at += octets
            continue
        if rdatas != 1:
            return None
        parts = []
        for _ in range(1 + signatures):
            start = at
            at += 2 + (value[at] << 8 | value[at + 1])
            parts.append(ttl + value[start:at])
        return _Nsec(parts[0], tuple(parts[1:]))
    return None
