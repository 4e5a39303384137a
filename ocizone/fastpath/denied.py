"""Denials by NSEC of names right below the apex or deeper, put together (RFC 4035 3.1.3.2).

The SOA and its signatures are cast from a mould; the NSEC that covers the name is read from its
node; that of the apex denies the wildcard. Pure. Law
(tests): the reply is the reply of ``answer.respond``. Not here: NSEC3, which ``respond`` answers,
and names below others that exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ocizone.fastpath.form import Form
from ocizone.fastpath.mould import HEADER, POINTER, TYPE_AND_CLASS, Mould
from ocizone.fastpath.tally import Cell
from ocizone.fastpath.template import Put, Wanted, last_label
from ocizone.limits import FAST_GAPS, NAME_OCTETS
from ocizone.wire.codes import TYPE_NSEC
from ocizone.wire.name import ROOT, key_label, name_from_key
from ocizone.zone.node import RRSET, Flag, Node, rrsets_at
from ocizone.zone.reader import EncodedReader

_OCCLUDED: Final = int(Flag.OCCLUDED)
_ASTERISK: Final = key_label(b"*")
_NSEC_IN: Final = b"\x00\x2f\x00\x01"
_RRSIG_IN: Final = b"\x00\x2e\x00\x01"


#: Owner's labels below the apex, the one right below it, the NSEC without its owner, its RRSIGs
#: without theirs.
_Gap = tuple[bytes, bytes, bytes, tuple[bytes, ...]]
#: What is put around a gap for names of one length and kind: the SOA with its signatures, a pointer
#: at the apex in the question, one at the owner of the NSEC, what denies the wildcard with the OPT,
#: heads by number of records, and what counts the replies.
_Around = tuple[bytes, bytes, bytes, bytes, dict[int, bytes], dict[int, Cell]]


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

    def __init__(
        self, reader: EncodedReader, apex: bytes, gaps: Gaps, on_cast: Callable[[], None]
    ) -> None:
        """Make it; ``on_cast`` is as of FastZone."""
        self._find = reader.finder()
        self._value = reader.getter()
        self._apex = apex
        self._gaps = gaps
        self._on_cast = on_cast
        #: One at most.
        self._moulds: dict[bytes, Mould] = {}
        self._around: dict[int, _Around] = {}
        # What denies the wildcard at the apex: the apex itself, unless a name sorts before "*".
        # Names below the root have nothing to point at.
        before = self._find(_ASTERISK)
        self._wildcard = None if before or apex == ROOT else self._gap(b"")

    def forget_casts(self) -> None:
        """Let everything go that is cast."""
        self._around.clear()

    def forget(self) -> None:
        """Let everything go that was learned."""
        self._moulds.clear()
        self._around.clear()

    def no_name(self, key: bytes, own: bytes, mark: int, form: Form) -> Put | Wanted | None:
        """Return the reply to a question for a name whose closest encloser is the apex.

        Args:
            key: of the name.
            own: its label right below the apex.
            mark: kind of the question, and length of the name (fastzone.mark_of).
            form: of what stands behind the question.
        """
        if self._wildcard is None:
            return None
        mould = self._moulds.get(self._apex)
        if mould is None:
            return Wanted(self._moulds, self._apex, b"", self._apex, own, is_denial=True)
        around = self._around.get(mark)
        if around is None:
            around = _around(mould, self._wildcard, mark, self._apex, form)
            if around is None:
                return None
            self._on_cast()
            self._around[mark] = around
        soa, pointer, again, wild, heads, cells = around
        place = self._find(key)
        if place is None or own in mould.labels:
            return None
        if not place:
            return heads[0], b"", soa + wild, cells, None
        gap = self._gaps.get((self._apex, place)) or self._gap(place)
        if gap is None:
            return None
        owner, nearest, nsec, signatures = gap
        if nearest == own or nearest in mould.labels:
            return None
        # The signatures' owner points at the owner before them (RFC 1035 4.1.4).
        signed = [part for signature in signatures for part in (again, signature)]
        tail = b"".join((soa, owner, pointer, nsec, *signed, wild))
        records = 1 + len(signatures)
        head = heads.get(records)
        if head is None:
            head = heads[records] = _more(heads[0], records)
        return head, b"", tail, cells, None

    def _gap(self, place: bytes) -> _Gap | None:
        """Read the gap behind a name; None where no NSEC begins it."""
        value = self._value(place)
        if value is None or value[1] & _OCCLUDED:
            return None
        parts = _nsec_of(value)
        if parts is None:
            return None
        owner = _owner(place, value)
        # As it is spelled, and not as in keys, which escape two octets.
        gap = (owner, last_label(owner).lower(), parts[0], tuple(parts[1:]))
        self._gaps.put((self._apex, place), gap)
        return gap


def _around(mould: Mould, wildcard: _Gap, mark: int, apex: bytes, form: Form) -> _Around | None:
    """Return what is alike in all denials for names of one length and kind."""
    name = mark & NAME_OCTETS
    soa = mould.moved(name, 0)
    if soa is None:
        return None
    pointer = (POINTER | HEADER + name - len(apex)).to_bytes(2)
    again = (POINTER | HEADER + name + TYPE_AND_CLASS + len(soa)).to_bytes(2)
    _, _, nsec, signatures = wildcard
    signed = [part for signature in signatures for part in (pointer, signature)]
    wild = b"".join((pointer, nsec, *signed, form.opt))
    head = mould.head(0, 1 + len(signatures), form, mark >> 8)
    return soa, pointer, again, wild, {0: head}, {}


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
