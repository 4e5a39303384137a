"""Shapes of differences in answers, aliases, additional records and sizes; each takes one item.

Used by the table of what is explained, which says why they are right.
"""

from __future__ import annotations

import dns.name
import dns.rcode
from dns.rdatatype import (
    AAAA,
    AFSDB,
    ANY,
    CDNSKEY,
    CDS,
    CNAME,
    DNAME,
    DS,
    HTTPS,
    KEY,
    KX,
    NS,
    NSEC,
    NSEC3,
    RRSIG,
    RT,
    SVCB,
    A,
)

from ocizone.limits import ADDITIONAL_NAMES
from tests.peers.compare import Difference, Item, chain
from tests.peers.wirereader import Record

_ADDRESSES = (A, AAAA)
_LONG_CHAIN = 12
_SECTIONS = ("answer", "authority", "additional")


def covered_type(record: Record) -> int:
    """Return the type a record is, or for an RRSIG is about."""
    return int.from_bytes(record.rdata[:2], "big") if record.rrtype == RRSIG else record.rrtype


def targets(records: tuple[Record, ...], rrtype: int) -> set[dns.name.Name]:
    return {one.target for one in records if one.rrtype == rrtype}


def both_truncated(difference: Difference, item: Item) -> bool:
    sections = (*_SECTIONS, "chain", "rcode")
    return difference.ours.tc and difference.theirs.tc and item.aspect in sections


def positive(difference: Difference) -> bool:
    ours = difference.ours
    return ours.rcode == dns.rcode.NOERROR and ours.aa and bool(ours.answer)


def apex_ns(difference: Difference, item: Item) -> bool:
    """NS in the authority of a positive answer, and the addresses of their targets."""
    if not positive(difference) or item.sign != "-" or item.record is None:
        return False
    if NS in difference.theirs.types("authority"):
        return False
    if item.aspect == "authority":
        return covered_type(item.record) == NS and item.record.owner in difference.zones.origins
    return (
        item.aspect == "additional"
        and covered_type(item.record) in _ADDRESSES
        and item.record.owner in targets(difference.ours.authority, NS)
    )


def small_buffer(difference: Difference, item: Item) -> bool:
    question = difference.question
    if question.tcp or question.size not in (512, None) or item.sign != "-":
        return False
    return apex_ns(difference, item) or (
        item.aspect == "additional"
        and item.record is not None
        and covered_type(item.record) in _ADDRESSES
    )


def any_subset(difference: Difference, item: Item) -> bool:
    """They give fewer RRsets; where ours do not fit we have set TC."""
    theirs = difference.theirs
    if difference.question.qtype not in (ANY, RRSIG) or not theirs.answer or theirs.tc:
        return False
    # With TC we stop where the answer does: another choice, and what stands behind, is theirs.
    if difference.ours.tc:
        return item.aspect in ("tc", *_SECTIONS)
    return item.aspect == "answer" and item.sign == "-"


def any_signatures(difference: Difference, item: Item) -> bool:
    """Signatures in an answer to ANY without DO."""
    return (
        difference.question.qtype == ANY
        and not difference.question.do
        and item.aspect == "answer"
        and item.sign == "+"
        and item.record is not None
        and item.record.rrtype == RRSIG
    )


def any_bare(difference: Difference, item: Item) -> bool:
    """Records that only help, in answers to ANY and RRSIG: one side gives none."""
    question, record = difference.question, item.record
    if question.qtype not in (ANY, RRSIG) or record is None or not positive(difference):
        return False
    if covered_type(record) not in (*_ADDRESSES, NS, HTTPS, SVCB):
        return False
    if item.aspect == "authority":
        return item.sign == "-" and NS not in difference.theirs.types("authority")
    less = difference.theirs if item.sign == "-" else difference.ours
    return item.aspect == "additional" and not less.additional


def glue_truncated(difference: Difference, item: Item) -> bool:
    ours, theirs = difference.ours, difference.theirs
    if not ours.tc or theirs.tc or NS not in ours.types("authority") | theirs.types("authority"):
        return False
    return item.aspect == "tc" or (item.aspect == "additional" and is_address(item))


def is_address(item: Item) -> bool:
    return item.record is not None and covered_type(item.record) in _ADDRESSES


def shorter_chain(difference: Difference, item: Item) -> bool:
    """They stop within the chain of aliases that we follow to its end."""
    ours, theirs = chain(difference.ours), chain(difference.theirs)
    if not theirs or theirs != ours[: len(theirs)]:
        return False
    if any(one.sign == "+" and one.aspect == "answer" for one in difference.items):
        return False
    return len(theirs) < len(ours) or leaves_zone(difference)


def leaves_zone(difference: Difference) -> bool:
    """Tell whether the last alias of theirs leads into another zone than its owner's."""
    last = [one for one in difference.theirs.answer if one.rrtype == CNAME][-1:]
    if not last:
        return False
    target = last[0].target
    return zone_of(difference, last[0].owner) != zone_of(difference, target)


def zone_of(difference: Difference, name: dns.name.Name) -> dns.name.Name | None:
    above = [origin for origin in difference.zones.origins if name.is_subdomain(origin)]
    return max(above, key=len, default=None)


def stops_early(difference: Difference, item: Item) -> bool:
    if item.aspect == "rcode" and difference.theirs.rcode != dns.rcode.NOERROR:
        return False
    return item.aspect in ("rcode", "answer", "authority", "additional", "tc") and shorter_chain(
        difference, item
    )


def no_room(difference: Difference, item: Item) -> bool:
    """Which of the addresses are left out where not all fit: the order is free."""
    if item.aspect != "additional" or not is_address(item) or difference.question.tcp:
        return False
    if difference.ours.tc or difference.theirs.tc:
        return False
    ours, theirs = difference.ours, difference.theirs
    both = (*ours.answer, *ours.authority, *ours.additional, *theirs.additional)
    # One more RRset with its signature, which neither had room for.
    more = 28 + max((12 + len(one.rdata) for one in both if one.rrtype == RRSIG), default=0)
    used = max(len(ours.wire or b""), len(theirs.wire or b""))
    return used + more > limit(difference)


def limit(difference: Difference) -> int:
    return max(512, min(difference.question.size or 512, 1232))


def fits(difference: Difference, item: Item) -> bool:
    """They set TC for what our response has room for; BIND then gives a part of an RRset."""
    if not difference.theirs.tc or difference.ours.tc:
        return False
    return item.aspect in ("tc", "authority", "additional") or (
        item.aspect == "answer" and item.sign == "-"
    )


def referral_glue(difference: Difference, item: Item) -> bool:
    """Addresses of a delegation's servers that are not below it."""
    cuts = {
        one.owner
        for one in difference.ours.authority
        if one.rrtype == NS and one.owner not in difference.zones.origins
    }
    return (
        item.aspect == "additional"
        and item.sign == "-"
        and item.record is not None
        and is_address(item)
        and bool(cuts)
        and not any(item.record.owner.is_subdomain(cut) for cut in cuts)
    )


def occluded(difference: Difference, item: Item) -> bool:
    """Addresses below a cut, for what is no delegation."""
    record = item.record
    if record is None or item.aspect != "additional" or item.sign != "+":
        return False
    if not positive(difference):
        return False
    above = [record.owner]
    while above[-1] not in difference.zones.origins and above[-1] != dns.name.root:
        above.append(above[-1].parent())
    known = difference.zones.types
    return is_address(item) and any(NS in known.get(name, ()) for name in above[:-1])


def courtesy_of_keys(difference: Difference, item: Item) -> bool:
    """Apex NS beside DS, CDS and CDNSKEY: BIND leaves them out, NSD gives them."""
    return (
        difference.question.qtype in (DS, CDS, CDNSKEY)
        and positive(difference)
        and item.sign == "+"
        and item.record is not None
        and (
            (item.aspect == "authority" and covered_type(item.record) == NS)
            or (item.aspect == "additional" and is_address(item))
        )
    )


def exchanger(difference: Difference, item: Item) -> bool:
    return (
        item.aspect == "additional"
        and item.sign == "-"
        and is_address(item)
        and bool(difference.ours.types("answer") & {KX, AFSDB, RT})
    )


def many_targets(difference: Difference, item: Item) -> bool:
    """More targets than we look addresses up for."""
    return (
        item.aspect == "additional"
        and is_address(item)
        and len(difference.ours.answer) > ADDITIONAL_NAMES
        and (difference.peer == "named" or item.sign == "+")
    )


def loops(difference: Difference) -> bool:
    """Tell whether aliases lead back, or do not end within a dozen."""
    aliases = [one for one in difference.ours.answer if one.rrtype == CNAME]
    owners = {one.owner for one in aliases}
    return len(aliases) > _LONG_CHAIN or any(one.target in owners for one in aliases[-1:])


def repeats(difference: Difference, item: Item) -> bool:
    """A loop of DNAMEs, of which they give the same records several times."""
    theirs = difference.theirs.answer
    if len(theirs) == len(set(theirs)):
        return False
    return item.aspect == "tc" or (
        item.aspect == "answer" and (item.sign == "+" or difference.theirs.tc)
    )


def loop_cut(difference: Difference, item: Item) -> bool:
    """They follow a DNAME into itself once, we sixteen times."""
    ours, theirs = chain(difference.ours), chain(difference.theirs)
    return (
        item.aspect in ("answer", "tc")
        and item.sign != "+"
        and (len(ours) > _LONG_CHAIN or difference.ours.tc)
        and theirs == ours[: len(theirs)]
        and DNAME in difference.theirs.types("answer")
    )


def other_alias(difference: Difference, item: Item) -> bool:
    """NSEC, KEY and RRSIG at a CNAME that has none: they do not follow it."""
    aspects = ("rcode", "tc", *_SECTIONS)
    return (
        difference.question.qtype in (NSEC, KEY, RRSIG)
        and item.aspect in aspects
        and len(chain(difference.theirs)) < len(chain(difference.ours))
    )


def any_of_dname(difference: Difference, item: Item) -> bool:
    """ANY below a DNAME, or the like with SIG: BIND takes the alias for the answer."""
    return (
        difference.question.qtype == ANY
        and difference.theirs.rcode == dns.rcode.NOERROR
        and DNAME in difference.theirs.types("answer")
        and item.aspect in ("rcode", "tc", *_SECTIONS)
        and not any(one.aspect == "answer" and one.sign == "+" for one in difference.items)
    )


def synthesised_address(difference: Difference, item: Item) -> bool:
    """What a wildcard has for a target of ours, in additional, and its proof."""
    record = item.record
    return (
        item.aspect == "additional"
        and item.sign == "+"
        and record is not None
        and covered_type(record) in (*_ADDRESSES, NSEC, NSEC3)
        and (record.owner not in difference.zones.types or not is_address(item))
    )


def service_targets(difference: Difference, item: Item) -> bool:
    ours = difference.ours.answer
    return (
        item.aspect == "additional"
        and item.record is not None
        and covered_type(item.record) in (*_ADDRESSES, CNAME, HTTPS, SVCB)
        and any(one.rrtype in (HTTPS, SVCB) for one in ours)
    )
