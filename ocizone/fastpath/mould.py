"""Moulds: what templates for names of any length, any answer and any form are cast from.

Behind the question and the answer's records stand the same records for all of them; what differs
are the places that pointers name, by as much as the question is longer or the answer larger, the
OPT, and a few bits of the header. So a zone is learned by three or four replies. Pure. RFC 1035
4.1.4. Not here: which replies are alike (fastpath.fastzone).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ocizone.fastpath.form import COOKIE_OCTETS, Form
from ocizone.fastpath.template import Template, labels_below, records_of

_HEADER: Final = 12
#: Octets of type and class in the question.
_TYPE_AND_CLASS: Final = 4
_POINTER: Final = 0xC000
#: Behind it nothing can be pointed at.
_POINTABLE: Final = 0x4000
_RD: Final = 1


@dataclass(frozen=True, slots=True)
class Mould:
    """What is alike in replies.

    Attributes:
        flags: of the header, without RD.
        authorities: records there, as the header says.
        additionals: the same, without the OPT.
        body: what stands behind the answer, without the OPT.
        start: where that was in the reply that was learned.
        behind_name: where its question's name ended.
        pointers: where pointers are in the body, and where they pointed.
        labels: that must not stand right below the base in a question.
    """

    flags: bytes
    authorities: bytes
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
        start = _HEADER + name_octets + _TYPE_AND_CLASS + len(answer)
        if start + len(self.body) > _POINTABLE:
            return None
        by_name = _HEADER + name_octets - self.behind_name
        by_start = start - self.start
        body = bytearray(self.body)
        for place, target in self.pointers:
            moved = target + (by_name if target < self.behind_name else by_start)
            body[place : place + 2] = (_POINTER | moved).to_bytes(2)
        tail = bytes(body) + form.opt
        additionals = self.additionals + bool(form.octets)
        head = b"".join(
            (
                bytes((self.flags[0] | kind & _RD, self.flags[1])),
                b"\x00\x01",
                answers.to_bytes(2),
                self.authorities,
                additionals.to_bytes(2),
            )
        )
        return Template(head, tail, self.labels)


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
    start, behind_name = end + answer, end - _TYPE_AND_CLASS
    records = list(records_of(bare, start))
    found = labels_below(base, records)
    if own in found:
        return None
    pointers = [
        (place - start, int.from_bytes(bare[place : place + 2]) & ~_POINTER)
        for record in records
        for place in record.pointers
    ]
    if any(behind_name <= target < start for _, target in pointers):
        return None
    return Mould(
        bytes((wire[2] & ~_RD, wire[3])),
        wire[8:10],
        int.from_bytes(wire[10:12]) - bool(form.octets),
        bare[start : len(bare) - len(form.opt)],
        start,
        behind_name,
        tuple(pointers),
        found,
    )
