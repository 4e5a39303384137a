"""Zones and query files."""

from __future__ import annotations

from collections import Counter

import dns.zone

from bench.shapes import SHAPES, change, many_zones, one_zone, renumber
from bench.workloads import ORIGIN, WORKLOADS, UniqueNames, hot_lines, hot_zone, query_lines

HOT, FLOODED = WORKLOADS[0], WORKLOADS[1]


def test_unique_names_never_repeat():
    """Not within a run, nor between runs, nor with neighbours alike."""
    unique = UniqueNames(seed=1)
    names = [*unique.take(5_000), *unique.take(5_000)]
    assert len(set(names)) == 10_000
    assert names != sorted(names)


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


def test_every_hot_line_has_an_answer(tmp_path):
    """The zone holds what is asked for as existing."""
    file = hot_zone(tmp_path)
    zone = dns.zone.from_file(str(file.path), relativize=False)
    for line in hot_lines():
        name, kind = line.split()
        assert zone.get_rdataset(name, kind), line


def test_change_is_of_one_record(tmp_path):
    """Serial and version differ, nothing else; renumbering changes every address."""
    (zone,) = one_zone(50)(tmp_path)
    before = zone.path.read_text().splitlines()
    change(zone, 2)
    after = zone.path.read_text().splitlines()
    assert len(before) == len(after)
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        (before[2], before[2].replace("hostmaster 1 ", "hostmaster 2 ")),
        ('version IN TXT "1"', 'version IN TXT "2"'),
    ]
    renumber(zone, 3)
    last = zone.path.read_text().splitlines()
    assert sum(one != other for one, other in zip(after, last, strict=True)) == 52


def test_many_zones(tmp_path, monkeypatch):
    """Each has twenty records and an origin of its own."""
    monkeypatch.setattr("bench.shapes.ZONES", 3)
    files = many_zones(tmp_path)
    assert [file.origin for file in files] == [f"z0000{n}.{ORIGIN}" for n in range(3)]
    for file in files:
        zone = dns.zone.from_file(str(file.path), relativize=False)
        assert str(zone.origin) == file.origin
        assert sum(1 for _ in zone.iterate_rdatas()) == 20


def test_lines_of_shapes_exist(tmp_path, monkeypatch):
    """What is asked to warm up a shape is in its files."""
    monkeypatch.setattr("bench.shapes.ZONES", 30)
    shape = next(shape for shape in SHAPES if shape.key == "zones")
    text = {file.origin: file.path.read_text() for file in shape.write(tmp_path)}
    for line in shape.lines():
        host, _, origin = line.removesuffix(" A").partition(".")
        assert f"\n{host} IN A " in text[origin]
