"""The difference of two versions, in the order of IXFR (RFC 1995 4).

One step from the client's version to the current one, condensed: what came and went between
them is never sent (RFC 1995 5). A difference is computed once for a version, in steps, by
whoever of its askers has its turn. Not here: messages (answer.packed), who may have it
(answer.transfer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ocizone.answer.axfr import axfr, soa
from ocizone.answer.packed import Item
from ocizone.limits import IXFR_OCTETS
from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.diff import diff
from ocizone.zone.node import RRset
from ocizone.zone.reader import ZoneReader

# Changed nodes read before others get their turn: 64 take 0.8 ms.
_CHANGES: Final = 64
# Of a record beside owner and rdata.
_FIXED_OCTETS: Final = 10


class Delta:
    """What makes the current version of an older one; computed step by step, by its askers.

    Attributes:
        done: it is known, or known not to be of use.
        usable: it leads to the current version, and is shorter than it.
        work: records to look at until it is known, at most.
    """

    def __init__(self, older: ZoneReader, current: ZoneReader) -> None:
        self.done = False
        self.usable = False
        self.work = older.info.records + current.info.records
        self._removed: list[tuple[bytes, RRset]] = []
        self._added: list[tuple[bytes, RRset]] = []
        self._soa = _bare_soa(older)
        self._steps = self._compute(older, current)

    def step(self) -> None:
        """Do a part of the work, if any is left."""
        if next(self._steps, self) is self:
            self.done = True

    def items(self, current: ZoneReader) -> Iterator[tuple[bytes, RRset]]:
        """Yield the difference: new SOA, old SOA, removed, new SOA, added, new SOA."""
        now = _bare_soa(current)
        yield now
        yield self._soa
        yield from self._removed
        yield now
        yield from self._added
        yield now

    def _compute(self, older: ZoneReader, current: ZoneReader) -> Iterator[None]:
        octets = records = 0
        for number, change in enumerate(diff(older, current)):
            if change is None or number % _CHANGES == 0:
                yield
            if change is None:
                continue
            for rrset, into in ((change.removed, self._removed), (change.added, self._added)):
                if rrset is not None and rrset.rrtype != TYPE_SOA:
                    into.append((change.owner, rrset))
                    records += len(rrset.rdatas)
                    fixed = len(rrset.rdatas) * (len(change.owner) + _FIXED_OCTETS)
                    octets += fixed + sum(map(len, rrset.rdatas))
            if octets > IXFR_OCTETS or records > current.info.records:
                self._removed, self._added = [], []
                return
        self.usable = True


def _bare_soa(zone: ZoneReader) -> tuple[bytes, RRset]:
    """Return the SOA alone: its signatures are records of the difference, if they changed."""
    owner, rrset = soa(zone)
    return owner, replace(rrset, signatures=())


class Deltas:
    """The differences that lead to one version, by serial; as many as there are older versions."""

    __slots__ = ("_by_serial",)

    def __init__(self) -> None:
        # Made when it is needed: there is one of us for each of 100,000 zones.
        self._by_serial: dict[int, Delta] | None = None

    def since(self, serial: int, older: Sequence[ZoneReader], current: ZoneReader) -> Delta | None:
        """Return the difference from the version with this serial; None when there is none.

        Args:
            serial: the client's.
            older: what was served before; no serial twice.
            current: what is served, always the same version.
        """
        if self._by_serial is None:
            self._by_serial = {}
        delta = self._by_serial.get(serial)
        if delta is None:
            found = next((zone for zone in older if zone.info.serial == serial), None)
            if found is None:
                return None
            delta = self._by_serial[serial] = Delta(found, current)
        return delta


def ixfr(zone: ZoneReader, delta: Delta | None) -> Iterator[Item]:
    """Yield the difference once it is known, or the whole zone when it is of no use (RFC 1995 4)."""
    if delta is not None:
        while not delta.done:
            delta.step()
            yield None
    if delta is not None and delta.usable:
        yield from delta.items(zone)
    else:
        yield from axfr(zone)
