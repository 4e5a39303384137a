"""Counts of fast replies: one number for each combination of labels and sizes, summed when read.

A reply costs one addition. Not here: what the metrics are called (observe.counters).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ocizone.limits import FAST_CELLS
from ocizone.wire.codes import COMMON_TYPES

#: How often one combination was answered; a list, for it is counted in place.
Cell = list[int]
#: Stands for every type once there are too many combinations.
OTHER_TYPE: Final = -1


def cell_mark(qtype: int, octets: int) -> int:
    """Return what a template keeps its cells by: type of a question, and octets of the reply."""
    return (qtype if qtype in COMMON_TYPES else 0) << 16 | octets


@dataclass(frozen=True, slots=True)
class Labels:
    """What the replies counted in one cell have in common.

    Attributes:
        zone: apex, lower-case wire name.
        qtype: of the question; OTHER_TYPE for any.
        rcode: of the reply.
        dnssec_ok: the question had DO.
        request_octets: of the whole query.
        response_octets: of the whole reply.
    """

    zone: bytes
    qtype: int
    rcode: int
    dnssec_ok: bool
    request_octets: int
    response_octets: int


class Cells:
    """The cells of one table: FAST_CELLS, and one a zone and rcode for all that come later."""

    __slots__ = ("_cells", "_others")

    def __init__(self) -> None:
        self._cells: dict[Labels, Cell] = {}
        self._others: dict[tuple[bytes, int], tuple[Labels, Cell]] = {}

    def of(self, labels: Labels) -> Cell:
        """Return the cell of these labels, or of any type when there are too many.

        What is counted there counts as large as the first of its kind.
        """
        if labels.qtype not in COMMON_TYPES:
            labels = replace(labels, qtype=OTHER_TYPE)
        cell = self._cells.get(labels)
        if cell is None:
            if len(self._cells) >= FAST_CELLS:
                key = labels.zone, labels.rcode
                first = replace(labels, qtype=OTHER_TYPE)
                return self._others.setdefault(key, (first, [0]))[1]
            cell = self._cells[labels] = [0]
        return cell

    def take(self) -> list[tuple[Labels, int]]:
        """Return what was counted since the last time."""
        every = [*self._cells.items(), *self._others.values()]
        found = [(labels, cell[0]) for labels, cell in every if cell[0]]
        for _, cell in every:
            cell[0] = 0
        return found
