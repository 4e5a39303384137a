"""Follow aliases through our own zones (RFC 1034 3.6.2, RFC 6672 3.2, RFC 6604).

Bounded by limits.ALIAS_CHAIN and by the names already asked, so that no loop and no chain of
ten thousand costs more than sixteen lookups. Not here: the sections a chain ends in
(answer.compose).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ocizone.limits import ALIAS_CHAIN
from ocizone.wire.codes import TYPE_CNAME, TYPE_DNAME
from ocizone.wire.render import Section
from ocizone.zone.lookup import Alias, Match, NoData, NxDomain, Referral, lookup
from ocizone.zone.node import RRset
from ocizone.zone.reader import ZoneReader

#: The zone that answers a lower-case name, None where we serve none or may not look.
ZoneOf = Callable[[bytes], ZoneReader | None]

EndOutcome = Match | NoData | NxDomain | Referral


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends in our own data.

    Attributes:
        name: the last name asked, lower case.
        zone: the zone it was looked up in.
        outcome: what that zone said.
    """

    name: bytes
    zone: ZoneReader
    outcome: EndOutcome


@dataclass(frozen=True, slots=True)
class Expanded:
    """A CNAME that a wildcard stood in for.

    Attributes:
        name: the name it answered for, lower case.
        zone: the zone of the wildcard.
        encloser: key of the closest encloser.
    """

    name: bytes
    zone: ZoneReader
    encloser: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """The aliases from the query name on.

    Attributes:
        records: CNAME and DNAME RRsets in order, with the CNAMEs that DNAMEs stand for.
        expanded: the aliases that wildcards stood in for, in order.
        end: None when the chain leaves our zones, loops, is too long, or overflows.
        overflow: a DNAME made a name over 255 octets: YXDOMAIN (RFC 6672 2.2).
    """

    records: Section
    expanded: tuple[Expanded, ...]
    end: End | None
    overflow: bool = False


def follow(name: bytes, qtype: int, alias: Alias, zone: ZoneReader, zone_of: ZoneOf) -> Chain:
    """Return the chain that starts with this alias of ``name``.

    Args:
        name: the query name, lower case.
        qtype: what is asked; CNAME ends at the CNAME a DNAME stands for.
        alias: what the first lookup found.
        zone: where it found it.
        zone_of: finds the zone for each next name.
    """
    records: list[tuple[bytes, RRset]] = []
    expanded: list[Expanded] = []
    asked = {name}
    dnames: set[bytes] = set()

    def chain(end: End | None = None, *, overflow: bool = False) -> Chain:
        return Chain(tuple(records), tuple(expanded), end, overflow)

    while True:
        is_dname = alias.rrset.rrtype == TYPE_DNAME
        # A second step through one DNAME adds only a CNAME: an RRset stands in a message once.
        if not is_dname or alias.owner not in dnames:
            records.append((alias.owner, alias.rrset))
            dnames.add(alias.owner)
        if alias.wildcard is not None:
            expanded.append(Expanded(name, zone, alias.encloser))
        if alias.target is None:
            return chain(overflow=True)
        if is_dname:
            records.append((name, _synthesized_cname(alias.rrset, alias.target)))
            if qtype == TYPE_CNAME:
                return chain()
        name = alias.target.lower()
        if name in asked or len(asked) == ALIAS_CHAIN:
            return chain()
        asked.add(name)
        found = zone_of(name)
        if found is None:
            return chain()
        zone = found
        outcome = lookup(zone, name, qtype)
        if not isinstance(outcome, Alias):
            return chain(End(name, zone, outcome))
        alias = outcome


def _synthesized_cname(dname: RRset, target: bytes) -> RRset:
    """Return the CNAME a DNAME stands for, with the DNAME's TTL and unsigned (RFC 6672 3.1)."""
    return RRset(TYPE_CNAME, dname.ttl, (target,))
