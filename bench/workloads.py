"""What is asked of which zones: query files, made from a seed.

Names that do not exist are never used twice in a run of the command, so that no cache of answers
by name can know them. Not here: servers, dnsperf, what is in the zones (zones).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.servers import ZoneFile
from bench.uniquenames import UniqueNames
from bench.zones import (
    ORIGIN,
    hot_lines,
    hot_zone,
    large_lines,
    large_zone,
    many_lines,
    many_zones,
    signed_lines,
    signed_zone,
)


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table.

    Attributes:
        key: letter on the command line.
        title: what is asked.
        zones: writes its zones into a folder.
        existing: returns query lines of what exists, to be drawn from.
        missing: share of unique names that do not exist, 0 to 1.
        dnssec: whether queries have the DO bit; EDNS have all.
        tcp: whether they go over TCP.
        warm_up_s: for how long each server is asked before anything is timed.
        without: names of servers that sit it out, with the reason.
    """

    key: str
    title: str
    zones: Callable[[Path], list[ZoneFile]]
    existing: Callable[[], Sequence[str]]
    missing: float = 0.0
    dnssec: bool = False
    tcp: bool = False
    warm_up_s: float = 1.0
    without: tuple[tuple[str, str], ...] = ()


def query_lines(workload: Workload, count: int, unique: UniqueNames, seed: int) -> list[str]:
    """Return dnsperf's lines for one run: drawn from what exists, unique names in between."""
    chance = Random(seed)
    lines = chance.choices(workload.existing(), k=count)
    missing = missing_lines(unique, round(count * workload.missing))
    for place, line in zip(chance.sample(range(count), len(missing)), missing, strict=True):
        lines[place] = line
    return lines


def missing_lines(unique: UniqueNames, count: int) -> list[str]:
    """Return lines for names below the origin that do not exist."""
    return [f"{name}.{ORIGIN} A" for name in unique.take(count)]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a query file."""
    path.write_text("\n".join(lines) + "\n")


SLOW = ("twisted.names", "only in the hot mix: elsewhere it has no answer to compare")
WORKLOADS = (
    Workload("a", "hot mix of 2,000 names, 8 % unique NXDOMAIN", hot_zone, hot_lines, 0.08),
    Workload("b", "50 % unique NXDOMAIN", hot_zone, hot_lines, 0.5, without=(SLOW,)),
    Workload("c", "1M records, uniform random names", large_zone, large_lines, without=(SLOW,)),
    Workload(
        "d", "signed (NSEC), DO, 30 % random names", signed_zone, signed_lines, 0.3,
        dnssec=True, without=(SLOW,),
    ),
    Workload("e", "TCP, pipelined, hot mix", hot_zone, hot_lines, 0.08, tcp=True, without=(SLOW,)),
    Workload(
        "g", "10,000 zones, uniform random names", many_zones, many_lines,
        # Whoever learns as it is asked has 10,000 zones to learn.
        warm_up_s=10, without=(SLOW,),
    ),
)  # fmt: skip
