"""Denials by NSEC of names right below the apex or deeper, put together (RFC 4035 3.1.3.2).

The SOA and its signatures are alike for all names of one length and learned from ``respond``; the
NSEC that covers the name is read from its node; that of the apex denies the wildcard. Pure. Law
(tests): the reply is the reply of ``answer.respond``. Not here: NSEC3, which ``respond`` answers,
and names below others that exist.
"""

from __future__ import annotations

from typing import Final

from ocizone.fastpath.template import Denial, Put, Wanted
from ocizone.limits import FAST_GAPS, NAME_OCTETS
from ocizone.wire.codes import TYPE_NSEC
from ocizone.wire.name import ROOT, key_label, name_from_key
from ocizone.zone.node import RRSET, Flag, Node, rrsets_at
from ocizone.zone.reader import EncodedReader

_OCCLUDED: Final = int(Flag.OCCLUDED)
_ASTERISK: Final = key_label(b"*")
_NSEC_IN: Final = b"\x00\x2f\x00\x01"
_RRSIG_IN: Final = b"\x00\x2e\x00\x01"
_POINTER: Final = 0xC000
_HEADER_AND_TYPE: Final = 16
_COUNTS: Final = b"\x00\x01\x00\x00"
_ONE: Final = b"\x00\x01"


#: Owner's labels below the apex, the one right below it, the NSEC without its owner, its RRSIGs
#: without theirs.
_Gap = tuple[bytes, bytes, bytes, tuple[bytes, ...]]
#: What is put around a gap: the Denial, a pointer at the apex in the question, one at the owner
#: of the NSEC, what denies the wildcard with the OPT, and heads by number of records.
_Around = tuple[Denial, bytes, bytes, bytes, dict[int, bytes]]


class Gaps:
    """Gaps between names, of all zones of one table."""

    __slots__ = ("_gaps",)

    def __init__(self) -> None:
        self._gaps: dict[tuple[bytes, bytes], _Gap] = {}

    def get(self, key: tuple[bytes, bytes]) -> _Gap | None:
        """Return what is known of a gap, by apex and key of the name before it."""
        return self._gaps.get(key)

    def put(self, key: tuple[bytes, bytes], gap: _Gap) -> None:
        """Keep a gap; all are let go when there are too many."""
        if len(self._gaps) >= FAST_GAPS:
            self._gaps.clear()
        self._gaps[key] = gap


class Denials:
    """Denies names of one zone."""

    def __init__(self, reader: EncodedReader, apex: bytes, gaps: Gaps) -> None:
        self._find = reader.finder()
        self._value = reader.getter()
        self._apex = apex
        self._gaps = gaps
        self._templates: dict[int, Denial] = {}
        self._around: dict[int, _Around] = {}
        # What denies the wildcard at the apex: the apex itself, unless a name sorts before "*".
        # Names below the root have nothing to point at.
        before = self._find(_ASTERISK)
        self._wildcard = None if before or apex == ROOT else self._gap(b"")

    def forget(self) -> None:
        """Let every template go."""
        self._templates.clear()
        self._around.clear()

    def no_name(self, key: bytes, own: bytes, mark: int) -> Put | Wanted | None:
        """Return the reply to a question for a name whose closest encloser is the apex.

        Args:
            key: of the name.
            own: its label right below the apex.
            mark: kind of the question, and length of the name (fastzone.mark_of).
        """
        if self._wildcard is None:
            return None
        around = self._around.get(mark)
        if around is None:
            template = self._templates.get(mark)
            if template is None:
                return Wanted(self._templates, mark, b"", self._apex, own, denial=True)
            around = self._around[mark] = _around(template, self._wildcard, mark, self._apex)
        template, pointer, again, wild, heads = around
        place = self._find(key)
        if place is None or own in template.labels:
            return None
        if not place:
            return heads[0], b"", template.soa + wild, template.cells, None
        gap = self._gaps.get((self._apex, place)) or self._gap(place)
        if gap is None:
            return None
        owner, nearest, nsec, signatures = gap
        if nearest == own or nearest in template.labels:
            return None
        # The signatures' owner points at the owner before them (RFC 1035 4.1.4).
        signed = [part for signature in signatures for part in (again, signature)]
        tail = b"".join((template.soa, owner, pointer, nsec, *signed, wild))
        records = 1 + len(signatures)
        head = heads.get(records)
        if head is None:
            head = heads[records] = _more(heads[0], records)
        return head, b"", tail, template.cells, None

    def _gap(self, place: bytes) -> _Gap | None:
        """Read the gap behind a name; None where no NSEC begins it."""
        value = self._value(place)
        if value is None or value[1] & _OCCLUDED:
            return None
        parts = _nsec_of(value)
        if parts is None:
            return None
        nearest = place[: place.find(0)] if place else b""
        gap = (_owner(place, value), nearest, parts[0], tuple(parts[1:]))
        self._gaps.put((self._apex, place), gap)
        return gap


def _around(template: Denial, wildcard: _Gap, mark: int, apex: bytes) -> _Around:
    """Return what is alike in all denials for names of one length."""
    name = mark & NAME_OCTETS
    pointer = (_POINTER | 12 + name - len(apex)).to_bytes(2)
    again = (_POINTER | _HEADER_AND_TYPE + name + len(template.soa)).to_bytes(2)
    _, _, nsec, signatures = wildcard
    signed = [part for signature in signatures for part in (pointer, signature)]
    wild = b"".join((pointer, nsec, *signed, template.tail))
    records = template.records + 1 + len(signatures)
    head = template.flags + _COUNTS + records.to_bytes(2) + _ONE
    return template, pointer, again, wild, {0: head}


def _more(head: bytes, records: int) -> bytes:
    """Return a head with so many more records in authority."""
    return head[:6] + (int.from_bytes(head[6:8]) + records).to_bytes(2) + head[8:]


def _owner(key: bytes, value: bytes) -> bytes:
    """Return the labels of an owner below the apex, as it is spelled."""
    relative = name_from_key(key, b"")
    spelled = Node.decode(value).owner
    return relative if spelled is None else spelled[: len(relative)]


def _nsec_of(value: bytes) -> list[bytes] | None:
    """Return the NSEC of an encoded node and its RRSIGs, without owners; None where there is none."""
    at = rrsets_at(value)
    for _ in range(value[2] << 8 | value[3]):
        rrtype, _, rdatas, signatures, octets = RRSET.unpack_from(value, at)
        ttl = value[at + 2 : at + 6]
        at += RRSET.size
        if rrtype != TYPE_NSEC:
            at += octets
            continue
        if rdatas != 1:
            return None
        parts = []
        for number in range(1 + signatures):
            start = at
            at += 2 + (value[at] << 8 | value[at + 1])
            parts.append((_RRSIG_IN if number else _NSEC_IN) + ttl + value[start:at])
        return parts
    return None
