"""What differs between two sets of zones, zone by zone and record by record.

A serial that rose is told beside the zone's name and is no record that changed; it makes two
versions different nevertheless. Not here: where zones come from (ocizone.opening), and text
(ocizone.difftext).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from ocizone.compiler.changes import UNCOUNTED
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.bitmap import name_length
from ocizone.zone.diff import Change, diff
from ocizone.zone.node import RRset
from ocizone.zone.rdata import type_name
from ocizone.zone.reader import DictZone, ZoneReader

#: Zones by lower-case apex.
Zones = Mapping[bytes, ZoneReader]


@dataclass(frozen=True, slots=True)
class Ignored:
    """What is no difference.

    Attributes:
        serial: of the SOA.
        signing: what a signer makes anew at each signing: RRSIG, NSEC, NSEC3, ZONEMD.
    """

    serial: bool = False
    signing: bool = False


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record that only one side has."""

    sign: Literal["-", "+"]
    owner: bytes
    ttl: int
    rrtype: int
    rdata: bytes

    @property
    def name(self) -> str:
        """The owner in presentation form."""
        return names.to_text(self.owner)

    @property
    def type(self) -> str:
        """The type's mnemonic."""
        return type_name(self.rrtype)

    @property
    def value(self) -> str:
        """The rdata in presentation form."""
        rrtype = dns.rdatatype.RdataType.make(self.rrtype)
        length = len(self.rdata)
        return dns.rdata.from_wire(dns.rdataclass.IN, rrtype, self.rdata, 0, length).to_text()

    def __str__(self) -> str:
        return f"{self.sign} {self.name} {self.ttl} IN {self.type} {self.value}"


@dataclass(frozen=True, slots=True)
class ZoneDifference:
    """A zone that is not the same on both sides; one of the two may be absent.

    Attributes:
        apex: lower-case wire name.
        before: on the first side.
        after: on the second.
    """

    apex: bytes
    before: ZoneReader | None
    after: ZoneReader | None
    ignored: Ignored = Ignored()

    @property
    def name(self) -> str:
        """The zone's name without its last dot; the root as it is."""
        return names.to_text(self.apex).removesuffix(".") or "."

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """What became of the zone itself."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def serials(self) -> tuple[int | None, int | None]:
        """Before and after; None where there is no zone."""
        before, after = self.before, self.after
        return before.info.serial if before else None, after.info.serial if after else None

    def records(self) -> Iterator[RecordChange]:
        """Yield what is gone and what is new, in canonical order, old before new."""
        present = self.after or self.before
        assert present is not None  # one side has the zone
        nothing = DictZone(present.info, {})
        for change in diff(self.before or nothing, self.after or nothing):
            if change is not None and not self._is_ignored(change):
                yield from _records("-", change.owner, change.removed)
                yield from _records("+", change.owner, change.added)

    def _is_ignored(self, change: Change) -> bool:
        rrset = change.removed or change.added
        assert rrset is not None  # a change has one of them
        if rrset.rrtype == TYPE_SOA:
            return _only_serial(change)
        return self.ignored.signing and rrset.rrtype in UNCOUNTED


def compare(before: Zones, after: Zones, ignored: Ignored) -> Iterator[ZoneDifference]:
    """Yield the zones that differ, in canonical order of their names."""
    for apex in sorted({*before, *after}, key=lambda name: names.relative_key(name, 0)):
        found = ZoneDifference(apex, before.get(apex), after.get(apex), ignored)
        if _differs(found):
            yield found


def _differs(zone: ZoneDifference) -> bool:
    if zone.before is None or zone.after is None:
        return True
    old, new = zone.before.info, zone.after.info
    if old.serial != new.serial and not zone.ignored.serial:
        return True
    if old.content and old.content == new.content:
        # All but the serial is the same: nothing to walk, however large the zone is.
        return False
    return next(zone.records(), None) is not None


def _only_serial(change: Change) -> bool:
    """Tell whether nothing but the serial of a SOA changed (RFC 1035 3.3.13)."""
    old, new = change.removed, change.added
    if old is None or new is None or old.ttl != new.ttl:
        return False
    return _but_serial(old.rdatas[0]) == _but_serial(new.rdatas[0])


def _but_serial(rdata: bytes) -> tuple[bytes, bytes]:
    mname = name_length(rdata)
    at = mname + name_length(rdata[mname:])
    return rdata[:at], rdata[at + 4 :]


def _records(sign: Literal["-", "+"], owner: bytes, rrset: RRset | None) -> Iterator[RecordChange]:
    if rrset is not None:
        for rdata in rrset.rdatas:
            yield RecordChange(sign, owner, rrset.ttl, rrset.rrtype, rdata)
