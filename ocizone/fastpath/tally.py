"""Counts of fast replies: one number for each combination of labels and sizes, summed when read.

A reply costs one addition. Not here: what the metrics are called (observe.counters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ocizone.limits import FAST_CELLS

#: How often one combination was answered; a list, for it is counted in place.
Cell = list[int]
#: Stands for every type once there are too many combinations.
OTHER_TYPE: Final = -1


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
    """The cells of one table."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[Labels, Cell] = {}

    def of(self, labels: Labels) -> Cell | None:
        """Return the cell of these labels; None when there are too many and it is not among them.

        There are ever at most FAST_CELLS of named types; the ones of OTHER_TYPE are bounded by
        the templates, which have one each.
        """
        cell = self._cells.get(labels)
        if cell is None:
            if len(self._cells) >= FAST_CELLS and labels.qtype != OTHER_TYPE:
                return None
            cell = self._cells[labels] = [0]
        return cell

    def take(self) -> list[tuple[Labels, int]]:
        """Return what was counted since the last time."""
        found = [(labels, cell[0]) for labels, cell in self._cells.items() if cell[0]]
        for cell in self._cells.values():
            cell[0] = 0
        return found
