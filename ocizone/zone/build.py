"""From checked content to nodes: flags, folded RRsets, signatures beside what they cover.

Expects content without errors (zone.check); folds what check only warns of: duplicate records
(RFC 2181 5) and differing TTLs in an RRset (the lowest wins, RFC 2181 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_DNAME,
    TYPE_NS,
    TYPE_NSEC,
    TYPE_NSEC3PARAM,
    TYPE_RRSIG,
    TYPE_SOA,
)
from ocizone.zone.content import (
    Content,
    by_type,
    distinct,
    params_of,
    parent_key,
    signatures_of,
)
from ocizone.zone.node import Flag, Node, RRset, encode
from ocizone.zone.reader import Nsec3Params, ZoneInfo
from ocizone.zone.record import Record
from ocizone.zone.serial import distance

_WILDCARD = b"*\x00"
_CUT = Flag.CUT.value
_DNAME = Flag.DNAME.value
_OCCLUDED = Flag.OCCLUDED.value
_WILDCARD_CHILD = Flag.WILDCARD_CHILD.value
_EMPTY_NON_TERMINAL = Flag.EMPTY_NON_TERMINAL.value
_MIXED_CASE = Flag.MIXED_CASE.value


def zone_info(content: Content, file: str, now: int = 2**31) -> ZoneInfo:
    """Return what is known of the zone as a whole; the content has one SOA at its apex.

    Args:
        content: of the zone.
        file: it was read from.
        now: unix seconds: the times of signatures are within 68 years of it (RFC 4034 3.1.5).
    """
    apex = by_type(content.names[b""])
    (soa,) = distinct(apex[TYPE_SOA]).values()
    serial, minimum = soa_numbers(soa.rdata)
    nsec3 = _nsec3_params(apex) if content.nsec3 else None
    return ZoneInfo(
        apex=content.apex,
        apex_labels=content.apex_labels,
        serial=serial,
        records=content.records,
        negative_ttl=min(soa.ttl, minimum),
        file=file,
        denial="nsec3" if nsec3 else "nsec" if TYPE_NSEC in apex else "",
        nsec3=nsec3,
        signed_until=_signed_until(content, now),
    )


def _nsec3_params(apex: dict[int, list[Record]]) -> Nsec3Params | None:
    """Return how names are hashed, of the first complete chain there is (RFC 5155 4, 7.3)."""
    for record in apex.get(TYPE_NSEC3PARAM, ()):
        algorithm, flags, params = params_of(record)
        if algorithm == 1 and not flags:
            return params
    return None


def _signed_until(content: Content, now: int) -> int:
    """Return when the first signature expires, unix seconds; 0 in a zone without."""
    if not content.signatures:
        return 0
    ends = (int.from_bytes(record.rdata[8:12]) for record in signatures_of(content))
    return now + min(distance(end, now) for end in ends)


def soa_numbers(rdata: bytes) -> tuple[int, int]:
    """Return (SERIAL, MINIMUM) of SOA rdata: it ends in five 32-bit numbers (RFC 1035 3.3.13)."""
    return int.from_bytes(rdata[-20:-16], "big"), int.from_bytes(rdata[-4:], "big")


def zone_nodes(content: Content) -> Iterator[tuple[bytes, Node]]:
    """Yield (key, node) in canonical order."""
    return ((key, Node.decode(value)) for key, value in encoded_nodes(content))


def encoded_nodes(content: Content) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, encoded node) in canonical order.

    A cut below a cut is no cut of this zone: it is only OCCLUDED, so that a lookup finds the
    one that counts from either end.
    """
    covered: bytes | None = None
    owners, packed = content.names, content.packed
    one, singles, cuts = packed.one, packed.singles, packed.cuts
    above_wildcards = {
        key[: -len(_WILDCARD)]
        for key in content.order
        if key.endswith(_WILDCARD) and parent_key(key) + _WILDCARD == key
    }
    for key in content.order:
        occluded = covered is not None and key.startswith(covered)
        # Adding plain numbers: each | of two Flags costs as much as the rest of a node.
        flags = _OCCLUDED * occluded + _WILDCARD_CHILD * (key in above_wildcards)
        records = owners.get(key)
        if records is None:
            # A cut that is packed is below no other, and has only glue below (zone.attention).
            if key in cuts:
                covered = key
                flags += _CUT
            yield key, packed.encoded(key, flags) if flags or key not in one else singles[one[key]]
            continue
        rrsets = _rrsets(records)
        owner = _spelling(records)
        cut = not occluded and key != b"" and TYPE_NS in rrsets
        dname = not occluded and not cut and TYPE_DNAME in rrsets
        if cut or dname:
            covered = key
        flags += (
            _CUT * cut
            + _DNAME * dname
            + _EMPTY_NON_TERMINAL * (not records)
            + _MIXED_CASE * (owner is not None)
        )
        yield key, encode(flags, rrsets, owner)


def nsec3_nodes(content: Content) -> Iterator[tuple[bytes, Node]]:
    """Yield (hash, node with the NSEC3 RRset) in hash order."""
    return ((digest, Node.decode(value)) for digest, value in encoded_nsec3(content))


def encoded_nsec3(content: Content) -> Iterator[tuple[bytes, bytes]]:
    """Yield (hash, encoded node with the NSEC3 RRset) in hash order."""
    for digest, records in sorted(content.nsec3.items()):
        rrsets = _rrsets(records)
        # A signature over an NSEC3 that is not there is no node.
        if rrsets:
            owner = _spelling(records)
            yield digest, encode(_MIXED_CASE * (owner is not None), rrsets, owner)


def _spelling(records: list[Record]) -> bytes | None:
    """Return the owner as first written when that is not lower case, else None."""
    if not records or records[0].owner == names.lower(records[0].owner):
        return None
    return records[0].owner


def _rrsets(records: list[Record]) -> dict[int, RRset]:
    """Return RRsets by type; RRSIGs stand with the type they cover (RFC 4034 3.1.1)."""
    if len(records) == 1 and records[0].rrtype != TYPE_RRSIG:
        (record,) = records
        return {record.rrtype: RRset(record.rrtype, record.ttl, (record.rdata,))}
    groups = by_type(records)
    signatures: dict[int, list[bytes]] = {}
    for record in groups.pop(TYPE_RRSIG, ()):
        covered = int.from_bytes(record.rdata[:2], "big")
        signatures.setdefault(covered, []).append(record.rdata)
    return {
        rrtype: _rrset(rrtype, group, signatures.get(rrtype, ()))
        for rrtype, group in groups.items()
    }


def _rrset(rrtype: int, group: list[Record], signatures: list[bytes] | tuple[()]) -> RRset:
    if len(group) == 1:
        return RRset(rrtype, group[0].ttl, (group[0].rdata,), tuple(signatures))
    kept = tuple(record.rdata for record in distinct(group).values())
    lowest = min(record.ttl for record in group)
    return RRset(rrtype, lowest, kept, tuple(dict.fromkeys(signatures)))
