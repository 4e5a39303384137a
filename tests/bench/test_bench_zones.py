"""What zones hold and what is asked of them."""

from __future__ import annotations

from collections import Counter

import dns.zone
import pytest

from bench import zones
from bench.uniquenames import CHARACTERS
from bench.workloads import WORKLOADS
from bench.zones import ORIGIN, hot_lines, hot_zone, many_lines, many_zones, signed_label


def test_every_hot_line_has_an_answer(tmp_path):
    """The zone holds what is asked for as existing."""
    (file,) = hot_zone(tmp_path)
    zone = dns.zone.from_file(str(file.path), relativize=False)
    for line in hot_lines():
        name, kind = line.split()
        assert zone.get_rdataset(name, kind), line


def test_many_zones(tmp_path, monkeypatch):
    """Each has twenty records and an origin of its own; all of its addresses are asked for."""
    monkeypatch.setattr(zones, "ZONES", 3)
    files = many_zones(tmp_path)
    assert [file.origin for file in files] == [f"z0000{n}.{ORIGIN}" for n in range(3)]
    asked = Counter(many_lines())
    for file in files:
        zone = dns.zone.from_file(str(file.path), relativize=False)
        assert str(zone.origin) == file.origin
        assert sum(1 for _ in zone.iterate_rdatas()) == 20
        for name, _, _ in zone.iterate_rdatas("A"):
            assert asked.pop(f"{name} A") == 1
    assert not asked


def test_signed_names():
    """They differ, in length too, and begin with any character, so that gaps are everywhere."""
    labels = [signed_label(number) for number in range(zones.SIGNED_NAMES)]
    assert len(set(labels)) == zones.SIGNED_NAMES
    assert {len(label) for label in labels} == set(range(6, 18))
    first = Counter(label[0] for label in labels)
    assert set(first) == set(CHARACTERS)
    assert max(first.values()) < 2 * zones.SIGNED_NAMES / len(first)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.key)
def test_existing_names_end_with_a_digit(workload, monkeypatch):
    """So that no unique name, which ends with a letter, exists."""
    monkeypatch.setattr(zones, "LARGE_NAMES", 2_000)
    for line in workload.existing():
        below = line.split()[0].removesuffix(ORIGIN).rstrip(".")
        assert all(label[-1].isdigit() for label in below.split(".") if below), line
