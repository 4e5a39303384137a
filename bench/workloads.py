"""What is asked of which zone: zone files and query files, made from a seed.

Names that do not exist are never used twice in a run of the command, so that no cache of answers
by name can know them. Not here: servers, dnsperf.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.servers import PATH, ZoneFile

ORIGIN = "bench.example."
HOT_NAMES = 2_000
SIGNED_NAMES = 3_000
LARGE_NAMES = 1_000_000
SEED = 5


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table.

    Attributes:
        key: letter on the command line.
        title: what is asked.
        zone: writes its zone into a folder.
        existing: returns query lines of what exists, to be drawn from.
        missing: share of unique names that do not exist, 0 to 1.
        dnssec: whether queries have EDNS and the DO bit.
        tcp: whether they go over TCP.
        without: names of servers that sit it out, with the reason.
    """

    key: str
    title: str
    zone: Callable[[Path], ZoneFile]
    existing: Callable[[], Sequence[str]]
    missing: float = 0.0
    dnssec: bool = False
    tcp: bool = False
    without: tuple[tuple[str, str], ...] = ()


class UniqueNames:
    """Labels that never repeat and do not ascend: a walk through all of 40 bits."""

    _STEP = 0x9E3779B97F  # odd, so that it visits every number before one comes back

    def __init__(self, seed: int) -> None:
        self._at = seed

    def take(self, count: int) -> list[str]:
        """Return so many names below the origin that no zone here has."""
        begun, self._at = self._at, self._at + count
        numbers = (number * self._STEP & 0xFF_FFFF_FFFF for number in range(begun, self._at))
        return [f"x{number:010x}.{ORIGIN} A" for number in numbers]


def query_lines(workload: Workload, count: int, unique: UniqueNames, seed: int) -> list[str]:
    """Return dnsperf's lines for one run: drawn from what exists, unique names in between."""
    chance = random.Random(seed)
    lines = chance.choices(workload.existing(), k=count)
    missing = unique.take(round(count * workload.missing))
    for place, line in zip(chance.sample(range(count), len(missing)), missing, strict=True):
        lines[place] = line
    return lines


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a query file."""
    path.write_text("\n".join(lines) + "\n")


def apex(serial: int = 1) -> str:
    """Return the head of every zone here.

    Hosts of NS and MX lie outside, so that no server has addresses to add: whether they do in
    minimal answers differs, and cannot be configured alike.
    """
    return (
        f"$ORIGIN {ORIGIN}\n$TTL 3600\n"
        f"@ IN SOA ns1.example.net. hostmaster {serial} 7200 3600 1209600 300\n"
        "@ IN NS ns1.example.net.\n@ IN NS ns2.example.net.\n@ IN MX 10 mail.example.net.\n"
    )


def hot_zone(directory: Path) -> ZoneFile:
    """Write the small zone: 2,000 names with A, most with AAAA, MX and TXT too."""
    lines = []
    for number in range(HOT_NAMES):
        lines += [
            f"www{number} IN A 10.0.{number >> 8}.{number & 255}",
            f"www{number} IN AAAA 2001:db8::{number:x}",
            f"www{number} IN MX 10 mail.example.net.",
            f'www{number} IN TXT "v=test1 number={number}"',
        ]
    path = directory / "db.bench.example"
    path.write_text(apex() + "\n".join(lines) + "\n")
    return ZoneFile(ORIGIN, path)


def hot_lines() -> list[str]:
    """Return 2,000 lines: mostly A, some AAAA, MX, TXT, and the apex' NS and SOA."""
    chance = random.Random(SEED)
    types = chance.choices(
        ["A", "AAAA", "MX", "TXT", "NS", "SOA"], [70, 16, 5, 5, 2, 2], k=HOT_NAMES
    )
    return [
        f"{'' if kind in {'NS', 'SOA'} else f'www{number}.'}{ORIGIN} {kind}"
        for number, kind in enumerate(types)
    ]


def large_zone(directory: Path) -> ZoneFile:
    """Write the zone of a million A records, in the order of their numbers."""
    path = directory / "db.bench.example"
    with path.open("w") as file:
        file.write(apex())
        file.writelines(
            f"h{n} IN A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(LARGE_NAMES)
        )
    return ZoneFile(ORIGIN, path)


def large_lines() -> list[str]:
    """Return a line for each name of the large zone."""
    return [f"h{number}.{ORIGIN} A" for number in range(LARGE_NAMES)]


def signed_zone(directory: Path) -> ZoneFile:
    """Write and sign (NSEC, ECDSA P-256) a zone of some thousand names.

    Raises:
        FileNotFoundError: dnssec-keygen or dnssec-signzone is missing.
    """
    plain = directory / "unsigned"
    lines = [f"s{n} IN A 10.1.{n >> 8}.{n & 255}" for n in range(SIGNED_NAMES)]
    plain.write_text(apex() + "\n".join(lines) + "\n")
    for flags in ([], ["-f", "KSK"]):
        _run(directory, "dnssec-keygen", "-K", ".", "-a", "ECDSAP256SHA256", *flags, ORIGIN)
    path = directory / "db.bench.example"
    _run(
        directory, "dnssec-signzone", "-S", "-K", ".", "-O", "full",
        "-o", ORIGIN, "-f", path.name, plain.name,
    )  # fmt: skip
    return ZoneFile(ORIGIN, path, signed=True)


def signed_lines() -> list[str]:
    """Return a line for each name of the signed zone."""
    return [f"s{number}.{ORIGIN} A" for number in range(SIGNED_NAMES)]


def _run(directory: Path, program: str, *arguments: str) -> None:
    binary = shutil.which(program, path=PATH)
    if binary is None:
        raise FileNotFoundError(f"{program} is missing (Debian: bind9-utils)")
    subprocess.run([binary, *arguments], cwd=directory, check=True, capture_output=True)


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
)  # fmt: skip
