"""Put what a lookup found into sections (RFC 1034 4.3.2, RFC 2308, RFC 6604, RFC 9471).

One function an outcome. Positive answers carry the apex NS in authority, as NSD and BIND do by
default and Knot does not; ``minimal`` leaves it out. Not here: size and bytes (wire.render),
directives (answer.policy). Signatures travel with their RRsets; the NSEC and NSEC3 records
that prove a denial belong beside the SOA in ``_denial`` and beside the DS in ``answer_referral``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from ocizone.answer.additional import glue, helpful
from ocizone.answer.chase import EndOutcome, ZoneOf, follow
from ocizone.limits import TCP_MESSAGE_OCTETS
from ocizone.wire.codes import NOERROR, NXDOMAIN, TYPE_DS, TYPE_NS, TYPE_SOA, YXDOMAIN
from ocizone.wire.render import Answer, Section
from ocizone.zone.lookup import Alias, Match, NoData, NxDomain, Referral, lookup
from ocizone.zone.node import RRset
from ocizone.zone.reader import ZoneReader


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer may leave out.

    Attributes:
        do: the client wants DNSSEC records (RFC 3225).
        minimal: no authority and additional records in positive answers.
        octets: what the response may have; what is sure not to fit is not collected.
    """

    do: bool = False
    minimal: bool = False
    octets: int = TCP_MESSAGE_OCTETS


def compose(name: bytes, qtype: int, zone: ZoneReader, zone_of: ZoneOf, wanted: Wanted) -> Answer:
    """Return the sections that answer a question from its zone.

    Args:
        name: lower-case wire name, at or below the zone's apex.
        qtype: any type but AXFR and IXFR.
        zone: the zone that answers.
        zone_of: finds the zones aliases lead to.
        wanted: by the client and by the block.
    """
    outcome = lookup(zone, name, qtype)
    if isinstance(outcome, Alias):
        return answer_alias(name, qtype, outcome, zone_of, wanted)
    return _answer_outcome(name, zone, outcome, (), wanted)


def _answer_outcome(
    name: bytes, zone: ZoneReader, outcome: EndOutcome, before: Section, wanted: Wanted
) -> Answer:
    match outcome:
        case Match():
            return answer_match(name, zone, outcome, before, wanted)
        case NoData():
            return answer_nodata(zone, before)
        case NxDomain():
            return answer_nxdomain(zone, before)
        case Referral():
            return answer_referral(zone, outcome, before, wanted)
        case _:
            assert_never(outcome)


def answer_match(
    name: bytes, zone: ZoneReader, match: Match, before: Section, wanted: Wanted
) -> Answer:
    """Answer with the RRsets, the apex NS, and addresses that save a query (RFC 1034 4.3.2)."""
    answer = before + tuple([(name, rrset) for rrset in match.rrsets])
    if wanted.minimal:
        return Answer(aa=True, answer=answer)
    authority = () if _has_apex_ns(zone, name, match) else _apex_ns(zone)
    return Answer(
        aa=True,
        answer=answer,
        authority=authority,
        additional=helpful(zone, wanted.octets, answer, authority),
        courtesy_ns=True,
    )


def answer_nodata(zone: ZoneReader, before: Section) -> Answer:
    """Answer that the type does not exist: SOA in authority (RFC 2308 2.2)."""
    return Answer(NOERROR, aa=True, answer=before, authority=_denial(zone))


def answer_nxdomain(zone: ZoneReader, before: Section) -> Answer:
    """Answer that the name does not exist (RFC 2308 2.1); after aliases too (RFC 6604 3)."""
    return Answer(NXDOMAIN, aa=True, answer=before, authority=_denial(zone))


def answer_referral(
    zone: ZoneReader, referral: Referral, before: Section, wanted: Wanted
) -> Answer:
    """Answer with the delegation, its glue, and DS for who asks with DO (RFC 4035 3.1.4).

    Authoritative only for the aliases that led here (RFC 1035 4.1.1).
    """
    rrsets = referral.node.rrsets
    authority: Section = ((referral.owner, rrsets[TYPE_NS]),)
    if wanted.do and TYPE_DS in rrsets:
        authority += ((referral.owner, rrsets[TYPE_DS]),)
    required, sibling = glue(zone, referral, wanted.octets)
    return Answer(
        aa=bool(before),
        answer=before,
        authority=authority,
        glue=required,
        additional=sibling,
    )


def answer_alias(name: bytes, qtype: int, alias: Alias, zone_of: ZoneOf, wanted: Wanted) -> Answer:
    """Answer with the chain of aliases and what stands at its end (RFC 1034 3.6.2, RFC 6604).

    A chain that leaves our zones is NOERROR: the client goes on. One that loops ends where it
    would repeat.
    """
    chain = follow(name, qtype, alias, zone_of)
    if chain.end is not None:
        end = chain.end
        return _answer_outcome(end.name, end.zone, end.outcome, chain.records, wanted)
    return Answer(YXDOMAIN if chain.overflow else NOERROR, aa=True, answer=chain.records)


def _has_apex_ns(zone: ZoneReader, name: bytes, match: Match) -> bool:
    """Tell whether the answer is, or holds, the NS RRset that authority would repeat."""
    return name == zone.info.apex and any(rrset.rrtype == TYPE_NS for rrset in match.rrsets)


def _apex_ns(zone: ZoneReader) -> Section:
    node = zone.get(b"")
    assert node is not None  # a zone has an apex
    ns = node.rrsets.get(TYPE_NS)
    return () if ns is None else ((node.owner or zone.info.apex, ns),)


def _denial(zone: ZoneReader) -> Section:
    """Return the SOA for as long as the denial may be kept: min(TTL, MINIMUM) (RFC 2308 3)."""
    node = zone.get(b"")
    assert node is not None  # a zone has an apex
    soa = node.rrsets[TYPE_SOA]
    ttl = zone.info.negative_ttl
    if soa.ttl != ttl:
        soa = RRset(TYPE_SOA, ttl, soa.rdatas, soa.signatures)
    return ((node.owner or zone.info.apex, soa),)
