"""Records by the thousand: a run of plain lines, one record each, already encoded.

What a reader yields instead of a Record a line (zone.bulk), and ``gather`` takes as it is
(zone.packed): a million small objects less to make. Every batch can tell the records it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ocizone.wire import name as names
from ocizone.zone.record import Record
from ocizone.zone.single import read_single


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of lines that follow one another, none of them at the apex.

    Attributes:
        apex: of the zone, lower-case wire name.
        keys: of the owners (wire.name.relative_key), a line each; all spelled in lower case.
        singles: the records, each as the node it would be alone (zone.single).
        noted: the keys of records that may name others of the zone.
        cuts: the keys of NS.
        file: as findings call it.
        line: 1-based number of the first line.
    """

    apex: bytes
    keys: list[bytes]
    singles: list[bytes]
    noted: list[bytes]
    cuts: list[bytes]
    file: str
    line: int

    @property
    def owner(self) -> bytes:
        """The owner of the last record, which a line without one inherits."""
        return names.name_from_key(self.keys[-1], self.apex)

    @property
    def ttl(self) -> int:
        """The TTL of the last record."""
        return read_single(self.singles[-1])[1]

    def records(self) -> Iterator[Record]:
        """Yield the records one by one."""
        for line, (key, single) in enumerate(zip(self.keys, self.singles, strict=True), self.line):
            yield record_of(names.name_from_key(key, self.apex), single, self.file, line)


def record_of(owner: bytes, single: bytes, file: str, line: int) -> Record:
    """Return the record that an encoded node of one record holds."""
    rrtype, ttl, rdata = read_single(single)
    return Record(owner, rrtype, ttl, rdata, file, line, 1)
