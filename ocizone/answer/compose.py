"""Put what a lookup found into sections (RFC 1034 4.3.2, RFC 2308, RFC 6604, RFC 9471, RFC 4035 3).

One function an outcome. Positive answers carry the apex NS in authority, as NSD and BIND do by
default and Knot does not; ``minimal`` leaves it out. Signatures travel with their RRsets; which
records prove a denial says zone.denial, and it is asked for clients with DO alone. Not here: size
and bytes (wire.render), directives (answer.policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from ocizone.answer.additional import glue, helpful
from ocizone.answer.chase import EndOutcome, ZoneOf, follow
from ocizone.limits import TCP_MESSAGE_OCTETS
from ocizone.wire.codes import (
    EDE_OTHER,
    NOERROR,
    NXDOMAIN,
    SERVFAIL,
    TYPE_ANY,
    TYPE_CDNSKEY,
    TYPE_CDS,
    TYPE_DNSKEY,
    TYPE_DS,
    TYPE_NS,
    TYPE_SOA,
    YXDOMAIN,
)
from ocizone.wire.render import Answer, Section
from ocizone.zone import denial
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


@dataclass(frozen=True, slots=True)
class Aliases:
    """What led to the name that is answered.

    Attributes:
        records: CNAME and DNAME RRsets, in order.
        proof: that nothing stood closer than the wildcards among them.
    """

    records: Section = ()
    proof: Section = ()


_NO_ALIASES: Final = Aliases()
# Two names have one hash: a zone with another salt has no such pair (RFC 5155 7.2.9).
_UNPROVABLE: Final = Answer(SERVFAIL, error=(EDE_OTHER, "NSEC3 hash collision"))
# Validators ask for these, and have the zone's servers already; BIND sends them alone, too.
FOR_VALIDATION: Final = frozenset({TYPE_DS, TYPE_DNSKEY, TYPE_CDS, TYPE_CDNSKEY})


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
        return answer_alias(name, qtype, outcome, zone, zone_of, wanted)
    return _answer_outcome(name, qtype, zone, outcome, _NO_ALIASES, wanted)


def _answer_outcome(
    name: bytes,
    qtype: int,
    zone: ZoneReader,
    outcome: EndOutcome,
    aliases: Aliases,
    wanted: Wanted,
) -> Answer:
    match outcome:
        case Match():
            return answer_match(name, qtype, zone, outcome, aliases, wanted)
        case NoData():
            return answer_nodata(name, zone, outcome, aliases, wanted)
        case NxDomain():
            return answer_nxdomain(name, zone, outcome, aliases, wanted)
        case Referral():
            return answer_referral(zone, outcome, aliases, wanted)
        case _:
            assert_never(outcome)


def answer_match(
    name: bytes, qtype: int, zone: ZoneReader, match: Match, aliases: Aliases, wanted: Wanted
) -> Answer:
    """Answer with the RRsets, the apex NS, and addresses that save a query (RFC 1034 4.3.2).

    What a wildcard answers comes with the proof that nothing stands closer (RFC 4035 3.1.3.3).
    """
    answer = aliases.records + tuple([(name, rrset) for rrset in match.rrsets])
    authority = aliases.proof
    if wanted.do and match.wildcard is not None:
        proof = denial.no_closer(zone, name, match.encloser)
        if proof is None:
            return _UNPROVABLE
        authority = _joined(authority, proof)
    if wanted.minimal or qtype in FOR_VALIDATION:
        return Answer(aa=True, answer=answer, authority=authority)
    courtesy = () if _has_apex_ns(zone, name, match) else _apex_ns(zone)
    authority += courtesy
    # Who asks for all there is at a name gets nothing of others: answers to ANY are large enough.
    any_type = qtype == TYPE_ANY
    return Answer(
        aa=True,
        answer=answer,
        authority=authority,
        additional=() if any_type else helpful(zone, wanted.octets, answer, authority),
        courtesy_ns=bool(courtesy),
    )


def answer_nodata(
    name: bytes, zone: ZoneReader, outcome: NoData, aliases: Aliases, wanted: Wanted
) -> Answer:
    """Answer that the type does not exist: SOA in authority (RFC 2308 2.2), and the proof."""
    authority = _negative_soa(zone)
    if wanted.do:
        proof = denial.no_data(zone, name, outcome)
        if proof is None:
            return _UNPROVABLE
        authority += _joined(aliases.proof, proof)
    return Answer(NOERROR, aa=True, answer=aliases.records, authority=authority)


def answer_nxdomain(
    name: bytes, zone: ZoneReader, outcome: NxDomain, aliases: Aliases, wanted: Wanted
) -> Answer:
    """Answer that the name does not exist (RFC 2308 2.1); after aliases too (RFC 6604 3)."""
    authority = _negative_soa(zone)
    if wanted.do:
        proof = denial.no_name(zone, name, outcome.encloser)
        if proof is None:
            return _UNPROVABLE
        authority += _joined(aliases.proof, proof)
    return Answer(NXDOMAIN, aa=True, answer=aliases.records, authority=authority)


def answer_referral(
    zone: ZoneReader, referral: Referral, aliases: Aliases, wanted: Wanted
) -> Answer:
    """Answer with the delegation and its glue; with DO the DS, or that there is none.

    RFC 4035 3.1.4. Authoritative only for the aliases that led here (RFC 1035 4.1.1).
    """
    rrsets = referral.node.rrsets
    authority: Section = ((referral.owner, rrsets[TYPE_NS]),)
    if wanted.do:
        ds = rrsets.get(TYPE_DS)
        # An unsigned zone says nothing about its children's keys: no DS without its signature.
        if ds is not None and ds.signatures:
            authority += ((referral.owner, ds), *aliases.proof)
        else:
            proof = denial.no_ds(zone, referral.cut, referral.node)
            if proof is None:
                return _UNPROVABLE
            authority += _joined(aliases.proof, proof)
    required, sibling = glue(zone, referral, wanted.octets)
    return Answer(
        aa=bool(aliases.records),
        answer=aliases.records,
        authority=authority,
        glue=required,
        additional=sibling,
    )


def answer_alias(
    name: bytes, qtype: int, alias: Alias, zone: ZoneReader, zone_of: ZoneOf, wanted: Wanted
) -> Answer:
    """Answer with the chain of aliases and what stands at its end (RFC 1034 3.6.2, RFC 6604).

    A chain that leaves our zones is NOERROR: the client goes on. One that loops ends where it
    would repeat.
    """
    chain = follow(name, qtype, alias, zone, zone_of)
    proof: Section = ()
    if wanted.do:
        for step in chain.expanded:
            more = denial.no_closer(step.zone, step.name, step.encloser)
            if more is None:
                return _UNPROVABLE
            proof = _joined(proof, more)
    if chain.end is not None:
        end, aliases = chain.end, Aliases(chain.records, proof)
        return _answer_outcome(end.name, qtype, end.zone, end.outcome, aliases, wanted)
    rcode = YXDOMAIN if chain.overflow else NOERROR
    return Answer(rcode, aa=True, answer=chain.records, authority=proof)


def _joined(proof: Section, more: Section) -> Section:
    """Return both proofs with each RRset once, though two denials may need it."""
    if not proof:
        return more
    # Parent and child both have an NSEC at a cut.
    return tuple({(owner, rrset.rdatas): (owner, rrset) for owner, rrset in proof + more}.values())


def _has_apex_ns(zone: ZoneReader, name: bytes, match: Match) -> bool:
    """Tell whether the answer is, or holds, the NS RRset that authority would repeat."""
    return name == zone.info.apex and any(rrset.rrtype == TYPE_NS for rrset in match.rrsets)


def _apex_ns(zone: ZoneReader) -> Section:
    node = zone.get(b"")
    assert node is not None  # a zone has an apex
    ns = node.rrsets.get(TYPE_NS)
    return () if ns is None else ((node.owner or zone.info.apex, ns),)


def _negative_soa(zone: ZoneReader) -> Section:
    """Return the SOA for as long as the denial may be kept: min(TTL, MINIMUM) (RFC 2308 3)."""
    node = zone.get(b"")
    assert node is not None  # a zone has an apex
    soa = node.rrsets[TYPE_SOA]
    ttl = zone.info.negative_ttl
    if soa.ttl != ttl:
        soa = RRset(TYPE_SOA, ttl, soa.rdatas, soa.signatures)
    return ((node.owner or zone.info.apex, soa),)
