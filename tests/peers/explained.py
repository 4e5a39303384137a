"""Every difference from a peer that is right, and the RFC that decides: the one table.

An entry explains one or several aspects of a difference, of one or several peers, where its
predicate holds; what no entry explains fails. Entries are narrow: they name the shape of the
difference, not the question that showed it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.peers.compare import Aspect, Difference


@dataclass(frozen=True, slots=True)
class Explained:
    """One class of differences.

    Attributes:
        id: short name for tables.
        peers: who answers so.
        aspects: what it explains of a difference.
        decides: RFC and section.
        why: who does what, and why ours is right.
        holds: tells whether a difference is of this class.
    """

    id: str
    peers: tuple[str, ...]
    aspects: frozenset[Aspect]
    decides: str
    why: str
    holds: Callable[[Difference], bool]


TABLE: tuple[Explained, ...] = ()


def explain(difference: Difference) -> tuple[list[Explained], set[Aspect]]:
    """Return the entries that explain a difference, and the aspects that none explains."""
    used = []
    left: set[Aspect] = set(difference.aspects)
    for entry in TABLE:
        if difference.peer in entry.peers and left & entry.aspects and entry.holds(difference):
            used.append(entry)
            left -= entry.aspects
    return used, left
