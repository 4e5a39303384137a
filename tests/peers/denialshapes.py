"""Shapes of differences in denials: what NSEC and NSEC3 records one side gives.

Used by the table of what is explained, which says why they are right.
"""

from __future__ import annotations

import dns.dnssec
import dns.name
from dns.rdatatype import CNAME, DNAME, NS, NSEC, NSEC3, SOA

from tests.peers.compare import Difference, Item
from tests.peers.shapes import covered_type, limit, targets

_OPT_OUT = 1
#: A SOA takes so much at least, its names compressed.
_SOA_OCTETS = 60
_SECTIONS = ("answer", "authority", "additional")


def proof_truncated(difference: Difference, item: Item) -> bool:
    """A wildcard's answer whose proof does not fit: we set TC, they leave the proof out."""
    return (
        item.aspect == "tc"
        and difference.ours.tc
        and difference.question.do
        and bool(difference.ours.answer)
        and not difference.theirs.types("authority") & {NSEC, NSEC3}
    )


def cut_nsec(difference: Difference, item: Item) -> bool:
    """The NSEC of a zone cut, asked for itself: an answer of the parent, or a referral."""
    return (
        difference.question.qtype == NSEC
        and not difference.ours.aa
        and (NS in difference.ours.types("authority") or difference.ours.tc)
        and difference.theirs.aa
        and {one.owner for one in difference.theirs.answer} == {difference.question.name}
        and item.aspect in ("aa", "tc", *_SECTIONS)
    )


def wildcard_ent(difference: Difference, item: Item) -> bool:
    """NODATA of a name that a wildcard covers which is itself an empty non-terminal."""
    if item.aspect not in ("tc", "authority"):
        return False
    if item.record is not None and covered_type(item.record) != NSEC:
        return False
    # Where the whole proof does not fit we set TC, and theirs goes on.
    if item.sign != "-" and not difference.ours.tc:
        return False
    known = difference.zones.types
    asked = {difference.question.name, *targets(difference.ours.answer, CNAME)}
    wildcards = {
        dns.name.Name((b"*", *name.labels[up:]))
        for name in asked
        for up in range(1, len(name.labels))
    }
    return any(
        wildcard not in known and any(one.is_subdomain(wildcard) for one in known)
        for wildcard in wildcards
    )


def wildcard_nsec(difference: Difference, item: Item) -> bool:
    """NSEC asked for at a name that a wildcard covers."""
    return (
        difference.question.qtype == NSEC
        and difference.question.name not in difference.zones.types
        and item.aspect == "authority"
        and item.sign == "-"
        and item.record is not None
        and covered_type(item.record) == NSEC
    )


def soa_left_out(difference: Difference, item: Item) -> bool:
    return (
        item.aspect == "authority"
        and item.sign == "-"
        and item.record is not None
        and item.record.rrtype == SOA
        and not difference.theirs.authority
        and len(difference.theirs.wire or b"") + _SOA_OCTETS > limit(difference)
    )


def below_hash(difference: Difference, item: Item) -> bool:
    """At or below the owner of an NSEC3."""
    name, hashes = difference.question.name, difference.zones.hashes
    return item.aspect in ("rcode", "aa", "tc", *_SECTIONS) and any(
        name.is_subdomain(one) for one in hashes
    )


def asterisk(difference: Difference, item: Item) -> bool:
    """A name spelled with an asterisk that another wildcard covers."""
    name = difference.question.name
    return (
        name.labels[0] == b"*"
        and name not in difference.zones.types
        and (item.aspect == "tc" or (item.aspect == "authority" and item.record is not None))
        and (item.record is None or covered_type(item.record) in (NSEC, NSEC3))
        and (item.sign != "+" or difference.ours.tc)
    )


def more_proof(difference: Difference, item: Item) -> bool:
    """Denial records beyond ours, and TC where there is no room for them."""
    ours, theirs = difference.ours, difference.theirs
    if theirs.tc and not ours.tc and difference.question.do:
        return item.aspect in ("tc", "authority")
    return (
        item.aspect == "authority"
        and item.sign == "+"
        and item.record is not None
        and covered_type(item.record) in (NSEC, NSEC3)
        and (CNAME in ours.types("answer") or difference.question.name.labels[0] == b"*")
        and not any(one.aspect == "authority" and one.sign == "-" for one in difference.items)
    )


def less_proof(difference: Difference, item: Item) -> bool:
    """Denial records that they leave out: at the end of aliases, and of a wildcard's types."""
    ours, question = difference.ours, difference.question
    aliased = bool(ours.types("answer") & {CNAME, DNAME})
    if not question.do or (question.name in difference.zones.types and not aliased):
        return False
    if ours.tc:
        return aliased and item.aspect in ("tc", "authority")
    return (
        item.aspect == "authority"
        and item.sign == "-"
        and item.record is not None
        and covered_type(item.record) in (NSEC, NSEC3)
        and not any(one.aspect == "authority" and one.sign == "+" for one in difference.items)
    )


def insecure_ent(difference: Difference, item: Item) -> bool:
    """Below an empty non-terminal that only insecure delegations make: it has no NSEC3."""
    flags = {one.rdata[1] for one in difference.ours.authority if one.rrtype == NSEC3}
    return (
        item.aspect == "authority"
        and item.record is not None
        and covered_type(item.record) == NSEC3
        and _OPT_OUT in flags
        and difference.question.name not in difference.zones.types
    )


def unprovable(difference: Difference, item: Item) -> bool:
    """A name below an ENT that Opt-Out leaves out, with a wildcard beside what is above it.

    The wildcard exists, so that no NSEC3 covers it; Knot then gives a denial without anything.
    """
    records = [one for one in difference.ours.authority if one.rrtype == NSEC3]
    if item.aspect not in ("aa", "authority") or not (
        any(one.rdata[1] & _OPT_OUT for one in records)
        and not (difference.theirs.aa or difference.theirs.answer or difference.theirs.authority)
    ):
        return False
    # An NSEC3 with the hash of a wildcard is one that exists, if only as an ENT itself.
    labels = difference.question.name.labels
    wildcards = [dns.name.Name((b"*", *labels[at:])) for at in range(1, len(labels))]
    return any(
        one.owner.labels[0] == _hashed(name, one.rdata) for one in records for name in wildcards
    )


def _hashed(name: dns.name.Name, rdata: bytes) -> bytes:
    """Return the label an NSEC3 of this name has, by the parameters of another."""
    iterations, salt = int.from_bytes(rdata[2:4]), rdata[5 : 5 + rdata[4]]
    return dns.dnssec.nsec3_hash(name, salt, iterations, "SHA1").lower().encode()
