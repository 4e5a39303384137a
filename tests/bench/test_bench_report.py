"""Tables and the plot, from raw figures."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench import publish
from bench.report import all_ratios, markdown


def entry(*per_cpu_second: int) -> dict[str, Any]:
    return {
        "rounds": [
            {
                "round": number, "per_cpu_second": value, "user_us": 1.5, "system_us": 2.25,
                "per_second": 1000, "cpu_user_s": 0.5, "cpu_system_s": 0.25, "seconds": 1.0,
                "lost": 1, "sent": 1000,
            }
            for number, value in enumerate(per_cpu_second)
        ],
        "latency": [{"p50_us": 10, "p99_us": 20, "p999_us": 30, "lost": 0, "sent": 500, "cpu_us": 9.25}],
    }  # fmt: skip


def same(octets: int, records: int) -> dict[str, Any]:
    return {"asked": 400, "octets": octets, "records": records, "all": records == 400}


@pytest.fixture
def document() -> dict[str, Any]:
    """Two rounds of three servers, one of them slower, one absent, one with other answers."""
    return {
        "date": "2026-11-21T10:30:05+00:00",
        "command": "python -m bench",
        "machine": {"cpu": "A CPU", "cores": 2, "kernel": "6.1", "python": "3.11"},
        "versions": {"ocizone": "0.1.0", "Knot DNS": "3.2.6"},
        "remarks": {"ocizone": "with metrics"},
        "workloads": {
            "a": {
                "title": "hot mix",
                "servers": {
                    "ocizone": entry(900, 1200),
                    "Knot DNS": {**entry(1000, 1000), "same": same(364, 400)},
                    "twisted.names": {**entry(100, 100), "same": same(0, 350)},
                },
                "absent": {"NSD": "nsd is not on this machine"},
            }
        },
        "load": {
            "1k": {"title": "Loading 1,000 records", "columns": ["server", "s"], "rows": [["x", 1]]}
        },
    }


def test_ratios_of_each_round(document):
    """The median is of ratios, not of figures."""
    ours, slow = all_ratios(document)
    assert (ours.peer, ours.text()) == ("Knot DNS", "1.05 (0.90..1.20)")
    assert (slow.peer, slow.spread.median) == ("twisted.names", 10.5)


def test_nothing_to_compare_with(document):
    """Without ocizone in a workload there are no ratios, and tables all the same."""
    del document["workloads"]["a"]["servers"]["ocizone"]
    assert all_ratios(document) == []
    assert "| Knot DNS | 1,000 (1,000..1,000) |  |" in markdown(document)


def test_rows(document):
    """Each server has a row; who is missing says why; whose answers differ is marked."""
    lines = markdown(document).splitlines()
    assert (
        "| Knot DNS | 1,000 (1,000..1,000) | 1.05 (0.90..1.20) | 1.50 | 2.25 | 1,000 | 75% "
        "| 10 / 20 / 30 | 9.2 | 2 of 2,000 | 0 of 500 | 364 of 400 octet for octet, all record for record |"
    ) in lines
    assert "| NSD | nsd is not on this machine | | | | | | | | | | |" in lines
    assert any("**50 differ**" in line for line in lines)
    assert "| x | 1 |" in lines


def test_other_answers_have_no_ratio(document):
    """Who answers otherwise is timed and marked, and compared with nobody."""
    document["workloads"]["a"]["servers"]["Knot DNS"]["same"] = same(364, 399)
    lines = markdown(document).splitlines()
    assert [ratio.peer for ratio in all_ratios(document)] == ["twisted.names"]
    assert "| (a) | Knot DNS | answers differ | 1 | |" in lines
    (row,) = (line for line in lines if line.startswith("| Knot DNS | 1,000"))
    assert row.startswith("| Knot DNS | 1,000 (1,000..1,000) | answers differ | 1.50 |")
    assert row.endswith("| **1 differ** |")


def test_aims(document):
    """An aim is reached by the median."""
    lines = markdown(document).splitlines()
    assert "| (a) | Knot DNS | 1.05 (0.90..1.20) | 1 | yes |" in lines
    assert "| (a) | twisted.names | 10.50 (9.00..12.00) | 7 | yes |" in lines
    assert not any("| (b) |" in line for line in lines)


def test_files(document, tmp_path):
    """Raw figures, table and plot share a name made of date and time."""
    table = publish.write(document, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "2026-11-21-1030.json", "2026-11-21-1030.md", "2026-11-21-1030.svg",
    ]  # fmt: skip
    assert json.loads((tmp_path / "2026-11-21-1030.json").read_text()) == document
    assert "(2026-11-21-1030.svg)" in table.read_text()


def test_plot(document, tmp_path):
    """It is XML with a bar for each ratio, right of the line of 1 where ocizone is ahead."""
    publish.write(document, tmp_path)
    tree = ET.parse(tmp_path / "2026-11-21-1030.svg")
    space = "{http://www.w3.org/2000/svg}"
    bars = [rect for rect in tree.iter(f"{space}rect") if rect.get("x")]
    texts = [text.text for text in tree.iter(f"{space}text")]
    assert len(bars) == 2
    assert bars[0].get("x") == bars[1].get("x")
    assert float(bars[0].attrib["width"]) < float(bars[1].attrib["width"])
    assert {"Knot DNS", "1.05", "twisted.names", "10.50"} <= set(texts)


def test_between_markers():
    """Only what is between the markers is replaced."""
    page = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    found = publish.inserted(page, "new\n")
    assert found == "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n"


@pytest.mark.parametrize("page", ["none", "<!-- bench --> no end", "<!-- /bench -->"])
def test_without_markers(page):
    """A page without both is not written to."""
    with pytest.raises(ValueError, match="no <!-- bench -->"):
        publish.inserted(page, "new")


def test_document_has_markers():
    """The page of the repository can be written to."""
    assert publish.inserted(publish.DOCUMENT.read_text(), "x\n")
