"""What a worker says: that it serves, or why it does not, and what it counted; JSON.

A worker reads what strangers send, the supervisor has what only it may have: so nothing a worker
says is more than numbers and texts, and what makes no sense is refused. Not here: how it comes
(workers.channel).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from ocizone.answer.sent import Outcome
from ocizone.limits import WORKER_TALLIES
from ocizone.observe.counters import DURATION_BUCKETS, SIZE_BUCKETS, Counters, Key, Tally

_OUTCOMES: Final = frozenset(get_args(Outcome))


@dataclass(frozen=True, slots=True)
class Serves:
    """It serves an order, with the snapshot of this generation."""

    order: int
    generation: int


@dataclass(frozen=True, slots=True)
class Refuses:
    """It cannot serve an order, and goes on as before."""

    order: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What it counted since the last time, and how it is: its sign of life.

    Attributes:
        counters: of queries, and of what became of them.
        tcp_connections: open ones.
        lag_s: the worst delay of its event loop of late.
    """

    counters: Counters = field(default_factory=Counters)
    tcp_connections: int = 0
    lag_s: float = 0.0


Report = Serves | Refuses | Counted


def octets_of(report: Serves | Refuses) -> bytes:
    """Return a report as octets."""
    if isinstance(report, Serves):
        return _octets({"serves": [report.order, report.generation]})
    return _octets({"refuses": [report.order, report.reason]})


def pieces_of(counted: Counted) -> Iterator[bytes]:
    """Yield what was counted, as octets: at least one piece, each made in a millisecond or so."""
    rest = counted.counters
    state = [counted.tcp_connections, counted.lag_s]
    yield _octets(
        {
            "counted": [],
            "state": state,
            "panics": rest.panics,
            "drops": rest.drops,
            "transfers": [[*labels, count] for labels, count in rest.transfers.items()],
        }
    )
    piece: list[Any] = []
    for key, tally in rest.tallies():
        piece.append([*key, *_numbers(tally)])
        if len(piece) == WORKER_TALLIES:
            yield _octets({"counted": piece, "state": state})
            piece = []
    if piece:
        yield _octets({"counted": piece, "state": state})


def read(octets: bytes) -> Report:
    """Return what a worker said.

    Raises:
        ValueError: it makes no sense.
    """
    try:
        said = json.loads(octets)
        if "serves" in said:
            order, generation = said["serves"]
            return Serves(int(order), int(generation))
        if "refuses" in said:
            order, reason = said["refuses"]
            return Refuses(int(order), str(reason))
        connections, lag_s = said["state"]
        return Counted(_counters(said), int(connections), float(lag_s))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"a worker's report makes no sense: {error!r}") from error


def _octets(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def _numbers(tally: Tally) -> list[Any]:
    return [
        tally.count,
        tally.dnssec_ok,
        tally.seconds,
        tally.durations,
        tally.requests,
        tally.responses,
        tally.sizes,
    ]


def _counters(said: dict[str, Any]) -> Counters:
    found = Counters()
    for server, zone, protocol, family, qtype, rcode, *numbers in said["counted"]:
        key: Key = (str(server), str(zone), str(protocol), str(family), int(qtype), int(rcode))
        found.put(key, _tally(numbers))
    found.panics = _count(said.get("panics", 0))
    found.drops = Counter({str(why): _count(n) for why, n in said.get("drops", {}).items()})
    for zone, outcome, count in said.get("transfers", ()):
        if outcome not in _OUTCOMES:
            raise ValueError(f"a transfer that ended as {outcome!r}")
        found.transfers[str(zone), outcome] = _count(count)
    return found


def _tally(numbers: list[Any]) -> Tally:
    tally = Tally()
    count, dnssec_ok, seconds, durations, requests, responses, sizes = numbers
    tally.count, tally.dnssec_ok, tally.seconds = _count(count), _count(dnssec_ok), float(seconds)
    if not tally.seconds >= 0:
        raise ValueError(f"{seconds!r} seconds")
    tally.durations = _list(durations, len(DURATION_BUCKETS) + 1)
    tally.requests = _list(requests, len(SIZE_BUCKETS) + 1)
    tally.responses = _list(responses, len(SIZE_BUCKETS) + 1)
    tally.sizes = _list(sizes, 2)
    return tally


def _list(numbers: list[Any], length: int) -> list[int]:
    if len(numbers) != length:
        raise ValueError(f"{len(numbers)} counts where there are {length}")
    return [_count(number) for number in numbers]


def _count(number: Any) -> int:
    """Return a count; one below nothing would let a metric go backwards."""
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{number!r} is no count")
    return number
