"""What goes into the additional section: glue, and addresses that save a query.

Only from the zone that answers, exact names only, bounded (CVE-2024-11187): by names, and by the
octets the response may have, for nothing is read that no room is left for. Not here: the OPT, and
what fits in the end (wire.render).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from ocizone.limits import ADDITIONAL_NAMES
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_AFSDB,
    TYPE_HTTPS,
    TYPE_KX,
    TYPE_MX,
    TYPE_NS,
    TYPE_RT,
    TYPE_SRV,
    TYPE_SVCB,
)
from ocizone.wire.name import ROOT, is_at_or_below, relative_key
from ocizone.wire.render import Records, Section, least_octets
from ocizone.zone.lookup import Match, NoData, Referral, lookup
from ocizone.zone.node import Flag, Node
from ocizone.zone.reader import ZoneReader

_Present = AbstractSet[tuple[bytes, int]]
_NOTHING: Final[_Present] = frozenset()
_ADDRESSES: Final = (TYPE_A, TYPE_AAAA)
# Where the target's name starts in the rdata (RFC 1035 3.3.9, RFC 1183 1 and 3.3, RFC 2782,
# RFC 2230 3, RFC 9460 2.2).
#: Types whose answers bring the addresses of what they point at.
TARGET_AT: Final = {
    TYPE_NS: 0,
    TYPE_MX: 2,
    TYPE_AFSDB: 2,
    TYPE_RT: 2,
    TYPE_SRV: 6,
    TYPE_KX: 2,
    TYPE_SVCB: 2,
    TYPE_HTTPS: 2,
}


class _Gathered:
    """RRsets for one section: up to the first that cannot fit, that one included.

    It is included for what it does in a response: required, it sets TC; helpful, it ends the
    section. Those behind it would change nothing.
    """

    __slots__ = ("room", "rrsets")

    def __init__(self, room: int) -> None:
        self.room = room
        self.rrsets: list[tuple[bytes, Records]] = []

    def add(self, owner: bytes, node: Node, types: tuple[int, ...], present: _Present) -> None:
        """Add what the node has of these types, but for what is present already."""
        for rrtype in types:
            if self.room < 0:
                return
            if rrtype in node.rrsets and (owner.lower(), rrtype) not in present:
                rrset = node.rrsets[rrtype]
                self.rrsets.append((owner, rrset))
                self.room -= least_octets(rrset)


def glue(zone: ZoneReader, referral: Referral, octets: int) -> tuple[Section, Section]:
    """Return in-domain glue, which is required, and sibling glue, which helps (RFC 9471 2).

    Names of in-domain glue are not counted: all of it is sent, or TC is set.

    Args:
        zone: holds the delegation.
        referral: the delegation.
        octets: what the response may have.
    """
    servers = referral.node.rrsets[TYPE_NS]
    room = octets - least_octets(servers)
    required, sibling = _Gathered(room), _Gathered(room)
    siblings = 0
    cut = referral.owner.lower()
    for rdata in servers.rdatas:
        # TC is certain: neither more glue nor a sibling's would be sent.
        if required.room < 0:
            break
        target = rdata.lower()
        if is_at_or_below(target, cut):
            found = required
        elif siblings < ADDITIONAL_NAMES and sibling.room >= 0:
            found = sibling
        else:
            continue
        node = _node(zone, target)
        if node is not None:
            siblings += found is sibling
            found.add(node.owner or target, node, _ADDRESSES, _NOTHING)
    return tuple(required.rrsets), tuple(sibling.rrsets)


def helpful(zone: ZoneReader, octets: int, *sections: Section) -> Section:
    """Return the addresses of what these sections point at (RFC 1035 3.3.9, 2782, 9460 4.1).

    Targets of NS, MX, AFSDB, RT, SRV, KX, SVCB and HTTPS, the latter two along their aliases;
    nothing that a section already holds, and at most limits.ADDITIONAL_NAMES names. A wildcard
    stands for a target as it does for a question. Glue is given for NS alone: other data below
    a cut is not this zone's to say (RFC 2181 6.1).

    Args:
        zone: the zone that answers.
        octets: what the response may have.
        sections: of the response.
    """
    found = _Gathered(octets)
    seen: set[bytes] = set()
    present = {(owner.lower(), rrset.rrtype) for section in sections for owner, rrset in section}
    pointing = [pair for section in sections for pair in section]
    for owner, rrset in pointing:
        at = TARGET_AT.get(rrset.rrtype)
        if at is None:
            continue
        for rdata in rrset.rdatas:
            target, types = _wanted(owner, rrset.rrtype, rdata, at)
            if target in seen:
                continue
            if len(seen) == ADDITIONAL_NAMES or found.room < 0:
                break
            seen.add(target)
            node = _node(zone, target)
            if node is None:
                at_target, node = target, _covering_wildcard(zone, target)
            else:
                at_target = node.owner or target
            if node is None or (rrset.rrtype != TYPE_NS and Flag.OCCLUDED in node.flags):
                continue
            found.add(at_target, node, types, present)
            # An alias goes on from there (RFC 9460 4.1): the loop comes to it, for it is grown.
            if rrset.rrtype in types and rrset.rrtype in node.rrsets:
                pointing.append((at_target, node.rrsets[rrset.rrtype]))
    return tuple(found.rrsets)


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


def _covering_wildcard(zone: ZoneReader, name: bytes) -> Node | None:
    """Return the wildcard that stands for a name that has no node (RFC 4592 3.3.1)."""
    if not is_at_or_below(name, zone.info.apex):
        return None
    outcome = lookup(zone, name, TYPE_A)
    return outcome.node if isinstance(outcome, Match | NoData) else None


def _node(zone: ZoneReader, name: bytes) -> Node | None:
    info = zone.info
    if not is_at_or_below(name, info.apex):
        return None
    return zone.get(relative_key(name, info.apex_labels))
