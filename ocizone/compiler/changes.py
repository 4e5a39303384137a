"""What one image changes against another: counts for each zone of each view.

Read by who decides (follow.guard) and who tells (reports, history). What a signer makes anew at
each signing is not counted, on neither side: RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD. Nor is the SOA.
A zone that is signed again changed by nothing. Not here: the records themselves (zone.diff).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from ocizone.compiler.spec import CompareSpec, CompileReport, ZoneChange
from ocizone.errors import StoreError
from ocizone.store.disk import sha256_of
from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_NS,
    TYPE_NSEC,
    TYPE_NSEC3,
    TYPE_NSEC3PARAM,
    TYPE_RRSIG,
    TYPE_SOA,
    TYPE_ZONEMD,
)
from ocizone.zone.bitmap import name_length
from ocizone.zone.diff import Change, merged, node_changes
from ocizone.zone.image import Image
from ocizone.zone.node import HEAD, RRSET, RRset, record_counts
from ocizone.zone.reader import ZoneReader

UNCOUNTED: Final = frozenset(
    {TYPE_SOA, TYPE_RRSIG, TYPE_NSEC, TYPE_NSEC3, TYPE_NSEC3PARAM, TYPE_ZONEMD}
)

#: How a node begins that has no flags and one RRset, and where the rdata of that one stand.
_ONE_RRSET: Final = HEAD.pack(0, 1)
_RDATA_AT: Final = HEAD.size + RRSET.size
#: By view and apex (lower-case wire name).
_Key = tuple[str, bytes]
_Zones = Mapping[_Key, ZoneReader]


def compare_images(spec: CompareSpec, clock: Callable[[], float]) -> CompileReport:
    """Return a report of what one image changes against another, and of nothing else.

    Args:
        spec: which two; without a former one every zone is new.
        clock: monotonic seconds, for the report.

    Raises:
        StoreError: ``image`` cannot be opened.
    """
    started = clock()
    extra: dict[str, Any] = {}
    changes = changes_of(spec.former, spec.image, extra)
    return CompileReport(
        seconds=clock() - started,
        extra=extra,
        changes=changes or (),
        compared=changes is not None,
    )


def changes_of(
    former: str, image: str, extra: dict[str, Any], sha256: str = ""
) -> tuple[ZoneChange, ...] | None:
    """Return what an image file changes; None when the former one cannot be read.

    It is no reason to refuse, and none to let pass what a guard would have held: ``extra`` says
    why nothing is known.

    Args:
        former: path; "" says that every zone is new.
        image: path.
        extra: of the report.
        sha256: hex digest the former one must have, "" when it was looked at just now: one that
            is cut short would end this process when it is read.

    Raises:
        StoreError: ``image`` cannot be opened.
    """
    opened = Image.open(Path(image))
    if not former:
        return changes_between(None, opened)
    try:
        if sha256 and _sha256_of(former) != sha256:
            raise StoreError(f"the image {former} is damaged")
        before = Image.open(Path(former))
    except StoreError as error:
        extra["former"] = str(error)
        return None
    return changes_between(before, opened)


def _sha256_of(path: str) -> str:
    try:
        return sha256_of(Path(path))
    except OSError as error:
        raise StoreError(f"cannot read the image {path}: {error.strerror}") from error


def changes_between(former: Image | None, image: Image) -> tuple[ZoneChange, ...]:
    """Return what each zone of an image changes, in order of view and apex.

    A view the former image does not know is compared with the zones of views that this one does
    not know: its block's key line was edited.

    Args:
        former: None says that every zone is new.
        image: what is to be served.
    """
    return zone_changes({} if former is None else former.zones(), image.zones())


def zone_changes(
    former: _Zones, zones: _Zones, known: Collection[str] = ()
) -> tuple[ZoneChange, ...]:
    """Return what zones change: ``changes_between``, of any readers.

    Args:
        former: as they were.
        zones: as they are.
        known: views with zones in both that are not among these, because they did not change.
    """
    views, views_before = {view for view, _ in zones}, {view for view, _ in former}
    views.update(known)
    views_before.update(known)
    renamed = {apex: (view, apex) for view, apex in former if view not in views}
    found: list[ZoneChange] = []
    compared: set[_Key] = set()
    for (view, apex), reader in zones.items():
        key = (view, apex) if view in views_before else renamed.get(apex)
        before = None if key is None else former.get(key)
        if key is None or before is None:
            found.append(_added(view, reader))
            continue
        compared.add(key)
        change = _changed(view, before, reader)
        if change is not None:
            found.append(change)
    found += (_removed(key[0], former[key]) for key in former if key not in compared)
    return tuple(sorted(found, key=lambda change: (change.view, change.apex)))


def _same_content(before: ZoneReader, after: ZoneReader) -> bool:
    return bool(after.info.content) and before.info.content == after.info.content


def _added(view: str, zone: ZoneReader) -> ZoneChange:
    apex, serial = names.to_text(zone.info.apex), zone.info.serial
    return ZoneChange(view, apex, "added", added=_records(zone), serial=serial)


def _removed(view: str, zone: ZoneReader) -> ZoneChange:
    apex, records = names.to_text(zone.info.apex), _records(zone)
    return ZoneChange(
        view, apex, "removed", removed=records, before=records, serial_before=zone.info.serial
    )


def _changed(view: str, before: ZoneReader, after: ZoneReader) -> ZoneChange | None:
    """Return what changed, None for nothing."""
    added = removed = changed = 0
    ns = False
    apex = after.info.apex
    # All but the serial is the same: nothing to walk, however large the zone is.
    same = _same_content(before, after)
    servers = frozenset[bytes]() if same else _servers(before) | _servers(after)
    as_it_was = before.info.serial == after.info.serial and (same or not after.info.content)
    depth = len(names.labels(apex))
    slow = {names.relative_key(one, depth) for one in servers if names.is_at_or_below(one, apex)}
    for key, was, becomes in () if same else merged(before.encoded(), after.encoded()):
        if key is None:
            continue
        if key not in slow and _are_single(was, becomes):
            # An eighteenth of the time, where every address of a large zone changed.
            as_it_was = False
            other = was[_RDATA_AT:] != becomes[_RDATA_AT:]
            removed, added, changed = removed + other, added + other, changed + 1
            continue
        for change in node_changes(key, apex, was, becomes):
            as_it_was = False
            ns = ns or _moves_servers(change, apex, servers)
            if _type(change) not in UNCOUNTED:
                lost, gained = _lost_and_gained(change)
                removed += lost
                added += gained
                changed += change.removed is not None and change.added is not None
    if as_it_was and not same:
        hashed = merged(before.nsec3_encoded(), after.nsec3_encoded())
        as_it_was = all(digest is None for digest, _, _ in hashed)
    if as_it_was:
        return None
    return ZoneChange(
        view,
        names.to_text(apex),
        "changed",
        added=added,
        removed=removed,
        changed=changed,
        before=_records(before),
        serial_before=before.info.serial,
        serial=after.info.serial,
        ns=ns,
    )


def _are_single(was: bytes, becomes: bytes) -> bool:
    """Tell whether two encoded nodes have one unsigned record each, of the same counted type."""
    if was[: HEAD.size] != _ONE_RRSET or becomes[: HEAD.size] != _ONE_RRSET:
        return False
    rrtype, _, rdatas, signatures, _ = RRSET.unpack_from(was, HEAD.size)
    if rrtype in UNCOUNTED or rdatas != 1 or signatures:
        return False
    other, _, rdatas, signatures, _ = RRSET.unpack_from(becomes, HEAD.size)
    return bool(other == rrtype and rdatas == 1 and not signatures)


def _type(change: Change) -> int:
    rrset = change.removed or change.added
    assert rrset is not None  # a change has one of them
    return rrset.rrtype


def _rdatas(rrset: RRset | None) -> frozenset[bytes]:
    return frozenset(rrset.rdatas) if rrset else frozenset()


def _lost_and_gained(change: Change) -> tuple[int, int]:
    """Return how many records went and came; one with another TTL alone did neither.

    Else a new ``$TTL`` would have removed every record of its zone (RFC 2181 5.2).
    """
    old, new = _rdatas(change.removed), _rdatas(change.added)
    return len(old - new), len(new - old)


def _servers(zone: ZoneReader) -> frozenset[bytes]:
    """Return the names in the apex NS RRset, in lower case."""
    apex = zone.get(b"")
    assert apex is not None  # a zone has an apex
    return frozenset(map(names.lower, _rdatas(apex.rrsets.get(TYPE_NS))))


def _moves_servers(change: Change, apex: bytes, servers: frozenset[bytes]) -> bool:
    """Tell whether a change is one of who answers for the zone, or of where they are."""
    owner = names.lower(change.owner)
    if owner in servers and _type(change) in (TYPE_A, TYPE_AAAA):
        return any(_lost_and_gained(change))
    return owner == apex and _redelegates(change)


def _redelegates(change: Change) -> bool:
    """Tell whether a change at the apex is one of its NS, or of the SOA's MNAME."""
    old, new = _rdatas(change.removed), _rdatas(change.added)
    if _type(change) == TYPE_SOA:
        old = frozenset(rdata[: name_length(rdata)] for rdata in old)
        new = frozenset(rdata[: name_length(rdata)] for rdata in new)
    elif _type(change) != TYPE_NS:
        return False
    return {names.lower(name) for name in old} != {names.lower(name) for name in new}


def _records(zone: ZoneReader) -> int:
    """Return how many records of a zone count."""
    info = zone.info
    if info.denial or info.signed_until:
        # As a rule three of four records of a signed zone are its signer's.
        counts = (record_counts(value) for _, value in zone.encoded())
        return sum(count for node in counts for rrtype, count in node if rrtype not in UNCOUNTED)
    apex = zone.get(b"")
    assert apex is not None  # a zone has an apex
    uncounted = (apex.rrsets[one] for one in apex.rrsets if one in UNCOUNTED)
    return info.records - sum(len(rrset.rdatas) for rrset in uncounted)
