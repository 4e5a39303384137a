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
from dns.rdatatype import CNAME, DNAME, NAPTR, NS, NSEC3

from tests.peers import denialshapes, shapes
from tests.peers.compare import Difference, Item

_ALL = ("nsd", "knotd", "named")
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


TABLE: tuple[Explained, ...] = (
    Explained(
        "truncated",
        _ALL,
        "RFC 2181 9",
        "Both set TC: a client ignores the sections and asks again over TCP.",
        shapes.both_truncated,
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
        shapes.any_subset,
    ),
    Explained(
        "any-signatures",
        ("knotd", "named"),
        "RFC 4035 3.1, RFC 3225 3",
        "Without DO no signatures but for who asks for RRSIG; Knot and BIND give them to ANY.",
        shapes.any_signatures,
    ),
    Explained(
        "any-bare",
        _ALL,
        "RFC 1034 4.3.2 (6), RFC 8482 4",
        "They leave out what only helps in answers to ANY and RRSIG; it is optional.",
        shapes.any_bare,
    ),
    Explained(
        "apex-ns",
        ("knotd",),
        "RFC 1034 4.3.2 (3a, 6)",
        "Knot gives no NS in the authority of positive answers; NSD and BIND do, as we do.",
        shapes.apex_ns,
    ),
    Explained(
        "small-buffer",
        ("named",),
        "RFC 1034 4.3.2 (6)",
        "BIND gives minimal responses to who offers 512 octets; we leave out what does not fit.",
        shapes.small_buffer,
    ),
    Explained(
        "glue-truncated",
        ("nsd", "named"),
        "RFC 9471 2.1",
        "In-domain glue that does not fit sets TC; these versions still leave it out in silence.",
        shapes.glue_truncated,
    ),
    Explained(
        "chain-in-zone",
        ("knotd", "named"),
        "RFC 1034 3.6.2 and 4.3.2 (3a)",
        "Knot and BIND follow aliases within a zone, Knot five times only; we go on.",
        shapes.stops_early,
    ),
    Explained(
        "loop-error",
        ("named",),
        "RFC 1034 3.6.2",
        "BIND answers SERVFAIL to aliases that do not end; NSD, Knot and we give the first ones.",
        lambda difference, item: (
            item.aspect == "rcode"
            and difference.theirs.rcode == dns.rcode.SERVFAIL
            and shapes.loops(difference)
        ),
    ),
    Explained(
        "any-of-dname",
        ("named",),
        "RFC 6672 3.2 (3c)",
        "BIND ends ANY at the CNAME a DNAME stands for; the algorithm goes on with its target.",
        shapes.any_of_dname,
    ),
    Explained(
        "fits",
        _ALL,
        "RFC 1035 4.1.4, RFC 2181 9",
        "They compress less (BIND heeds case, Knot and NSD skip names), set TC for records a "
        "client can do without, or give signatures to ANY; ours fits.",
        shapes.fits,
    ),
    Explained(
        "no-room",
        _ALL,
        "RFC 2181 9",
        "Not all additional addresses fit: which are left out is free, and no reason for TC.",
        shapes.no_room,
    ),
    Explained(
        "proof-truncated",
        ("knotd",),
        "RFC 4035 3.1.3",
        "A proof that does not fit sets TC; Knot leaves the proof out.",
        denialshapes.proof_truncated,
    ),
    Explained(
        "cut-nsec",
        ("named",),
        "RFC 4035 3.1.4",
        "BIND answers NSEC of a zone cut from the parent; NSD, Knot and we refer (only DS is the "
        "parent's to answer).",
        denialshapes.cut_nsec,
    ),
    Explained(
        "wildcard-ent",
        ("knotd", "named"),
        "RFC 4035 3.1.3.4, RFC 4592 2.2.2",
        "A wildcard without data that is an empty non-terminal: its NSEC belongs to the proof.",
        denialshapes.wildcard_ent,
    ),
    Explained(
        "wildcard-nsec",
        ("knotd",),
        "RFC 4035 3.1.3.3",
        "NSEC is synthesised as any type is: the proof that nothing stands closer belongs to it.",
        denialshapes.wildcard_nsec,
    ),
    Explained(
        "referral-glue",
        ("named",),
        "RFC 9471 2",
        "BIND gives the glue below the cut; NSD, Knot and we also the other servers' addresses.",
        shapes.referral_glue,
    ),
    Explained(
        "occluded",
        ("knotd",),
        "RFC 2181 6.1",
        "Addresses below a cut are the child's to give, but for glue; Knot gives them to MX.",
        shapes.occluded,
    ),
    Explained(
        "loop-repeated",
        ("knotd",),
        "RFC 2181 5",
        "Knot gives the records of a loop several times; an RRset holds a record once.",
        shapes.repeats,
    ),
    Explained(
        "nsec3-owner",
        ("nsd",),
        "RFC 5155 7.2.8",
        "NSD takes owners of NSEC3 for names of the zone, so that no wildcard covers them.",
        denialshapes.below_hash,
    ),
    Explained(
        "asterisk",
        ("knotd",),
        "RFC 4592 2.3, RFC 5155 7.2.5",
        "Knot takes a question for *.X for the wildcard itself, though another one covers it.",
        denialshapes.asterisk,
    ),
    Explained(
        "more-proof",
        ("nsd",),
        "RFC 5155 7.2.6",
        "NSD proves more than is needed, of what wildcards give and of their own names; unbound "
        "validates ours.",
        denialshapes.more_proof,
    ),
    Explained(
        "less-proof",
        ("nsd",),
        "RFC 4035 3.1.3.2, RFC 5155 7.2.2",
        "NSD leaves out a part of some denials, at the end of a DNAME and of a wildcard's types; "
        "BIND and Knot give what we give.",
        denialshapes.less_proof,
    ),
    Explained(
        "insecure-ent",
        ("nsd",),
        "RFC 5155 7.2.1",
        "The closest provable encloser is what has an NSEC3; NSD takes an opted-out one.",
        denialshapes.insecure_ent,
    ),
    Explained(
        "unprovable",
        ("knotd",),
        "RFC 5155 7.1 and 7.2.2",
        "Opt-Out leaves an empty non-terminal out and a wildcard stands above it: no proof exists; "
        "Knot then denies without one and without AA, we give what BIND gives.",
        denialshapes.unprovable,
    ),
    Explained(
        "loop-cut",
        ("nsd",),
        "RFC 6672 3.2",
        "NSD follows a DNAME that leads below itself once; we stop at sixteen aliases.",
        shapes.loop_cut,
    ),
    Explained(
        "alias-type",
        ("knotd", "named"),
        "RFC 1034 4.3.2 (3a), RFC 6840 4.3",
        "NSEC, KEY or RRSIG at a CNAME that has none: followed, for validators reject NODATA where "
        "there is a CNAME; BIND gives NODATA to all three, Knot to NSEC and RRSIG.",
        shapes.other_alias,
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
        shapes.courtesy_of_keys,
    ),
    Explained(
        "exchanger",
        ("nsd", "knotd"),
        "RFC 2230 2, RFC 1183 1",
        "KX, AFSDB and RT ask for addresses as MX does; Knot leaves them out, NSD for AFSDB.",
        shapes.exchanger,
    ),
    Explained(
        "many-targets",
        _ALL,
        "RFC 1034 4.3.2 (6)",
        "Addresses of 13 targets are enough (CVE-2024-11187); NSD and Knot give all, BIND none.",
        shapes.many_targets,
    ),
    Explained(
        "no-soa",
        ("knotd",),
        "RFC 2308 3, RFC 2181 9",
        "A denial has its SOA, or TC; Knot compresses less, and leaves it out in silence.",
        denialshapes.soa_left_out,
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
        shapes.synthesised_address,
    ),
    Explained(
        "service-targets",
        _ALL,
        "RFC 9460 4.1",
        "What SVCB and HTTPS lead to is RECOMMENDED; NSD and Knot give less, BIND its aliases too.",
        shapes.service_targets,
    ),
)
