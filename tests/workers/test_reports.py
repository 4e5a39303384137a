"""What workers say comes out as it went in; what makes no sense is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone import limits
from ocizone.observe.counters import Counters
from ocizone.workers.reports import Counted, Refuses, Serves, octets_of, pieces_of, read


def told(counters: Counters) -> list[Any]:
    """Return everything that was counted, comparable."""
    tallies = [
        (key, [getattr(tally, name) for name in tally.__slots__])
        for key, tally in sorted(counters.tallies(), key=lambda item: item[0])
    ]
    return [tallies, counters.panics, counters.drops, counters.transfers]


def counted(*queries: tuple[str, int, float]) -> Counters:
    made = Counters()
    for zone, qtype, seconds in queries:
        made.query("dns://:53", zone, "udp", "1", qtype, 0, 40, 80, seconds, dnssec_ok=True)
    return made


@pytest.mark.parametrize("said", [Serves(7, 3), Refuses(7, "no such image: ü")])
def test_what_it_does_about_an_order(said):
    """Which order, and which generation or why not."""
    assert read(octets_of(said)) == said


@given(
    st.lists(st.tuples(st.sampled_from(["a.", "ü.", "b."]), st.integers(1, 70), st.floats(0, 10))),
    st.integers(0, 9),
)
def test_counts_arrive_as_they_were(queries, dropped):
    """In however many pieces."""
    there = counted(*queries)
    there.panics = dropped
    there.drops["silent"] = dropped
    there.transfers["a.", "busy"] = dropped
    here = Counters()
    for piece in pieces_of(Counted(there, 4, 0.25)):
        report = read(piece)
        assert isinstance(report, Counted)
        assert (report.tcp_connections, report.lag_s) == (4, 0.25)
        here.add(report.counters)
    assert told(here) == told(there)


def test_many_counts_are_many_small_pieces():
    """Queries are answered in between; none is larger than the supervisor listens to."""
    there = counted(*((f"{'x' * 200}{number}.", 1, 0.1) for number in range(1000)))
    pieces = list(pieces_of(Counted(there)))
    assert len(pieces) == 1 + 1000 // limits.WORKER_TALLIES
    assert max(map(len, pieces)) < limits.WORKER_REPORT_OCTETS


def test_nothing_counted_is_a_sign_of_life():
    """One piece."""
    assert len(list(pieces_of(Counted()))) == 1


def changed(change: Any) -> bytes:
    *_, piece = pieces_of(Counted(counted(("a.", 1, 0.1))))
    said = json.loads(piece)
    change(said)
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b"\xff",
        b'{"serves": 7}',
        b'{"serves": ["x", 1]}',
        b'{"refuses": []}',
        b"[" * 100_000,
        changed(lambda said: said.pop("state")),
        changed(lambda said: said["counted"][0].pop()),
        changed(lambda said: said["counted"][0].__setitem__(6, -1)),
        changed(lambda said: said["counted"][0].__setitem__(6, 1.5)),
        changed(lambda said: said["counted"][0].__setitem__(8, -0.5)),
        changed(lambda said: said["counted"][0].__setitem__(8, float("nan"))),
        changed(lambda said: said["counted"][0][9].pop()),
        changed(lambda said: said.update(panics=-1)),
        changed(lambda said: said.update(drops=[])),
        changed(lambda said: said.update(drops={"x": -1})),
        changed(lambda said: said.update(transfers=[["a.", "invented", 1]])),
    ],
    ids=range(20),
)
def test_nonsense_is_refused(octets):
    """Nothing goes backwards, nothing is unpickled, nothing else is raised."""
    with pytest.raises(ValueError, match=r".+"):
        read(octets)
