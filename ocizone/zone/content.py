"""What a zone's files hold, by owner in canonical order: between reading and building.

Records stand as read (duplicates, differing TTLs and all), so that checks can name both lines.
Empty non-terminals (RFC 4592 2.2.2) are owners without records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ocizone.findings import Findings
from ocizone.limits import ZONE_RECORDS
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_CNAME, TYPE_DNAME, TYPE_MX, TYPE_NS, TYPE_PTR, TYPE_SRV
from ocizone.zone.record import Record

# Where the one name that ends the rdata begins, for the types whose rdata is compared without
# regard to case (RFC 4034 6.2); octets before it are numbers.
_NAME_AT = {TYPE_NS: 0, TYPE_CNAME: 0, TYPE_PTR: 0, TYPE_DNAME: 0, TYPE_MX: 2, TYPE_SRV: 6}


@dataclass(frozen=True, slots=True)
class Content:
    """The records of one zone.

    Attributes:
        apex: lower-case wire name.
        apex_labels: labels of the apex, root not counted.
        names: by key (wire.name.relative_key); an empty list is an empty non-terminal.
        order: the keys, sorted.
        records: how many were read.
    """

    apex: bytes
    apex_labels: int
    names: dict[bytes, list[Record]]
    order: list[bytes]
    records: int

    def key(self, name: bytes) -> bytes | None:
        """Return the key of a wire name of any case, or None when it is out of the zone."""
        lowered = names.lower(name)
        if not names.is_at_or_below(lowered, self.apex):
            return None
        return names.relative_key(lowered, self.apex_labels)


def gather(records: Iterable[Record], apex: bytes, findings: Findings) -> Content:
    """Sort records by owner; those out of the zone become errors (RFC 1035 5.2).

    Args:
        records: as a reader yields them; read to the end unless there are over ZONE_RECORDS.
        apex: lower-case wire name.
        findings: where problems go.
    """
    found = Content(apex, len(names.labels(apex)), {}, [], 0)
    count = 0
    last_owner: bytes | None = None
    bucket: list[Record] = []
    for record in records:
        if record.owner != last_owner:
            key = found.key(record.owner)
            if key is None:
                _out_of_zone(record, apex, findings)
                continue
            last_owner = record.owner
            bucket = found.names.setdefault(key, [])
        bucket.append(record)
        count += 1
        if count > ZONE_RECORDS:
            where = (record.file, record.line, record.column)
            findings.error(*where, "zone-records", f"the zone has over {ZONE_RECORDS} records")
            break
    _add_empty_non_terminals(found.names)
    return Content(apex, found.apex_labels, found.names, sorted(found.names), count)


def by_type(records: list[Record]) -> dict[int, list[Record]]:
    """Return one owner's records by type, in the order they were read."""
    groups: dict[int, list[Record]] = {}
    for record in records:
        groups.setdefault(record.rrtype, []).append(record)
    return groups


def distinct(records: list[Record]) -> dict[bytes, Record]:
    """Return one RRset's records without duplicates, by comparable rdata (RFC 2181 5)."""
    first: dict[bytes, Record] = {}
    for record in records:
        first.setdefault(comparable(record), record)
    return first


def comparable(record: Record) -> bytes:
    """Return rdata in a form that is equal for equal records: its target name lowered."""
    at = _NAME_AT.get(record.rrtype)
    return record.rdata if at is None else record.rdata[:at] + record.rdata[at:].lower()


def target(record: Record) -> bytes:
    """Return the target name of an NS, CNAME, PTR, DNAME, MX or SRV record, as spelled."""
    return record.rdata[_NAME_AT[record.rrtype] :]


def parent_key(key: bytes) -> bytes:
    """Return the key of the name one label up; the apex (``b""``) is its own parent."""
    return key[: key.rfind(b"\x00", 0, -1) + 1]


def _add_empty_non_terminals(owners: dict[bytes, list[Record]]) -> None:
    for key in list(owners):
        above = parent_key(key)
        while above not in owners:
            owners[above] = []
            above = parent_key(above)


def _out_of_zone(record: Record, apex: bytes, findings: Findings) -> None:
    findings.error(
        record.file,
        record.line,
        record.column,
        "out-of-zone",
        f"{names.to_text(record.owner)} is not in the zone {names.to_text(apex)}",
        "a name without a final dot is completed with $ORIGIN",
    )
