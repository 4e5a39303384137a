"""Medians of rounds, and ratios of servers that took part in the same round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with what it was taken from."""

    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))


def ratios(ours: Sequence[float | None], theirs: Sequence[float | None]) -> list[float]:
    """Return ours over theirs of each round in which both were measured."""
    return [
        one / other for one, other in zip(ours, theirs, strict=True) if one is not None and other
    ]


def rotated(names: Sequence[str], number: int) -> list[str]:
    """Return the order of a round: each begins where the one before had its second.

    Every other round runs backwards, so that nobody always follows the same neighbour.
    """
    start = number % len(names)
    order = [*names[start:], *names[:start]]
    return order[::-1] if number % 2 else order
