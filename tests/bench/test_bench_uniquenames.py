"""Names that do not exist."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import gcd

from bench.uniquenames import CHARACTERS, CORE, MOST_BEFORE, ONE_DEEP_IN, UniqueNames

COUNT = 20_000


def test_never_repeat():
    """Not within a piece of the walk, nor between pieces."""
    unique = UniqueNames(seed=1)
    names = [*unique.take(COUNT), *unique.take(COUNT)]
    assert len(set(names)) == 2 * COUNT


def test_unique_by_their_end():
    """The last six characters alone differ, whatever stands before them."""
    ends = [name[-CORE:] for name in UniqueNames(seed=7).take(COUNT)]
    assert len(set(ends)) == COUNT
    assert not any("." in end for end in ends)


def test_walk_visits_every_core():
    """A step without a common factor comes back only after all cores."""
    assert gcd(UniqueNames._STEP, UniqueNames.CORES) == 1
    assert UniqueNames.CORES == 36**5 * 26


def test_lengths():
    """Every length from 6 to 20 has its share."""
    lengths = Counter(len(name.replace(".", "")) for name in UniqueNames(seed=2).take(COUNT))
    assert set(lengths) == set(range(CORE, CORE + MOST_BEFORE + 1))
    assert min(lengths.values()) > COUNT / len(lengths) * 0.8


def test_all_over_the_order():
    """Any first character, in random order."""
    names = UniqueNames(seed=3).take(COUNT)
    first = Counter(name[0] for name in names)
    assert set(first) == set(CHARACTERS)
    assert min(first.values()) > COUNT / len(first) * 0.8
    ascending = sum(one < other for one, other in pairwise(names))
    assert 0.45 < ascending / COUNT < 0.55


def test_some_are_two_labels_deep():
    """One in ten has a label below the unique one, none is deeper."""
    depths = Counter(name.count(".") for name in UniqueNames(seed=4).take(COUNT))
    assert set(depths) == {0, 1}
    assert 0.8 < depths[1] / COUNT * ONE_DEEP_IN < 1.1


def test_ends_with_a_letter():
    """Names of zones end with a digit."""
    assert all(name[-1].isalpha() for name in UniqueNames(seed=5).take(COUNT))


def test_seeded():
    """The same seed, the same names."""
    assert UniqueNames(seed=6).take(50) == UniqueNames(seed=6).take(50)
    assert UniqueNames(seed=6).take(50) != UniqueNames(seed=8).take(50)
