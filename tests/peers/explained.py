"""Every difference from a peer that is right, and the RFC that decides: the one table.

A difference is taken apart into items: an aspect, or one record that only one side gives. Each
item must be covered by an entry for that peer; what none covers is unexplained, and fails.
Entries are narrow: they name the shape of a difference, not the question that showed it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    NAPTR,
    NS,
    NSEC,
    NSEC3,
    RRSIG,
    RT,
    SOA,
    SVCB,
    A,
)

from ocizone.limits import ADDITIONAL_NAMES
from tests.peers.compare import Difference, Item, chain
from tests.peers.wirereader import Record

_ADDRESSES = (A, AAAA)
_ALL = ("nsd", "knotd", "named")
_LONG_CHAIN = 12
_OPT_OUT = 1
#: A SOA takes so much at least, its names compressed.
_SOA_OCTETS = 60
_SECTIONS = ("answer", "authority", "additional")


@dataclass(frozen=True, slots=True)
class Explained:
    """One class of differences.

    Attributes:
        id: short name for tables.
        peers: who answers so.
        decides: RFC and section.
        why: who does what, and why ours is right.
        covers: tells whether an item of a difference is of this class.
    """

    id: str
    peers: tuple[str, ...]
    decides: str
    why: str
    covers: Callable[[Difference, Item], bool]


def explain(difference: Difference) -> tuple[list[str], list[Item]]:
    """Return the ids of the entries that explain a difference, and the items that none does."""
    used: dict[str, None] = {}
    left = []
    entries = [entry for entry in TABLE if difference.peer in entry.peers]
    for item in difference.items:
        for entry in entries:
            if entry.covers(difference, item):
                used[entry.id] = None
                break
        else:
            left.append(item)
    return list(used), left


# --- shapes ----------------------------------------------------------------------------------


def _covered_type(record: Record) -> int:
    """Return the type a record is, or for an RRSIG is about."""
    return int.from_bytes(record.rdata[:2], "big") if record.rrtype == RRSIG else record.rrtype


def _targets(records: tuple[Record, ...], rrtype: int) -> set[dns.name.Name]:
    return {one.target for one in records if one.rrtype == rrtype}


def _both_truncated(difference: Difference, item: Item) -> bool:
    sections = (*_SECTIONS, "chain", "rcode")
    return difference.ours.tc and difference.theirs.tc and item.aspect in sections


def _positive(difference: Difference) -> bool:
    ours = difference.ours
    return ours.rcode == dns.rcode.NOERROR and ours.aa and bool(ours.answer)


def _apex_ns(difference: Difference, item: Item) -> bool:
    """NS in the authority of a positive answer, and the addresses of their targets."""
    if not _positive(difference) or item.sign != "-" or item.record is None:
        return False
    if NS in difference.theirs.types("authority"):
        return False
    if item.aspect == "authority":
        return _covered_type(item.record) == NS and item.record.owner in difference.zones.origins
    return (
        item.aspect == "additional"
        and _covered_type(item.record) in _ADDRESSES
        and item.record.owner in _targets(difference.ours.authority, NS)
    )


def _small_buffer(difference: Difference, item: Item) -> bool:
    question = difference.question
    if question.tcp or question.size not in (512, None) or item.sign != "-":
        return False
    return _apex_ns(difference, item) or (
        item.aspect == "additional"
        and item.record is not None
        and _covered_type(item.record) in _ADDRESSES
    )


def _any_subset(difference: Difference, item: Item) -> bool:
    """They give fewer RRsets; where ours do not fit we have set TC."""
    theirs = difference.theirs
    if difference.question.qtype not in (ANY, RRSIG) or not theirs.answer or theirs.tc:
        return False
    # With TC we stop where the answer does: another choice, and what stands behind, is theirs.
    if difference.ours.tc:
        return item.aspect in ("tc", *_SECTIONS)
    return item.aspect == "answer" and item.sign == "-"


def _any_signatures(difference: Difference, item: Item) -> bool:
    """Signatures in an answer to ANY without DO."""
    return (
        difference.question.qtype == ANY
        and not difference.question.do
        and item.aspect == "answer"
        and item.sign == "+"
        and item.record is not None
        and item.record.rrtype == RRSIG
    )


def _any_bare(difference: Difference, item: Item) -> bool:
    """Records that only help, in answers to ANY and RRSIG: one side gives none."""
    question, record = difference.question, item.record
    if question.qtype not in (ANY, RRSIG) or record is None or not _positive(difference):
        return False
    if _covered_type(record) not in (*_ADDRESSES, NS, HTTPS, SVCB):
        return False
    if item.aspect == "authority":
        return item.sign == "-" and NS not in difference.theirs.types("authority")
    less = difference.theirs if item.sign == "-" else difference.ours
    return item.aspect == "additional" and not less.additional


def _glue_truncated(difference: Difference, item: Item) -> bool:
    ours, theirs = difference.ours, difference.theirs
    if not ours.tc or theirs.tc or NS not in ours.types("authority") | theirs.types("authority"):
        return False
    return item.aspect == "tc" or (item.aspect == "additional" and _is_address(item))


def _is_address(item: Item) -> bool:
    return item.record is not None and _covered_type(item.record) in _ADDRESSES


def _shorter_chain(difference: Difference, item: Item) -> bool:
    """They stop within the chain of aliases that we follow to its end."""
    ours, theirs = chain(difference.ours), chain(difference.theirs)
    if not theirs or theirs != ours[: len(theirs)]:
        return False
    if any(one.sign == "+" and one.aspect == "answer" for one in difference.items):
        return False
    return len(theirs) < len(ours) or _leaves_zone(difference)


def _leaves_zone(difference: Difference) -> bool:
    """Tell whether the last alias of theirs leads into another zone than its owner's."""
    last = [one for one in difference.theirs.answer if one.rrtype == CNAME][-1:]
    if not last:
        return False
    target = last[0].target
    return _zone_of(difference, last[0].owner) != _zone_of(difference, target)


def _zone_of(difference: Difference, name: dns.name.Name) -> dns.name.Name | None:
    above = [origin for origin in difference.zones.origins if name.is_subdomain(origin)]
    return max(above, key=len, default=None)


def _stops_early(difference: Difference, item: Item) -> bool:
    if item.aspect == "rcode" and difference.theirs.rcode != dns.rcode.NOERROR:
        return False
    return item.aspect in ("rcode", "answer", "authority", "additional", "tc") and _shorter_chain(
        difference, item
    )


def _no_room(difference: Difference, item: Item) -> bool:
    """Which of the addresses are left out where not all fit: the order is free."""
    if item.aspect != "additional" or not _is_address(item) or difference.question.tcp:
        return False
    if difference.ours.tc or difference.theirs.tc:
        return False
    ours, theirs = difference.ours, difference.theirs
    both = (*ours.answer, *ours.authority, *ours.additional, *theirs.additional)
    # One more RRset with its signature, which neither had room for.
    more = 28 + max((12 + len(one.rdata) for one in both if one.rrtype == RRSIG), default=0)
    used = max(len(ours.wire or b""), len(theirs.wire or b""))
    return used + more > _limit(difference)


def _limit(difference: Difference) -> int:
    return max(512, min(difference.question.size or 512, 1232))


def _fits(difference: Difference, item: Item) -> bool:
    """They set TC for what our response has room for; BIND then gives a part of an RRset."""
    if not difference.theirs.tc or difference.ours.tc:
        return False
    return item.aspect in ("tc", "authority", "additional") or (
        item.aspect == "answer" and item.sign == "-"
    )


def _proof_truncated(difference: Difference, item: Item) -> bool:
    """A wildcard's answer whose proof does not fit: we set TC, they leave the proof out."""
    return (
        item.aspect == "tc"
        and difference.ours.tc
        and difference.question.do
        and bool(difference.ours.answer)
        and not difference.theirs.types("authority") & {NSEC, NSEC3}
    )


def _cut_nsec(difference: Difference, item: Item) -> bool:
    """The NSEC of a zone cut, asked for itself: an answer of the parent, or a referral."""
    return (
        difference.question.qtype == NSEC
        and not difference.ours.aa
        and (NS in difference.ours.types("authority") or difference.ours.tc)
        and difference.theirs.aa
        and {one.owner for one in difference.theirs.answer} == {difference.question.name}
        and item.aspect in ("aa", "tc", *_SECTIONS)
    )


def _wildcard_ent(difference: Difference, item: Item) -> bool:
    """NODATA of a name that a wildcard covers which is itself an empty non-terminal."""
    if item.aspect not in ("tc", "authority"):
        return False
    if item.record is not None and _covered_type(item.record) != NSEC:
        return False
    # Where the whole proof does not fit we set TC, and theirs goes on.
    if item.sign != "-" and not difference.ours.tc:
        return False
    known = difference.zones.types
    asked = {difference.question.name, *_targets(difference.ours.answer, CNAME)}
    wildcards = {
        dns.name.Name((b"*", *name.labels[up:]))
        for name in asked
        for up in range(1, len(name.labels))
    }
    return any(
        wildcard not in known and any(one.is_subdomain(wildcard) for one in known)
        for wildcard in wildcards
    )


def _wildcard_nsec(difference: Difference, item: Item) -> bool:
    """NSEC asked for at a name that a wildcard covers."""
    return (
        difference.question.qtype == NSEC
        and difference.question.name not in difference.zones.types
        and item.aspect == "authority"
        and item.sign == "-"
        and item.record is not None
        and _covered_type(item.record) == NSEC
    )


def _referral_glue(difference: Difference, item: Item) -> bool:
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
        and _is_address(item)
        and bool(cuts)
        and not any(item.record.owner.is_subdomain(cut) for cut in cuts)
    )


def _occluded(difference: Difference, item: Item) -> bool:
    """Addresses below a cut, for what is no delegation."""
    record = item.record
    if record is None or item.aspect != "additional" or item.sign != "+":
        return False
    if not _positive(difference):
        return False
    above = [record.owner]
    while above[-1] not in difference.zones.origins and above[-1] != dns.name.root:
        above.append(above[-1].parent())
    known = difference.zones.types
    return _is_address(item) and any(NS in known.get(name, ()) for name in above[:-1])


def _courtesy_of_keys(difference: Difference, item: Item) -> bool:
    """Apex NS beside DS, CDS and CDNSKEY: BIND leaves them out, NSD gives them."""
    return (
        difference.question.qtype in (DS, CDS, CDNSKEY)
        and _positive(difference)
        and item.sign == "+"
        and item.record is not None
        and (
            (item.aspect == "authority" and _covered_type(item.record) == NS)
            or (item.aspect == "additional" and _is_address(item))
        )
    )


def _exchanger(difference: Difference, item: Item) -> bool:
    return (
        item.aspect == "additional"
        and item.sign == "-"
        and _is_address(item)
        and bool(difference.ours.types("answer") & {KX, AFSDB, RT})
    )


def _many_targets(difference: Difference, item: Item) -> bool:
    """More targets than we look addresses up for."""
    return (
        item.aspect == "additional"
        and _is_address(item)
        and len(difference.ours.answer) > ADDITIONAL_NAMES
        and (difference.peer == "named" or item.sign == "+")
    )


def _soa_left_out(difference: Difference, item: Item) -> bool:
    return (
        item.aspect == "authority"
        and item.sign == "-"
        and item.record is not None
        and item.record.rrtype == SOA
        and not difference.theirs.authority
        and len(difference.theirs.wire or b"") + _SOA_OCTETS > _limit(difference)
    )


def _loops(difference: Difference) -> bool:
    """Tell whether aliases lead back, or do not end within a dozen."""
    aliases = [one for one in difference.ours.answer if one.rrtype == CNAME]
    owners = {one.owner for one in aliases}
    return len(aliases) > _LONG_CHAIN or any(one.target in owners for one in aliases[-1:])


def _repeats(difference: Difference, item: Item) -> bool:
    """A loop of DNAMEs, of which they give the same records several times."""
    theirs = difference.theirs.answer
    if len(theirs) == len(set(theirs)):
        return False
    return item.aspect == "tc" or (
        item.aspect == "answer" and (item.sign == "+" or difference.theirs.tc)
    )


def _below_hash(difference: Difference, item: Item) -> bool:
    """At or below the owner of an NSEC3."""
    name, hashes = difference.question.name, difference.zones.hashes
    return item.aspect in ("rcode", "aa", "tc", *_SECTIONS) and any(
        name.is_subdomain(one) for one in hashes
    )


def _asterisk(difference: Difference, item: Item) -> bool:
    """A name spelled with an asterisk that another wildcard covers."""
    name = difference.question.name
    return (
        name.labels[0] == b"*"
        and name not in difference.zones.types
        and (item.aspect == "tc" or (item.aspect == "authority" and item.record is not None))
        and (item.record is None or _covered_type(item.record) in (NSEC, NSEC3))
        and (item.sign != "+" or difference.ours.tc)
    )


def _more_proof(difference: Difference, item: Item) -> bool:
    """Denial records beyond ours, and TC where there is no room for them."""
    ours, theirs = difference.ours, difference.theirs
    if theirs.tc and not ours.tc and difference.question.do:
        return item.aspect in ("tc", "authority")
    return (
        item.aspect == "authority"
        and item.sign == "+"
        and item.record is not None
        and _covered_type(item.record) in (NSEC, NSEC3)
        and (CNAME in ours.types("answer") or difference.question.name.labels[0] == b"*")
        and not any(one.aspect == "authority" and one.sign == "-" for one in difference.items)
    )


def _less_proof(difference: Difference, item: Item) -> bool:
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
        and _covered_type(item.record) in (NSEC, NSEC3)
        and not any(one.aspect == "authority" and one.sign == "+" for one in difference.items)
    )


def _insecure_ent(difference: Difference, item: Item) -> bool:
    """Below an empty non-terminal that only insecure delegations make: it has no NSEC3."""
    flags = {one.rdata[1] for one in difference.ours.authority if one.rrtype == NSEC3}
    return (
        item.aspect == "authority"
        and item.record is not None
        and _covered_type(item.record) == NSEC3
        and _OPT_OUT in flags
        and difference.question.name not in difference.zones.types
    )


def _loop_cut(difference: Difference, item: Item) -> bool:
    """They follow a DNAME into itself once, we sixteen times."""
    ours, theirs = chain(difference.ours), chain(difference.theirs)
    return (
        item.aspect in ("answer", "tc")
        and item.sign != "+"
        and (len(ours) > _LONG_CHAIN or difference.ours.tc)
        and theirs == ours[: len(theirs)]
        and DNAME in difference.theirs.types("answer")
    )


def _other_alias(difference: Difference, item: Item) -> bool:
    """NSEC, KEY and RRSIG at a CNAME that has none: they do not follow it."""
    aspects = ("rcode", "tc", *_SECTIONS)
    return (
        difference.question.qtype in (NSEC, KEY, RRSIG)
        and item.aspect in aspects
        and len(chain(difference.theirs)) < len(chain(difference.ours))
    )


def _any_of_dname(difference: Difference, item: Item) -> bool:
    """ANY below a DNAME, or the like with SIG: BIND takes the alias for the answer."""
    return (
        difference.question.qtype == ANY
        and difference.theirs.rcode == dns.rcode.NOERROR
        and DNAME in difference.theirs.types("answer")
        and item.aspect in ("rcode", "tc", *_SECTIONS)
        and not any(one.aspect == "answer" and one.sign == "+" for one in difference.items)
    )


def _synthesised_address(difference: Difference, item: Item) -> bool:
    """What a wildcard has for a target of ours, in additional, and its proof."""
    record = item.record
    return (
        item.aspect == "additional"
        and item.sign == "+"
        and record is not None
        and _covered_type(record) in (*_ADDRESSES, NSEC, NSEC3)
        and (record.owner not in difference.zones.types or not _is_address(item))
    )


def _service_targets(difference: Difference, item: Item) -> bool:
    ours = difference.ours.answer
    return (
        item.aspect == "additional"
        and item.record is not None
        and _covered_type(item.record) in (*_ADDRESSES, CNAME, HTTPS, SVCB)
        and any(one.rrtype in (HTTPS, SVCB) for one in ours)
    )


TABLE: tuple[Explained, ...] = (
    Explained(
        "truncated",
        _ALL,
        "RFC 2181 9",
        "Both set TC: a client ignores the sections and asks again over TCP.",
        _both_truncated,
    ),
    Explained(
        "cd-copied",
        ("named",),
        "RFC 4035 3.1.6",
        "BIND copies CD into responses; an authoritative server SHOULD clear it.",
        lambda difference, item: item.aspect == "cd" and not difference.ours.flags & 0x0010,
    ),
    Explained(
        "reserved-type",
        ("knotd",),
        "RFC 6895 3.1, RFC 3597 3",
        "Knot answers NOTIMP to type 0; we treat it as any type that is not there.",
        lambda difference, item: (
            difference.question.qtype == 0 and difference.theirs.rcode == dns.rcode.NOTIMP
        ),
    ),
    Explained(
        "any-subset",
        ("nsd", "knotd"),
        "RFC 8482 4.1",
        "NSD and Knot answer ANY with one RRset or a few; we give all unless `any` is configured.",
        _any_subset,
    ),
    Explained(
        "any-signatures",
        ("knotd", "named"),
        "RFC 4035 3.1, RFC 3225 3",
        "Without DO no signatures but for who asks for RRSIG; Knot and BIND give them to ANY.",
        _any_signatures,
    ),
    Explained(
        "any-bare",
        _ALL,
        "RFC 1034 4.3.2 (6), RFC 8482 4",
        "They leave out what only helps in answers to ANY and RRSIG; it is optional.",
        _any_bare,
    ),
    Explained(
        "apex-ns",
        ("knotd",),
        "RFC 1034 4.3.2 (3a, 6)",
        "Knot gives no NS in the authority of positive answers; NSD and BIND do, as we do.",
        _apex_ns,
    ),
    Explained(
        "small-buffer",
        ("named",),
        "RFC 1034 4.3.2 (6)",
        "BIND gives minimal responses to who offers 512 octets; we leave out what does not fit.",
        _small_buffer,
    ),
    Explained(
        "glue-truncated",
        ("nsd", "named"),
        "RFC 9471 2.1",
        "In-domain glue that does not fit sets TC; these versions still leave it out in silence.",
        _glue_truncated,
    ),
    Explained(
        "chain-in-zone",
        ("knotd", "named"),
        "RFC 1034 3.6.2 and 4.3.2 (3a)",
        "Knot and BIND follow aliases within a zone, Knot five times only; we go on.",
        _stops_early,
    ),
    Explained(
        "loop-error",
        ("named",),
        "RFC 1034 3.6.2",
        "BIND answers SERVFAIL to aliases that do not end; NSD, Knot and we give the first ones.",
        lambda difference, item: (
            item.aspect == "rcode"
            and difference.theirs.rcode == dns.rcode.SERVFAIL
            and _loops(difference)
        ),
    ),
    Explained(
        "any-of-dname",
        ("named",),
        "RFC 6672 3.2 (3c)",
        "BIND ends ANY at the CNAME a DNAME stands for; the algorithm goes on with its target.",
        _any_of_dname,
    ),
    Explained(
        "fits",
        _ALL,
        "RFC 1035 4.1.4, RFC 2181 9",
        "They compress less (BIND heeds case, Knot and NSD skip names), set TC for records a "
        "client can do without, or give signatures to ANY; ours fits.",
        _fits,
    ),
    Explained(
        "no-room",
        _ALL,
        "RFC 2181 9",
        "Not all additional addresses fit: which are left out is free, and no reason for TC.",
        _no_room,
    ),
    Explained(
        "proof-truncated",
        ("knotd",),
        "RFC 4035 3.1.3",
        "A proof that does not fit sets TC; Knot leaves the proof out.",
        _proof_truncated,
    ),
    Explained(
        "cut-nsec",
        ("named",),
        "RFC 4035 3.1.4",
        "BIND answers NSEC of a zone cut from the parent; NSD, Knot and we refer (only DS is the "
        "parent's to answer).",
        _cut_nsec,
    ),
    Explained(
        "wildcard-ent",
        ("knotd", "named"),
        "RFC 4035 3.1.3.4, RFC 4592 2.2.2",
        "A wildcard without data that is an empty non-terminal: its NSEC belongs to the proof.",
        _wildcard_ent,
    ),
    Explained(
        "wildcard-nsec",
        ("knotd",),
        "RFC 4035 3.1.3.3",
        "NSEC is synthesised as any type is: the proof that nothing stands closer belongs to it.",
        _wildcard_nsec,
    ),
    Explained(
        "referral-glue",
        ("named",),
        "RFC 9471 2",
        "BIND gives the glue below the cut; NSD, Knot and we also the other servers' addresses.",
        _referral_glue,
    ),
    Explained(
        "occluded",
        ("knotd",),
        "RFC 2181 6.1",
        "Addresses below a cut are the child's to give, but for glue; Knot gives them to MX.",
        _occluded,
    ),
    Explained(
        "loop-repeated",
        ("knotd",),
        "RFC 2181 5",
        "Knot gives the records of a loop several times; an RRset holds a record once.",
        _repeats,
    ),
    Explained(
        "nsec3-owner",
        ("nsd",),
        "RFC 5155 7.2.8",
        "NSD takes owners of NSEC3 for names of the zone, so that no wildcard covers them.",
        _below_hash,
    ),
    Explained(
        "asterisk",
        ("knotd",),
        "RFC 4592 2.3, RFC 5155 7.2.5",
        "Knot takes a question for *.X for the wildcard itself, though another one covers it.",
        _asterisk,
    ),
    Explained(
        "more-proof",
        ("nsd",),
        "RFC 5155 7.2.6",
        "NSD proves more than is needed, of what wildcards give and of their own names; unbound "
        "validates ours.",
        _more_proof,
    ),
    Explained(
        "less-proof",
        ("nsd",),
        "RFC 4035 3.1.3.2, RFC 5155 7.2.2",
        "NSD leaves out a part of some denials, at the end of a DNAME and of a wildcard's types; "
        "BIND and Knot give what we give.",
        _less_proof,
    ),
    Explained(
        "insecure-ent",
        ("nsd",),
        "RFC 5155 7.2.1",
        "The closest provable encloser is what has an NSEC3; NSD takes an opted-out one.",
        _insecure_ent,
    ),
    Explained(
        "loop-cut",
        ("nsd",),
        "RFC 6672 3.2",
        "NSD follows a DNAME that leads below itself once; we stop at sixteen aliases.",
        _loop_cut,
    ),
    Explained(
        "alias-type",
        ("knotd", "named"),
        "RFC 1034 4.3.2 (3a), RFC 6840 4.3",
        "NSEC, KEY or RRSIG at a CNAME that has none: followed, for validators reject NODATA where "
        "there is a CNAME; BIND gives NODATA to all three, Knot to NSEC and RRSIG.",
        _other_alias,
    ),
    Explained(
        "yxdomain",
        ("knotd",),
        "RFC 6672 2.2",
        "A DNAME that makes a name over 255 octets is YXDOMAIN; Knot says NXDOMAIN in places.",
        lambda difference, item: (
            difference.ours.rcode == dns.rcode.YXDOMAIN
            and item.aspect in ("rcode", "authority")
            and item.sign != "-"
        ),
    ),
    Explained(
        "dname-cname",
        ("named",),
        "RFC 1034 4.3.2 (6)",
        "BIND adds the apex NS to type CNAME of a DNAME; NSD, Knot and we end with the alias.",
        lambda difference, item: (
            difference.question.qtype == CNAME
            and DNAME in difference.ours.types("answer")
            and item.sign == "+"
            and item.aspect in ("authority", "additional")
        ),
    ),
    Explained(
        "root-ns",
        ("named",),
        "RFC 1034 4.3.2 (6)",
        "BIND gives no addresses with the NS of the root.",
        lambda difference, item: (
            difference.question.name == dns.name.root
            and difference.question.qtype == NS
            and item.aspect == "additional"
            and item.sign == "-"
        ),
    ),
    Explained(
        "cname-nsec3",
        ("nsd",),
        "RFC 1034 4.3.2 (3a)",
        "NSD gives NODATA for type NSEC3 at a CNAME; it is an alias for that type as for others.",
        lambda difference, item: (
            difference.question.qtype == NSEC3
            and CNAME in difference.ours.types("answer")
            and not difference.theirs.answer
            and item.aspect in ("rcode", "tc", *_SECTIONS)
        ),
    ),
    Explained(
        "naptr-targets",
        ("named",),
        "RFC 3403 4.1, RFC 1034 4.3.2 (6)",
        "BIND follows the replacement of a NAPTR into additional records; NSD, Knot and we do not.",
        lambda difference, item: (
            NAPTR in difference.ours.types("answer")
            and item.aspect == "additional"
            and item.sign == "+"
        ),
    ),
    Explained(
        "keys-alone",
        ("nsd",),
        "RFC 1034 4.3.2 (6)",
        "Validators' questions (DS, CDS, CDNSKEY) are answered alone, as by BIND; NSD adds NS.",
        _courtesy_of_keys,
    ),
    Explained(
        "exchanger",
        ("nsd", "knotd"),
        "RFC 2230 2, RFC 1183 1",
        "KX, AFSDB and RT ask for addresses as MX does; Knot leaves them out, NSD for AFSDB.",
        _exchanger,
    ),
    Explained(
        "many-targets",
        _ALL,
        "RFC 1034 4.3.2 (6)",
        "Addresses of 13 targets are enough (CVE-2024-11187); NSD and Knot give all, BIND none.",
        _many_targets,
    ),
    Explained(
        "no-soa",
        ("knotd",),
        "RFC 2308 3, RFC 2181 9",
        "A denial has its SOA, or TC; Knot compresses less, and leaves it out in silence.",
        _soa_left_out,
    ),
    Explained(
        "ad-set",
        ("named",),
        "RFC 4035 3.1.6",
        "BIND sets AD in some empty responses to who sets it; we validate nothing and never do.",
        lambda difference, item: item.aspect == "ad" and not difference.ours.flags & 0x0020,
    ),
    Explained(
        "wildcard-target",
        ("nsd", "knotd"),
        "RFC 1034 4.3.2 (6)",
        "NSD and Knot give addresses of servers that only a wildcard has; what we give exists.",
        _synthesised_address,
    ),
    Explained(
        "service-targets",
        _ALL,
        "RFC 9460 4.1",
        "What SVCB and HTTPS lead to is RECOMMENDED; NSD and Knot give less, BIND its aliases too.",
        _service_targets,
    ),
)
