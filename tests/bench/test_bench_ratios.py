"""Medians, ratios within rounds, and whose turn it is."""

from __future__ import annotations

import pytest

from bench.ratios import Spread, ratios, rotated


def test_spread():
    """The median of an even number lies between the middle two."""
    assert Spread.of([4.0, 1.0, 2.0, 9.0]) == Spread(3.0, 1.0, 9.0, 4)


def test_ratios_are_of_one_round():
    """Rounds in which one of the two was not measured do not count."""
    assert ratios([10.0, None, 9.0, 8.0], [5.0, 5.0, 3.0, None]) == [2.0, 3.0]


def test_rounds_must_match():
    """Figures of different rounds are not compared."""
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_everybody_begins_once():
    """In as many rounds as there are servers each has been first or last."""
    names = ["a", "b", "c", "d"]
    orders = [rotated(names, number) for number in range(4)]
    assert orders == [list("abcd"), list("adcb"), list("cdab"), list("cbad")]
    assert all(sorted(order) == names for order in orders)
