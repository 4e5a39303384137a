"""The amounts of zone data whose load is measured: few records, many, very many, many zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import ZoneFile
from bench.zones import ORIGIN, head, many_lines, many_zones


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


def lines_of_one(records: int) -> Callable[[], list[str]]:
    """Return what makes a query line for each address."""
    return lambda: [f"h{number}.{ORIGIN} A" for number in range(records)]


SHAPES = (
    Shape("1k", "1,000 records", one_zone(1_000), lines_of_one(1_000)),
    Shape("100k", "100,000 records", one_zone(100_000), lines_of_one(100_000)),
    Shape("1M", "1,000,000 records", one_zone(1_000_000), lines_of_one(1_000_000)),
    Shape("zones", "10,000 zones of 20 records", many_zones, many_lines),
)
