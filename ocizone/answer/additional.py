"""What goes into the additional section: glue, and addresses that save a query.

Only from the zone that answers, exact names only, bounded (CVE-2024-11187). Not here: the OPT
(wire.render).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ocizone.limits import ADDITIONAL_NAMES
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_HTTPS,
    TYPE_MX,
    TYPE_NS,
    TYPE_SRV,
    TYPE_SVCB,
)
from ocizone.wire.name import ROOT, is_at_or_below, relative_key
from ocizone.wire.render import Section
from ocizone.zone.lookup import Referral
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.reader import ZoneReader

_ADDRESSES: Final = (TYPE_A, TYPE_AAAA)
# Where the target's name starts in the rdata (RFC 1035 3.3.9, RFC 2782, RFC 9460 2.2).
_TARGET_AT: Final = {TYPE_NS: 0, TYPE_MX: 2, TYPE_SRV: 6, TYPE_SVCB: 2, TYPE_HTTPS: 2}


def glue(zone: ZoneReader, referral: Referral) -> tuple[Section, Section]:
    """Return in-domain glue, which is required, and sibling glue, which helps (RFC 9471 2).

    In-domain glue is not counted: all of it is sent, or TC is set.
    """
    required: list[tuple[bytes, Node]] = []
    sibling: list[tuple[bytes, Node]] = []
    cut = referral.owner.lower()
    for rdata in referral.node.rrsets[TYPE_NS].rdatas:
        target = rdata.lower()
        if is_at_or_below(target, cut):
            found = required
        elif len(sibling) < ADDITIONAL_NAMES:
            found = sibling
        else:
            continue
        node = _node(zone, target)
        if node is not None:
            found.append((node.owner or target, node))
    return (
        tuple(_of_types(required, _ADDRESSES)),
        tuple(_of_types(sibling, _ADDRESSES)),
    )


def helpful(zone: ZoneReader, *sections: Section) -> Section:
    """Return the addresses of what these sections point at (RFC 1035 3.3.9, 2782, 9460 4.1).

    Targets of NS, MX, SRV, SVCB and HTTPS; nothing that a section already holds, and at most
    limits.ADDITIONAL_NAMES names. Glue is given for NS alone: other data below a cut is not
    this zone's to say (RFC 2181 6.1).
    """
    found: list[tuple[bytes, Node, tuple[int, ...]]] = []
    seen: set[bytes] = set()
    for owner, rrset in (pair for section in sections for pair in section):
        at = _TARGET_AT.get(rrset.rrtype)
        if at is None:
            continue
        for rdata in rrset.rdatas:
            target, types = _wanted(owner, rrset.rrtype, rdata, at)
            if target in seen:
                continue
            if len(seen) == ADDITIONAL_NAMES:
                break
            seen.add(target)
            node = _node(zone, target)
            if node is None or (rrset.rrtype != TYPE_NS and Flag.OCCLUDED in node.flags):
                continue
            found.append((node.owner or target, node, types))
    if not found:
        return ()
    present = {(owner.lower(), rrset.rrtype) for section in sections for owner, rrset in section}
    return tuple(
        (owner, rrset)
        for target, node, types in found
        for owner, rrset in _of_types([(target, node)], types)
        if (owner.lower(), rrset.rrtype) not in present
    )


def _wanted(owner: bytes, rrtype: int, rdata: bytes, at: int) -> tuple[bytes, tuple[int, ...]]:
    """Return the name a record points at, lower case, and the types that help there."""
    end = at
    while size := rdata[end]:
        end += 1 + size
    target = rdata[at : end + 1].lower()
    if rrtype in (TYPE_SVCB, TYPE_HTTPS):
        if rdata[0] == rdata[1] == 0:
            # AliasMode: the client goes on with the same type (RFC 9460 2.4.2).
            return target, (rrtype, *_ADDRESSES)
        if target == ROOT:
            # ServiceMode: "." is the owner (RFC 9460 2.5.2).
            return owner.lower(), _ADDRESSES
    return target, _ADDRESSES


def _node(zone: ZoneReader, name: bytes) -> Node | None:
    info = zone.info
    if not is_at_or_below(name, info.apex):
        return None
    return zone.get(relative_key(name, info.apex_labels))


def _of_types(
    found: list[tuple[bytes, Node]], types: tuple[int, ...]
) -> Iterator[tuple[bytes, RRset]]:
    for owner, node in found:
        for rrtype in types:
            rrset = node.rrsets.get(rrtype)
            if rrset is not None:
                yield owner, rrset
