"""What a zone's files hold, by owner in canonical order: between reading and building.

Records stand as read (duplicates, differing TTLs and all), so that checks can name both lines;
those that no check has anything to say of are packed (zone.packed). Empty non-terminals (RFC
4592 2.2.2) are owners without records.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from ocizone.findings import Findings
from ocizone.limits import ZONE_RECORDS
from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_DNSKEY,
    TYPE_NSEC,
    TYPE_NSEC3,
    TYPE_NSEC3PARAM,
    TYPE_RRSIG,
    TYPE_ZONEMD,
)
from ocizone.zone.attention import looked_at, out_of_place
from ocizone.zone.batch import Batch
from ocizone.zone.packed import Packed
from ocizone.zone.reader import Nsec3Params
from ocizone.zone.record import NAME_AT, Record

_OF_NSEC3 = frozenset({TYPE_NSEC3, TYPE_RRSIG})
_ADDRESSES = frozenset({TYPE_A, TYPE_AAAA})
_OF_SIGNED_APEX = frozenset({TYPE_DNSKEY, TYPE_NSEC, TYPE_NSEC3PARAM})
# Of 20 octets of SHA-1, the one hash there is (RFC 5155 11).
_HASH_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Content:
    """The records of one zone.

    Attributes:
        apex: lower-case wire name.
        apex_labels: labels of the apex, root not counted.
        names: by key (wire.name.relative_key); an empty list is an empty non-terminal. The apex
            is here, and in a signed zone every name.
        order: all keys, sorted: of names and of packed.
        records: how many were read.
        nsec3: NSEC3 records and their RRSIGs by hash (20 octets): their owners are no names
            of the zone (RFC 5155 7.2.8).
        signatures: how many RRSIGs there are.
        packed: the other names.
    """

    apex: bytes
    apex_labels: int
    names: dict[bytes, list[Record]]
    order: list[bytes]
    records: int
    nsec3: dict[bytes, list[Record]] = field(default_factory=dict)
    signatures: int = 0
    packed: Packed = field(default_factory=lambda: Packed(names.ROOT))

    def __contains__(self, key: object) -> bool:
        """Tell whether a name exists, if only because one below it does."""
        return key in self.names or key in self.packed

    def has_address(self, key: bytes) -> bool:
        """Tell whether there is an address at a name."""
        found = self.names.get(key)
        if found is None:
            return self.packed.has_address(key)
        return any(record.rrtype in _ADDRESSES for record in found)

    def at(self, key: bytes) -> list[Record]:
        """Return the records at a name."""
        found = self.names.get(key)
        return self.packed.records(key) if found is None else found

    @property
    def is_signed(self) -> bool:
        """Whether there is a DNSSEC record of the zone's own in it; quick in one without."""
        if self.signatures or self.nsec3:
            return True
        return any(record.rrtype in _OF_SIGNED_APEX for record in self.names.get(b"", ()))

    @property
    def has_fixed_serial(self) -> bool:
        """Whether something in it vouches for the serial: a signature, or ZONEMD (RFC 8976 2.2.1)."""
        apex = self.names.get(b"", ())
        return self.is_signed or any(record.rrtype == TYPE_ZONEMD for record in apex)

    def key(self, name: bytes) -> bytes | None:
        """Return the key of a wire name of any case, or None when it is out of the zone."""
        lowered = names.lower(name)
        if not names.is_at_or_below(lowered, self.apex):
            return None
        return names.relative_key(lowered, self.apex_labels)


def gather(records: Iterable[Record | Batch], apex: bytes, findings: Findings) -> Content:
    """Sort records by owner; those out of the zone become errors (RFC 1035 5.2).

    Args:
        records: as a reader yields them; read to the end unless there are over ZONE_RECORDS.
        apex: lower-case wire name.
        findings: where problems go.
    """
    packed = Packed(apex)
    found = Content(apex, len(names.labels(apex)), {}, [], 0, packed=packed)
    count = signatures = 0
    last_owner: bytes | None = None
    bucket: list[Record] = []
    for record in _one_by_one(records, found):
        if count + len(packed.singles) == ZONE_RECORDS:
            where = (record.file, record.line, record.column)
            findings.error(*where, "zone-records", f"the zone has over {ZONE_RECORDS} records")
            break
        if record.rrtype in _OF_NSEC3:
            signatures += record.rrtype == TYPE_RRSIG
            if _is_of_nsec3(record):
                _add_nsec3(found, record, findings)
                count += 1
                continue
        if record.owner != last_owner:
            key = found.key(record.owner)
            if key is None:
                _out_of_zone(record, apex, findings)
                continue
            last_owner = record.owner
            bucket = found.names.get(key) or found.names.setdefault(key, packed.take(key))
        bucket.append(record)
        count += 1
    _add_empty_non_terminals(found)
    order = sorted(chain(found.names, packed.one, packed.several))
    read = count + len(packed.singles)
    content = Content(
        apex, found.apex_labels, found.names, order, read, found.nsec3, signatures, packed
    )
    _unpack(content)
    return content


def _one_by_one(parts: Iterable[Record | Batch], found: Content) -> Iterator[Record]:
    """Yield records; batches are packed whole, unless one of their records is one too many."""
    packed, yielded = found.packed, 0
    for part in parts:
        if isinstance(part, Record):
            yielded += 1
            yield part
        elif yielded + len(packed.singles) + len(part.keys) <= ZONE_RECORDS:
            packed.add(part, found.names)
        else:
            yielded += len(part.keys)
            yield from part.records()


def _is_of_nsec3(record: Record) -> bool:
    """Tell whether a record is an NSEC3, or the signature over one."""
    return record.rrtype == TYPE_NSEC3 or record.rdata[:2] == TYPE_NSEC3.to_bytes(2)


def _add_nsec3(found: Content, record: Record, findings: Findings) -> None:
    """Keep an NSEC3 by the hash its owner spells: one label of base32hex below the apex."""
    label = record.owner[1 : 1 + record.owner[0]]
    digest = base32hex(label) if record.owner[1 + len(label) :].lower() == found.apex else None
    if digest is None:
        findings.error(
            record.file,
            record.line,
            record.column,
            "nsec3-owner",
            f"{names.to_text(record.owner)} is no hash of a name in {names.to_text(found.apex)}",
            "an NSEC3 stands at 32 characters of base32hex below the apex (RFC 5155 3)",
        )
        return
    found.nsec3.setdefault(digest, []).append(record)


def base32hex(label: bytes) -> bytes | None:
    """Return the 20-octet hash a label spells, in either case; None when it spells none."""
    if len(label) != _HASH_CHARACTERS:
        return None
    try:
        return base64.b32hexdecode(label, casefold=True)
    except ValueError:
        return None


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
    at = NAME_AT.get(record.rrtype)
    return record.rdata if at is None else record.rdata[:at] + record.rdata[at:].lower()


def target(record: Record) -> bytes:
    """Return the target name of an NS, CNAME, PTR, DNAME, MX or SRV record, as spelled."""
    return record.rdata[NAME_AT[record.rrtype] :]


def params_of(record: Record) -> tuple[int, int, Nsec3Params]:
    """Return (algorithm, flags, parameters) of an NSEC3 or NSEC3PARAM (RFC 5155 3.2, 4.2)."""
    rdata = record.rdata
    salt = rdata[5 : 5 + rdata[4]]
    return rdata[0], rdata[1], Nsec3Params(int.from_bytes(rdata[2:4]), salt)


def signatures_of(content: Content) -> Iterator[Record]:
    """Yield every RRSIG of a zone, those over NSEC3 too."""
    for by_owner in (content.names, content.nsec3):
        for records in by_owner.values():
            yield from (record for record in records if record.rrtype == TYPE_RRSIG)


def parent_key(key: bytes) -> bytes:
    """Return the key of the name one label up; the apex (``b""``) is its own parent."""
    return key[: key.rfind(b"\x00", 0, -1) + 1]


def _add_empty_non_terminals(found: Content) -> None:
    owners, one, several = found.names, found.packed.one, found.packed.several
    if owners or one or several:
        owners.setdefault(b"", [])
    # What has one label is below the apex.
    for key in [key for key in chain(owners, one, several) if key.count(0) > 1]:
        above = parent_key(key)
        while not (above in owners or above in one or above in several):
            owners[above] = []
            above = parent_key(above)


def _unpack(content: Content) -> None:
    """Take out of ``packed`` what checks look at; of a signed zone they look at everything."""
    packed = content.packed
    if content.is_signed:
        wanted = [key for key in content.order if key in packed]
    else:
        wanted = sorted(looked_at(packed, content.names, content.order))
    for key in wanted:
        content.names[key] = packed.take(key)
    for key in list(out_of_place(packed, content.names, content.order)):
        content.names[key] = packed.take(key)


def _out_of_zone(record: Record, apex: bytes, findings: Findings) -> None:
    findings.error(
        record.file,
        record.line,
        record.column,
        "out-of-zone",
        f"{names.to_text(record.owner)} is not in the zone {names.to_text(apex)}",
        "a name without a final dot is completed with $ORIGIN",
    )
