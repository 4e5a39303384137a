"""Which packed names checks may have something to say of: those that are not plain after all.

A name is plain as long as zone.check, looking at it, finds nothing. Told here by octets and for
all that is common; whoever cannot be told at once is looked at, which costs time and
changes nothing (law, tests: findings and images are the same). Not here: what is found (zone.check).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping
from itertools import pairwise
from typing import Final

from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_CNAME, TYPE_DNAME, TYPE_MX, TYPE_NS, TYPE_SRV
from ocizone.zone.packed import Packed
from ocizone.zone.record import NAME_AT, Record
from ocizone.zone.single import read_single, single_kind, single_type

_Unpacked = Mapping[bytes, list[Record]]
# Of one name: far below every limit of zone.check.
_FEW: Final = 16
_NS: Final = {TYPE_NS.to_bytes(2)}
_LEADS_ON: Final = frozenset({TYPE_NS, TYPE_CNAME, TYPE_MX, TYPE_SRV})
_STAR: Final = b"*"
_NOT_BESIDE_OTHERS: Final = _NS | {TYPE_CNAME.to_bytes(2)}


def looked_at(packed: Packed, unpacked: _Unpacked, order: list[bytes]) -> set[bytes]:
    """Return the packed names that are not plain, but for those that stand at a wrong place.

    Args:
        packed: the names.
        unpacked: all other names of the zone.
        order: the keys of both, sorted.
    """
    unlike = {key for key, numbers in packed.several.items() if not _is_plain(packed, numbers)}
    apex_labels = len(names.labels(packed.apex))
    found = unlike | {
        key
        for key in packed.noted
        if key in packed and not _names_plain_hosts(packed, key, apex_labels, unlike)
    }
    covers = {
        key
        for at, (key, after) in enumerate(pairwise(order) if packed.cuts else ())
        if key in packed.cuts
        and after.startswith(key)
        and key in packed
        and not _is_above_glue(packed, unpacked, order, at)
    }
    return found | covers


def out_of_place(packed: Packed, unpacked: _Unpacked, order: list[bytes]) -> Iterator[bytes]:
    """Yield packed names below a DNAME, and those below a cut that are no glue.

    Args:
        packed: the names; a cut among them has nothing but glue below.
        unpacked: all other names of the zone.
        order: the keys of both, sorted.
    """
    behind = 0
    for key in sorted(unpacked) if len(packed) else ():
        types = {record.rrtype for record in unpacked[key]}
        is_cut = bool(key) and TYPE_NS in types
        if not (is_cut or TYPE_DNAME in types):
            continue
        at = bisect_left(order, key)
        # Below a cover no other one counts (zone.check).
        if at < behind:
            continue
        behind = at + 1
        while behind < len(order) and order[behind].startswith(key):
            below = order[behind]
            behind += 1
            if below in packed and not (is_cut and packed.are_addresses(below)):
                yield below


def _is_plain(packed: Packed, numbers: list[int]) -> bool:
    """Tell whether records of a name are distinct, of one TTL a type, and may stand together."""
    if len(numbers) > _FEW:
        return False
    singles = [packed.singles[number] for number in numbers]
    kinds = {single_kind(single) for single in singles}
    types = {single_type(single) for single in singles}
    return (
        len(kinds) == len(types)
        and (types.isdisjoint(_NOT_BESIDE_OTHERS) or types == _NS)
        # In lower case: names that differ in case only are the same (zone.content.comparable).
        and len(set(map(bytes.lower, singles))) == len(singles)
    )


def _names_plain_hosts(
    packed: Packed, key: bytes, apex_labels: int, unlike: Container[bytes]
) -> bool:
    """Tell whether what a name points at in its zone are plain names with addresses."""
    for number in packed.numbers(key):
        rrtype, _, rdata = read_single(packed.singles[number])
        if rrtype not in _LEADS_ON:
            continue
        host = names.lower(rdata[NAME_AT[rrtype] :])
        if rrtype == TYPE_NS and _STAR in key:
            return False
        if names.is_at_or_below(host, packed.apex):
            at = names.relative_key(host, apex_labels)
            if at in unlike or not packed.has_address(at):
                return False
    return True


def _is_above_glue(packed: Packed, unpacked: _Unpacked, order: list[bytes], at: int) -> bool:
    """Tell whether all that is below a cut are addresses; and names that have nothing, between."""
    cut = order[at]
    at += 1
    while at < len(order) and order[at].startswith(cut):
        below = order[at]
        if not (packed.are_addresses(below) or unpacked.get(below) == []):
            return False
        at += 1
    return True
