"""Lanes: questions that are alike in all but their first label, answered with the fewest steps.

A lane is found by what stands around the first label: flags, apex, type, form. It keeps what
``FastTable`` found for such questions: a template for each length of the label. Its zone is read
once; where anything is unusual, the table answers. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ocizone.fastpath.fastzone import FastZone, mark_of
from ocizone.fastpath.form import Form
from ocizone.fastpath.memo import Kept
from ocizone.fastpath.tally import Cell, cell_mark
from ocizone.fastpath.template import Wanted
from ocizone.limits import LABEL_OCTETS, NAME_OCTETS

#: How a node begins that has no flags and one RRset.
_PLAIN: Final = b"\x00\x00\x00\x01"
#: One rdata and no signature, as an RRset's head says it.
_ONE_RDATA: Final = b"\x00\x01\x00\x00"
#: Octets of an encoded node of one record up to the length of its rdata, and of an answer.
_RECORD_AT: Final = 18
_ANSWER_AT: Final = 10

#: Head, what comes behind the question, labels that must not be asked for, and what counts it.
_Denied = tuple[bytes, bytes, frozenset[bytes], Cell]
#: The same with how the answer begins: owner, type, class, TTL.
_Answered = tuple[bytes, bytes, bytes, frozenset[bytes], Cell]


#: For names with one record, by octets of the label and how the node begins.
_Answers = dict[int, dict[bytes, _Answered]]
#: Of a lane: what its keys begin with, what seeks one and reads its node, octets from the header
#: to the end of the question but for the label, octets of labels that may be of another zone,
#: answers, denials by octets of the label, and the lane.
Steps = tuple[
    bytes,
    Callable[[bytes], bool],
    Callable[[], bytes],
    int,
    frozenset[int],
    _Answers,
    dict[int, _Denied],
    "Lane",
]


class Lane:
    """Questions of one type for names right below one apex, of one form.

    Attributes:
        steps: what ``look`` needs of it.
    """

    __slots__ = (
        "_answers",
        "_denials",
        "_form",
        "_is_apart",
        "_mark",
        "_most",
        "_no_name",
        "_qtype",
        "_room",
        "_start",
        "behind",
        "keep",
        "steps",
    )

    def __init__(
        self,
        zone: FastZone,
        kind: int,
        qtype: int,
        form: Form,
        behind: int,
        room: int,
        is_apart: Callable[[bytes], bool],
        sizes_apart: frozenset[int],
        keep: Callable[[bytes, bytes, Cell], None],
    ) -> None:
        """Make it.

        Args:
            zone: of the apex.
            kind: of the questions (form and RD).
            qtype: of the questions.
            form: of what stands behind the question.
            behind: octets from the end of the first label to the end of the question.
            room: octets a reply may have.
            is_apart: tells whether a name right below the apex, given by its label, is another
                zone's or block's.
            sizes_apart: octets of the labels it may say so of.
            keep: takes some of the replies for names that exist: question, reply, what counts it.
        """
        self._denials = zone.denials if form.do else None
        self._form = form
        self._mark = mark_of(kind, 1 + len(zone.apex))
        self._most = min(LABEL_OCTETS, NAME_OCTETS - 1 - len(zone.apex))
        self._room = room
        self._is_apart = is_apart
        self._qtype = qtype
        self._start = _PLAIN + qtype.to_bytes(2)
        self._answers: _Answers = {}
        self._no_name: dict[int, _Denied] = {}
        self.keep = keep
        self.behind = 13 + behind
        prefix, find, value = zone.seeker
        self.steps: Steps = (
            *(prefix, find, value, self.behind, sizes_apart, self._answers, self._no_name, self),
        )

    def is_odd(self, label: bytes) -> bool:
        """Tell whether a label is one that keys escape, or of another zone or block."""
        return b"\x00" in label or b"\x01" in label or self._is_apart(label)

    def denied(self, packet: bytes, label: bytes, size: int) -> Kept | None:
        """Deny a name by NSEC, where that is how this lane does it."""
        if self._denials is None or not 0 < size <= self._most:
            return None
        put = self._denials.no_name(label + b"\x00", label, self._mark + size, self._form)
        if put is None or isinstance(put, Wanted):
            return None
        head, _, tail, cells, _ = put
        end = self.behind + size
        total = end + len(tail)
        cell = cells.get(cell_mark(self._qtype, total))
        if cell is None or total > self._room:
            return None
        return head + packet[12:end] + tail, cell

    def keep_answer(
        self,
        answer: bytes,
        size: int,
        head: bytes,
        tail: bytes,
        labels: frozenset[bytes],
        cell: Cell,
    ) -> None:
        """Have names answered like one that was.

        Args:
            answer: one record.
            size: octets of the label.
            head: flags and counts.
            tail: what stands behind the answer.
            labels: that must not be asked for.
            cell: what counts it.
        """
        start = answer[:_ANSWER_AT]
        rdata = (len(answer) - _ANSWER_AT).to_bytes(4)
        node = self._start + start[6:] + _ONE_RDATA + rdata
        self._answers.setdefault(size, {})[node] = (head, start, tail, labels, cell)

    def keep_no_name(
        self, size: int, head: bytes, tail: bytes, labels: frozenset[bytes], cell: Cell
    ) -> None:
        """Have names denied like one that was; see ``keep_answer``."""
        self._no_name[size] = (head, tail, labels, cell)


def look(lanes: Mapping[bytes, Steps], packets: Iterable[bytes]) -> list[Kept | None]:
    """Return the replies to queries without their ids, and what counts them; None for no answer.

    One function without calls but those that read the zone: each costs as much as three steps.

    Args:
        lanes: by what stands around the first label, without the id.
        packets: any octets.
    """
    found: list[Kept | None] = []
    steps_of, add = lanes.get, found.append
    for packet in packets:
        try:
            size = packet[12]
        except IndexError:
            add(None)
            continue
        steps = steps_of(packet[2:12] + packet[13 + size :])
        if steps is None:
            add(None)
            continue
        prefix, find, value, behind, sizes_apart, answers, no_name, lane = steps
        label = packet[13 : 13 + size].lower()
        if (size in sizes_apart or not label.isalnum()) and lane.is_odd(label):
            add(None)
            continue
        if not find(prefix + label + b"\x00"):
            denied = no_name.get(size)
            if denied is None:
                add(lane.denied(packet, label, size))
                continue
            head, tail, labels, cell = denied
            rest = head + packet[12 : behind + size] + tail
            add(None if labels and label in labels else (rest, cell))
            continue
        node = value()
        answered = answers[size].get(node[:_RECORD_AT]) if size in answers else None
        if answered is None:
            add(None)
            continue
        head, start, tail, labels, cell = answered
        if labels and label in labels:
            add(None)
            continue
        # Length and rdata stand in a node as in a message.
        parts = head, packet[12 : behind + size], start, node[_RECORD_AT:], tail
        rest = b"".join(parts)
        # One in eight is enough to find what is asked often.
        if not packet[1] & 7:
            lane.keep(packet[2:], rest, cell)
        add((rest, cell))
    return found
