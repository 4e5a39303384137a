"""The zones that are asked: master files, and query lines for what exists in them.

Each name below an apex ends with a digit, ``version`` of the shapes excepted; see uniquenames. Hosts
of NS and MX lie outside, so that no server has addresses to add: whether they do in minimal answers
differs, and cannot be configured alike. Not here: which share of queries asks for what (workloads).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from random import Random

from bench.servers import PATH, ZoneFile
from bench.uniquenames import CHARACTERS

ORIGIN = "bench.example."
HOT_NAMES = 2_000
SIGNED_NAMES = 3_000
LARGE_NAMES = 1_000_000
ZONES = 10_000
RECORDS_OF_EACH = 20
#: SOA, NS and the TXT record of the version are the others.
ADDRESSES_OF_EACH = RECORDS_OF_EACH - 3
SEED = 5


def apex(serial: int = 1) -> str:
    """Return the head of a zone at the origin."""
    return (
        f"$ORIGIN {ORIGIN}\n$TTL 3600\n"
        f"@ IN SOA ns1.example.net. hostmaster {serial} 7200 3600 1209600 300\n"
        "@ IN NS ns1.example.net.\n@ IN NS ns2.example.net.\n@ IN MX 10 mail.example.net.\n"
    )


def head(origin: str, version: int) -> str:
    """Return the head of a zone that has versions; the version shows in a TXT record."""
    return (
        f"$ORIGIN {origin}\n$TTL 3600\n"
        f"@ IN SOA ns1.example.net. hostmaster {version} 7200 3600 1209600 300\n"
        f"@ IN NS ns1.example.net.\n"
        f'version IN TXT "{version}"\n'
    )


def hot_zone(directory: Path) -> list[ZoneFile]:
    """Write the small zone: 2,000 names with A, AAAA, MX and TXT."""
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
    return [ZoneFile(ORIGIN, path)]


def hot_lines() -> list[str]:
    """Return 2,000 lines: mostly A, some AAAA, MX, TXT, and the apex' NS and SOA."""
    types = Random(SEED).choices(
        ["A", "AAAA", "MX", "TXT", "NS", "SOA"], [70, 16, 5, 5, 2, 2], k=HOT_NAMES
    )
    return [
        f"{'' if kind in {'NS', 'SOA'} else f'www{number}.'}{ORIGIN} {kind}"
        for number, kind in enumerate(types)
    ]


def large_zone(directory: Path) -> list[ZoneFile]:
    """Write the zone of a million A records, in the order of their numbers."""
    path = directory / "db.bench.example"
    with path.open("w") as file:
        file.write(apex())
        file.writelines(
            f"h{n} IN A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(LARGE_NAMES)
        )
    return [ZoneFile(ORIGIN, path)]


def large_lines() -> list[str]:
    """Return a line for each name of the large zone."""
    return [f"h{number}.{ORIGIN} A" for number in range(LARGE_NAMES)]


def signed_label(number: int) -> str:
    """Return a name of the signed zone: 6 to 17 characters from a hash and a digit.

    As spread as the names that do not exist, so that these fall into gaps of all sizes: hex digits
    would leave everything after f to one gap.
    """
    octets = hashlib.sha256(str(number).encode()).digest()[: 5 + number % 12]
    return "".join(CHARACTERS[octet % len(CHARACTERS)] for octet in octets) + str(number % 10)


def signed_zone(directory: Path) -> list[ZoneFile]:
    """Write and sign (NSEC, ECDSA P-256) a zone of some thousand names.

    Raises:
        FileNotFoundError: dnssec-keygen or dnssec-signzone is missing.
    """
    plain = directory / "unsigned"
    lines = [f"{signed_label(n)} IN A 10.1.{n >> 8}.{n & 255}" for n in range(SIGNED_NAMES)]
    plain.write_text(apex() + "\n".join(lines) + "\n")
    for flags in ([], ["-f", "KSK"]):
        _run(directory, "dnssec-keygen", "-K", ".", "-a", "ECDSAP256SHA256", *flags, ORIGIN)
    path = directory / "db.bench.example"
    _run(
        directory, "dnssec-signzone", "-S", "-K", ".", "-O", "full",
        "-o", ORIGIN, "-f", path.name, plain.name,
    )  # fmt: skip
    return [ZoneFile(ORIGIN, path, signed=True)]


def signed_lines() -> list[str]:
    """Return a line for each name of the signed zone."""
    return [f"{signed_label(number)}.{ORIGIN} A" for number in range(SIGNED_NAMES)]


def many_zones(directory: Path) -> list[ZoneFile]:
    """Write 10,000 zones of 20 records."""
    found = []
    for number in range(ZONES):
        origin = many_origin(number)
        path = directory / f"db.{origin[:-1]}"
        lines = [f"h{n} IN A 10.{number >> 8}.{number & 255}.{n}" for n in range(ADDRESSES_OF_EACH)]
        path.write_text(head(origin, 1) + "\n".join(lines) + "\n")
        found.append(ZoneFile(origin, path))
    return found


def many_origin(number: int) -> str:
    """Return the apex of one of the many zones."""
    return f"z{number:05d}.{ORIGIN}"


def many_lines() -> list[str]:
    """Return a line for each address of each of the many zones."""
    return [
        f"h{n}.{many_origin(number)} A" for number in range(ZONES) for n in range(ADDRESSES_OF_EACH)
    ]


def _run(directory: Path, program: str, *arguments: str) -> None:
    binary = shutil.which(program, path=PATH)
    if binary is None:
        raise FileNotFoundError(f"{program} is missing (Debian: bind9-utils)")
    subprocess.run([binary, *arguments], cwd=directory, check=True, capture_output=True)
