"""The amounts of zone data whose load is measured: few records, many, very many, many zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import ZoneFile
from bench.workloads import ORIGIN

ZONES = 10_000
RECORDS_OF_EACH = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """Zones of a size, in versions that differ in one record and in the serial.

    Attributes:
        key: as on the command line.
        title: as in the table.
        write: writes the files of version 1 into a folder.
        lines: returns query lines for names all over.
    """

    key: str
    title: str
    write: Callable[[Path], list[ZoneFile]]
    lines: Callable[[], list[str]]


def head(origin: str, version: int) -> str:
    """Return the records every zone begins with; the version shows in a TXT record."""
    return (
        f"$ORIGIN {origin}\n$TTL 3600\n"
        f"@ IN SOA ns1.example.net. hostmaster {version} 7200 3600 1209600 300\n"
        f"@ IN NS ns1.example.net.\n"
        f'version IN TXT "{version}"\n'
    )


def change(zone: ZoneFile, version: int) -> None:
    """Give one zone another version: two lines of its file differ."""
    rest = zone.path.read_text().split("\n", 5)[5]
    zone.path.write_text(head(zone.origin, version) + rest)


def renumber(zone: ZoneFile, version: int) -> None:
    """Give one zone another version in which the data of every address differs, too."""
    change(zone, version)
    zone.path.write_text(zone.path.read_text().replace(" A 10.", f" A {version + 10}."))


def one_zone(records: int) -> Callable[[Path], list[ZoneFile]]:
    """Return what writes one zone of so many A records."""

    def write(directory: Path) -> list[ZoneFile]:
        path = directory / "db.bench.example"
        with path.open("w") as file:
            file.write(head(ORIGIN, 1))
            file.writelines(
                f"h{n} IN A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(records)
            )
        return [ZoneFile(ORIGIN, path)]

    return write


def many_zones(directory: Path) -> list[ZoneFile]:
    """Write 10,000 zones of 20 records."""
    found = []
    for number in range(ZONES):
        origin = f"z{number:05d}.{ORIGIN}"
        path = directory / f"db.{origin[:-1]}"
        lines = [
            f"h{n} IN A 10.{number >> 8}.{number & 255}.{n}" for n in range(RECORDS_OF_EACH - 3)
        ]
        path.write_text(head(origin, 1) + "\n".join(lines) + "\n")
        found.append(ZoneFile(origin, path))
    return found


def lines_of_one(records: int) -> Callable[[], list[str]]:
    """Return what makes a query line for each address."""
    return lambda: [f"h{number}.{ORIGIN} A" for number in range(records)]


def lines_of_many() -> list[str]:
    """Return a query line for an address of each zone."""
    return [f"h{number % 10}.z{number:05d}.{ORIGIN} A" for number in range(ZONES)]


SHAPES = (
    Shape("1k", "1,000 records", one_zone(1_000), lines_of_one(1_000)),
    Shape("100k", "100,000 records", one_zone(100_000), lines_of_one(100_000)),
    Shape("1M", "1,000,000 records", one_zone(1_000_000), lines_of_one(1_000_000)),
    Shape("zones", "10,000 zones of 20 records", many_zones, lines_of_many),
)
