"""Lanes: questions that are alike in all but their first label, answered with the fewest steps.

A lane is found by what stands around the first label: flags, apex, type, form. It keeps what
``FastTable`` found for such questions: a template for each length of the label. Its zone is read
once; where anything is unusual, the table answers. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ocizone.fastpath.fastzone import FastZone, mark_of
from ocizone.fastpath.tally import Cell, cell_mark
from ocizone.fastpath.template import Wanted
from ocizone.limits import FAST_LANE_TTLS, LABEL_OCTETS

#: How a node begins that has no flags and one RRset.
_PLAIN: Final = b"\x00\x00\x00\x01"
#: One rdata and no signature, as an RRset's head says it.
_ONE_RDATA: Final = b"\x00\x01\x00\x00"
#: Octets of an encoded node of one record, more than those of the record behind its owner and
#: fixed part: so many more has the node than the answer.
_MORE_OCTETS: Final = 8
#: Octets of a node up to the one that say how many its rdata takes, and up to the rdata's length.
_START_OCTETS: Final = 14
_RECORD_AT: Final = 18

#: Head, what comes behind the answer, labels that must not be asked for, and what counts it.
Kept = tuple[bytes, bytes, frozenset[bytes], Cell]


class Lane:
    """Questions of one type for names right below one apex, of one form.

    Attributes:
        no_name: for names that do not exist, by octets of the label.
        answers: for names with one record, by octets of the label and of the node.
    """

    __slots__ = (
        *("_behind", "_denials", "_find", "_is_apart", "_mark", "_plain", "_prefix", "_room"),
        *("_qtype", "_sizes_apart", "_starts", "_value", "answers", "no_name"),
    )

    def __init__(
        self,
        zone: FastZone,
        kind: int,
        qtype: int,
        do_denials: bool,  # noqa: FBT001 - made in one place
        behind: int,
        room: int,
        is_apart: Callable[[bytes], bool],
        sizes_apart: frozenset[int],
    ) -> None:
        """Make it.

        Args:
            zone: of the apex.
            kind: of the questions (form and RD).
            qtype: of the questions.
            do_denials: names that do not exist are denied by NSEC.
            behind: octets from the end of the first label to the end of the question.
            room: octets a reply may have.
            is_apart: tells whether a name right below the apex, given by its label, is another
                zone's or block's.
            sizes_apart: octets of the labels it may say so of.
        """
        self._prefix, self._find, self._value = zone.seeker
        self._denials = zone.denials if do_denials else None
        self._mark = mark_of(kind, 1 + len(zone.apex))
        self._behind = 13 + behind
        self._room = room
        self._is_apart = is_apart
        self._sizes_apart = sizes_apart
        self._qtype = qtype
        self._plain = _PLAIN + qtype.to_bytes(2)
        #: By how a node of one record begins, how its answer does: owner, type, class, TTL.
        self._starts: dict[bytes, bytes] = {}
        self.no_name: list[Kept | None] = [None] * (LABEL_OCTETS + 1)
        self.answers: dict[int, Kept] = {}

    def look(self, packet: bytes, size: int) -> tuple[bytes, Cell, bool] | None:
        """Return a reply without its id, what counts it, and whether the name exists.

        Args:
            packet: the query.
            size: octets of its first label, 1 to 63.
        """
        label = packet[13 : 13 + size].lower()
        if not label.isalnum() and (b"\x00" in label or b"\x01" in label):
            return None
        if size in self._sizes_apart and self._is_apart(label):
            return None
        if not self._find(self._prefix + label + b"\x00"):
            kept = self.no_name[size]
            if kept is None:
                return self._denied(packet, label, size)
            head, tail, labels, cell = kept
            if label in labels:
                return None
            return head + packet[12 : self._behind + size] + tail, cell, False
        value = self._value()
        start = self._starts.get(value[:_START_OCTETS])
        if start is None:
            return None
        kept = self.answers.get(size << 16 | len(value))
        if kept is None:
            return None
        head, tail, labels, cell = kept
        if label in labels:
            return None
        # Length and rdata stand in a node as in a message.
        parts = head, packet[12 : self._behind + size], start, value[_RECORD_AT:], tail
        return b"".join(parts), cell, True

    def _denied(self, packet: bytes, label: bytes, size: int) -> tuple[bytes, Cell, bool] | None:
        """Deny a name by NSEC, where that is how this lane does it."""
        if self._denials is None:
            return None
        put = self._denials.no_name(label + b"\x00", label, self._mark + size)
        if put is None or isinstance(put, Wanted):
            return None
        head, _, tail, cells, _ = put
        end = self._behind + size
        total = end + len(tail)
        cell = cells.get(cell_mark(self._qtype, total))
        if cell is None or total > self._room:
            return None
        return head + packet[12:end] + tail, cell, False

    def keep_answer(self, size: int, answer: bytes, kept: Kept) -> None:
        """Have names answered like one that was.

        Args:
            size: octets of its label.
            answer: one record, in octets.
            kept: what stands around it.
        """
        if len(self._starts) < FAST_LANE_TTLS:
            self._starts[self._plain + answer[6:10] + _ONE_RDATA] = answer[:10]
        self.answers[size << 16 | len(answer) + _MORE_OCTETS] = kept
