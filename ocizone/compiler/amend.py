"""A zone made of its former version and of the records its file lost and gained.

Only names that changed are written; what is told of the zone is what reading all of it would
tell. That is proved before it is done: a zone without findings and signatures, of which every
name that a check may look at is known. Otherwise the answer is None and the file is read. Law
(tests): nodes, facts, changes and findings are those of a cold compilation. Not here: what lines
changed (compiler.passages).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ocizone.compiler.mentions import Mentions
from ocizone.compiler.passages import Passage, passages
from ocizone.findings import Findings
from ocizone.limits import AMENDED_NAMES, ZONE_RECORDS
from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_MX,
    TYPE_NS,
    TYPE_NSEC,
    TYPE_NSEC3,
    TYPE_RRSIG,
    TYPE_SOA,
    TYPE_SRV,
)
from ocizone.zone.build import encoded_nodes
from ocizone.zone.check import check_zone
from ocizone.zone.content import Content, comparable, gather, parent_key, target
from ocizone.zone.image import LmdbZone
from ocizone.zone.node import Flag, Node
from ocizone.zone.record import Record

_WILDCARD: Final = b"*\x00"
_ADDRESSES: Final = frozenset({TYPE_A, TYPE_AAAA})
_COVERS: Final = frozenset({TYPE_NS, TYPE_DNAME})
_POINTERS: Final = frozenset({TYPE_NS, TYPE_MX, TYPE_SRV, TYPE_CNAME})
_OF_SIGNERS: Final = frozenset({TYPE_RRSIG, TYPE_NSEC, TYPE_NSEC3})


#: Returns an encoded node by its key; None where there is no such name.
Encoded = Callable[[bytes], bytes | None]


class _DoubtError(Exception):
    """It cannot be proved that nothing else changes: the file is to be read."""


@dataclass(frozen=True, slots=True)
class Amended:
    """What becomes of a zone.

    Attributes:
        content: the names that changed and those they depend on, as they are now.
        gone: keys of names that do not exist any more.
        records: how many the zone has.
    """

    content: Content
    gone: frozenset[bytes]
    records: int

    def nodes(self, encoded: Encoded) -> dict[bytes, bytes | None]:
        """Return encoded nodes by key, of those that are new or changed; None of those gone."""
        changed: dict[bytes, bytes | None] = dict.fromkeys(self.gone)
        now = encoded_nodes(self.content)
        changed.update((key, value) for key, value in now if encoded(key) != value)
        return changed


def amend(
    before: LmdbZone, encoded: Encoded, written: int, old: bytes, new: bytes
) -> Amended | None:
    """Return what a changed zone file makes of a zone; None when it is to be read.

    Args:
        before: the zone as it was compiled from ``old`` without a finding, unsigned.
        encoded: returns its encoded nodes by key.
        written: the serial in ``old``.
        old: octets of the former file.
        new: octets of the file.
    """
    found = passages(old, new, before.info.apex)
    if found is None:
        return None
    changed, text = found
    try:
        return _Amending(before, encoded, written, Mentions(text)).run(changed)
    except _DoubtError:
        return None


class _Amending:
    """One zone being amended."""

    def __init__(
        self, before: LmdbZone, encoded: Encoded, written: int, mentions: Mentions
    ) -> None:
        self._before = before
        self._encoded = encoded
        self._written = written
        self._mentions = mentions
        self._apex = before.info.apex
        self._labels = before.info.apex_labels
        self._new: dict[bytes, list[Record]] = {}
        self._gone: set[bytes] = set()
        self._had: dict[bytes, list[Record] | None] = {}
        #: Names above those with records now: they exist in any case.
        self._above: set[bytes] = set()

    def run(self, changed: list[Passage]) -> Amended:
        """Return what becomes of the zone.

        Raises:
            _DoubtError: it cannot be proved.
        """
        self._change(changed)
        self._prune()
        known = self._known()
        for key in {*self._new, *self._gone}:
            self._prove(key)
        content = self._content(known)
        findings = Findings(1)
        check_zone(content, findings, "")
        removed = sum(len(one.removed) for one in changed)
        records = self._before.info.records - removed + sum(len(one.added) for one in changed)
        _certain(not findings.problems() and not content.has_fixed_serial)
        _certain(records <= ZONE_RECORDS)
        return Amended(content, frozenset(self._gone), records)

    # --- What names lost and gained ------------------------------------------------------------

    def _change(self, changed: list[Passage]) -> None:
        """Find the records of each name that a passage speaks of."""
        stretches: dict[bytes, list[tuple[list[Record], list[Record]]]] = {}
        for passage in changed:
            removed, added = self._by_key(passage.removed), self._by_key(passage.added)
            for key in {**removed, **added}:
                pair = (removed.get(key, []), added.get(key, []))
                stretches.setdefault(key, []).append(pair)
        _certain(len(stretches) <= AMENDED_NAMES)
        for key, pairs in stretches.items():
            if any(gone != come for gone, come in pairs):
                _certain(_WILDCARD not in key)
                self._new[key] = self._now(self._were(key) or [], pairs)

    def _by_key(self, records: Iterable[Record]) -> dict[bytes, list[Record]]:
        found: dict[bytes, list[Record]] = {}
        for record in records:
            key = self._key(record.owner)
            _certain(key is not None and record.rrtype not in _OF_SIGNERS)
            assert key is not None  # said above
            found.setdefault(key, []).append(record)
        return found

    def _now(
        self, were: list[Record], pairs: list[tuple[list[Record], list[Record]]]
    ) -> list[Record]:
        """Return the records a name has now, in the order of its file.

        Either all of them stand in the passages, or each takes the place of one of its type.
        """
        removed = [record for gone, _ in pairs for record in gone]
        if len(removed) == len(were):
            _certain(Counter(map(_said, removed)) == Counter(map(_said, were)))
            return [record for _, come in pairs for record in come]
        found = list(were)
        places = {(record.rrtype, record.rdata): at for at, record in enumerate(were)}
        for gone, come in pairs:
            # In the same order of types, too: it is that of their first records.
            _certain([one.rrtype for one in gone] == [one.rrtype for one in come])
            for was, now in zip(gone, come, strict=True):
                at = places.get((was.rrtype, was.rdata))
                _certain(at is not None and was.ttl == found[at].ttl)
                assert at is not None  # said above
                _certain(found[at].owner == now.owner == names.lower(now.owner))
                found[at] = now
        return found

    def _were(self, key: bytes) -> list[Record] | None:
        """Return the records a name had, the SOA with the serial of the file; None for no name."""
        if key not in self._had:
            value = self._encoded(key)
            self._had[key] = None if value is None else list(self._decoded(key, value))
        return self._had[key]

    def _decoded(self, key: bytes, value: bytes) -> Iterator[Record]:
        node = Node.decode(value)
        owner = node.owner or names.name_from_key(key, self._apex)
        for rrset in node.rrsets.values():
            _certain(not rrset.signatures)
            for rdata in rrset.rdatas:
                if rrset.rrtype == TYPE_SOA:
                    rdata = rdata[:-20] + self._written.to_bytes(4) + rdata[-16:]  # noqa: PLW2901 - the file's
                yield Record(owner, rrset.rrtype, rrset.ttl, rdata, "", 0, 0)

    def _prune(self) -> None:
        """Find the names that are gone: without records, and without names below them."""
        for key in (one for one, records in self._new.items() if records):
            while key:
                key = parent_key(key)  # noqa: PLW2901 - one name up
                if key in self._above:
                    break
                self._above.add(key)
        empty = [key for key, records in self._new.items() if not records]
        while empty:
            empty.sort(key=len)
            key = empty.pop()
            if not key or self._has_below(key):
                continue
            self._new.pop(key, None)
            self._gone.add(key)
            above = parent_key(key)
            if self._is_empty(above) and above not in empty:
                empty.append(above)

    def _is_empty(self, key: bytes) -> bool:
        if key in self._new:
            return not self._new[key]
        return key not in self._gone and self._were(key) == []

    def _has_below(self, key: bytes) -> bool:
        return key in self._above or any(
            one != key and one not in self._gone for one in self._below(key)
        )

    def _below(self, key: bytes) -> Iterator[bytes]:
        """Yield the keys that were at and below a name."""
        for at, (one, _) in enumerate(self._before.nodes(key)):
            if not one.startswith(key):
                return
            _certain(at <= AMENDED_NAMES)
            yield one

    # --- What that may mean for other names ----------------------------------------------------

    def _prove(self, key: bytes) -> None:
        """Make sure that no record elsewhere means something else now.

        A name may be the target of one as long as it does not lose its addresses, is no alias it
        was not, and no wildcard answers for it or did.
        """
        were, now = self._were(key), self._new.get(key)
        had, has = _types(were), _types(now)
        loses = bool(had & _ADDRESSES) and not has & _ADDRESSES
        alias = _rdatas(now, TYPE_CNAME)
        if loses or (alias and alias != _rdatas(were, TYPE_CNAME)):
            _certain(bool(key) and not self._mentions.any(key))
        elif were is None or now is None:
            self._prove_existence(key)

    def _prove_existence(self, key: bytes) -> None:
        """Make sure that no record points where a wildcard answers, or answered, for a name."""
        appearing = [key]
        above = parent_key(key)
        while above and self._encoded(above) is None:
            appearing.append(above)
            above = parent_key(above)
        value = self._encoded(above)
        assert value is not None  # the apex is there
        if Node.decode(value).flags & Flag.WILDCARD_CHILD:
            _certain(not any(map(self._mentions.any, appearing)))

    def _known(self) -> set[bytes]:
        """Return every name that a check of the changed ones looks at, and those that depend."""
        known: set[bytes] = set()
        left = [b"", *self._new, *map(parent_key, self._gone)]
        for key in {*self._new, *self._gone}:
            if (_types(self._were(key)) ^ _types(self._new.get(key))) & _COVERS and key:
                left += self._below(key)
        while left:
            key = left.pop()
            if key in known or (key in self._gone):
                continue
            _certain(len(known) <= AMENDED_NAMES)
            records = self._at(key)
            if records is None:
                left += self._standing_for(key)
                continue
            known.add(key)
            left.append(parent_key(key))
            if self._at(key + _WILDCARD) is not None:
                left.append(key + _WILDCARD)
            for record in records:
                at = self._key(target(record)) if record.rrtype in _POINTERS else None
                if at is not None:
                    left += [at, *self._standing_for(at)]
        return known

    def _standing_for(self, key: bytes) -> list[bytes]:
        """Return the names above one that decide what stands for it if it does not exist."""
        above = parent_key(key)
        while above and self._at(above) is None:
            above = parent_key(above)
        return [above]

    def _at(self, key: bytes) -> list[Record] | None:
        """Return the records a name has now; None where none exists."""
        if key in self._gone:
            return None
        found = self._new.get(key)
        if found is None:
            found = self._were(key)
        return [] if found is None and key in self._above else found

    def _content(self, known: set[bytes]) -> Content:
        """Return the known names as a zone of their own."""
        records = (record for key in sorted(known) for record in self._at(key) or ())
        findings = Findings(1)
        content = gather(records, self._apex, findings)
        _certain(not findings.problems())
        for key in known:
            content.names.setdefault(key, [])
        return replace(content, order=sorted(content.names))

    def _key(self, name: bytes) -> bytes | None:
        lowered = names.lower(name)
        if not names.is_at_or_below(lowered, self._apex):
            return None
        return names.relative_key(lowered, self._labels)


def _certain(proved: object) -> None:
    if not proved:
        raise _DoubtError


def _said(record: Record) -> tuple[int, int, bytes]:
    return record.rrtype, record.ttl, comparable(record)


def _types(records: list[Record] | None) -> frozenset[int]:
    return frozenset(record.rrtype for record in records or ())


def _rdatas(records: list[Record] | None, rrtype: int) -> frozenset[bytes]:
    return frozenset(record.rdata for record in records or () if record.rrtype == rrtype)
