"""Moulds: what templates for names of any length, any answer and any form are cast from.

Behind the question and the answer's records stand the same records for all of them; what differs
are the places that pointers name, by as much as the question is longer or the answer larger, the
OPT, and a few bits of the header. So a zone is learned by three or four replies. Pure. RFC 1035
4.1.4. Not here: which replies are alike (fastpath.fastzone).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from ocizone.fastpath.form import COOKIE_OCTETS, Form
from ocizone.fastpath.template import FoundRecord, Template, labels_below, records_of
from ocizone.wire.codes import TYPE_RRSIG, TYPE_SOA

HEADER: Final = 12
#: Octets of type and class in the question.
TYPE_AND_CLASS: Final = 4
POINTER: Final = 0xC000
#: Behind it nothing can be pointed at.
_POINTABLE: Final = 0x4000
_RD: Final = 1


@dataclass(frozen=True, slots=True)
class Mould:
    """What is alike in replies.

    Attributes:
        flags: of the header, without RD.
        authorities: records there.
        additionals: the same, without the OPT.
        body: these records, without the OPT.
        start: where that was in the reply that was learned.
        behind_name: where its question's name ended.
        pointers: where pointers are in the body, and where they pointed.
        labels: that must not stand right below the base in a question.
    """

    flags: bytes
    authorities: int
    additionals: int
    body: bytes
    start: int
    behind_name: int
    pointers: tuple[tuple[int, int], ...]
    labels: frozenset[bytes]

    def cast(
        self, name_octets: int, answer: bytes, answers: int, form: Form, kind: int
    ) -> Template | None:
        """Return the template of one length, answer and form; None where pointers would not reach.

        Args:
            name_octets: of the question's name.
            answer: any one of the size meant.
            answers: how many records it has.
            form: of what stands behind the question.
            kind: of the question; its lowest bit is RD.
        """
        body = self.moved(name_octets, len(answer))
        if body is None:
            return None
        return Template(self.head(answers, 0, form, kind), body + form.opt, self.labels)

    def moved(self, name_octets: int, answer_octets: int) -> bytes | None:
        """Return the body as it stands behind such a question and answer; None if it cannot."""
        start = HEADER + name_octets + TYPE_AND_CLASS + answer_octets
        if start + len(self.body) > _POINTABLE:
            return None
        by_name = HEADER + name_octets - self.behind_name
        by_start = start - self.start
        body = bytearray(self.body)
        for place, target in self.pointers:
            moved = target + (by_name if target < self.behind_name else by_start)
            body[place : place + 2] = (POINTER | moved).to_bytes(2)
        return bytes(body)

    def head(self, answers: int, authorities: int, form: Form, kind: int) -> bytes:
        """Return flags and counts, with so many answers and so many more authorities."""
        return b"".join(
            (
                bytes((self.flags[0] | kind & _RD, self.flags[1])),
                b"\x00\x01",
                answers.to_bytes(2),
                (self.authorities + authorities).to_bytes(2),
                (self.additionals + bool(form.octets)).to_bytes(2),
            )
        )


def mould_of(
    wire: bytes, end: int, answer: int, base: bytes, own: bytes, form: Form
) -> Mould | None:
    """Return the mould of a reply; None when the next name would get another reply.

    Args:
        wire: the reply, with nothing left out of it.
        end: offset behind its question.
        answer: octets of the answer's records.
        base: the name all its questions end in, lower case: an apex or a cut.
        own: the question's label right below the base; b"" for the base itself.
        form: of the query.
    """
    bare = wire[:-COOKIE_OCTETS] if form.cookie else wire
    if not bare.endswith(form.opt) or len(bare) > _POINTABLE:
        return None
    records = list(records_of(bare, end + answer))
    if form.octets:
        # The OPT is the form's.
        records.pop()
    authorities = int.from_bytes(wire[8:10])
    additionals = int.from_bytes(wire[10:12]) - bool(form.octets)
    return _mould(bare, end, answer, base, own, records, authorities, additionals)


def soa_mould_of(wire: bytes, end: int, base: bytes, own: bytes) -> Mould | None:
    """Return the mould of a denial up to the SOA and its signatures (RFC 4035 3.1.3); else None.

    Args:
        wire: the reply.
        end: offset behind its question.
        base: the apex, lower case.
        own: as of ``mould_of``.
    """
    records = list(records_of(wire, end))
    if records[0].rrtype != TYPE_SOA:
        return None
    signatures = takewhile(lambda record: record.rrtype == TYPE_RRSIG, records[1:])
    soa = [records[0], *signatures]
    return _mould(wire, end, 0, base, own, soa, len(soa), 0)


def _mould(
    wire: bytes,
    end: int,
    answer: int,
    base: bytes,
    own: bytes,
    records: list[FoundRecord],
    authorities: int,
    additionals: int,
) -> Mould | None:
    start, behind_name = end + answer, end - TYPE_AND_CLASS
    found = labels_below(base, records)
    if own in found:
        return None
    pointers = [
        (place - start, int.from_bytes(wire[place : place + 2]) & ~POINTER)
        for record in records
        for place in record.pointers
    ]
    if any(behind_name <= target < start for _, target in pointers):
        return None
    return Mould(
        bytes((wire[2] & ~_RD, wire[3])),
        authorities,
        additionals,
        wire[start : records[-1].end if records else start],
        start,
        behind_name,
        tuple(pointers),
        found,
    )
