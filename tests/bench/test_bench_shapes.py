"""Zones of many sizes, and their versions."""

from __future__ import annotations

from bench.shapes import SHAPES, change, one_zone, renumber


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


def test_lines_of_shapes_exist(tmp_path, monkeypatch):
    """What is asked to warm up a shape is in its files."""
    monkeypatch.setattr("bench.zones.ZONES", 30)
    shape = next(shape for shape in SHAPES if shape.key == "zones")
    text = {file.origin: file.path.read_text() for file in shape.write(tmp_path)}
    for line in shape.lines():
        host, _, origin = line.removesuffix(" A").partition(".")
        assert f"\n{host} IN A " in text[origin]
