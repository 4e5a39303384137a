"""Query files."""

from __future__ import annotations

from collections import Counter

from bench.uniquenames import UniqueNames
from bench.workloads import WORKLOADS, query_lines
from bench.zones import hot_lines

HOT, FLOODED = WORKLOADS[0], WORKLOADS[1]


def test_share_of_missing_names():
    """Eight in a hundred, spread, and all others exist."""
    lines = query_lines(HOT, 1_000, UniqueNames(seed=3), seed=4)
    existing = set(hot_lines())
    missing = [line for line in lines if line not in existing]
    assert len(missing) == len(set(missing)) == 80
    assert len([line for line in lines[:500] if line not in existing]) > 20


def test_seeded():
    """The same seed, the same file; another, another."""
    one, two, other = (query_lines(FLOODED, 100, UniqueNames(seed=3), seed) for seed in (4, 4, 5))
    assert one == two != other


def test_hot_mix():
    """2,000 names, mostly A."""
    kinds = Counter(line.split()[1] for line in hot_lines())
    assert kinds.total() == 2_000
    assert kinds["A"] > 1_200
    assert set(kinds) == {"A", "AAAA", "MX", "TXT", "NS", "SOA"}
