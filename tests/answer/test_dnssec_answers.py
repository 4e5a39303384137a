"""Answers with DO from signed zones: what is proven, by an independent judge."""

from __future__ import annotations

from collections.abc import Callable

import dns.message
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ocizone.answer.blocks import Loaded, Policy
from tests.dnssecjudge import judge
from tests.signedtext import Line, brief, signed, with_nsec, with_nsec3
from tests.zonebuilder import TCP, UDP, ask, ask_reply, block, lines, serving, snapshot, zone

Chain = Callable[[list[Line]], str]
CHAINS: dict[str, Chain] = {
    "nsec": lambda zone_lines: with_nsec(zone_lines, "z."),
    "nsec3": lambda zone_lines: with_nsec3(zone_lines, "z.", salt="ab", iterations=2),
    "opt-out": lambda zone_lines: with_nsec3(zone_lines, "z.", opt_out=True),
}
HEAD: list[Line] = [("z.", "SOA", "ns.z. h.z. 1 2 3 4 5"), ("z.", "NS", "ns.z.")]
DS = "1 13 2 " + "00" * 32
#: What stands at a generated owner; ``T`` is a generated target.
KINDS: dict[str, list[tuple[str, str]]] = {
    "data": [("A", "192.0.2.1"), ("TXT", "x")],
    "text": [("TXT", "x")],
    "insecure": [("NS", "ns.elsewhere.")],
    "secure": [("NS", "ns.elsewhere."), ("DS", DS)],
    "alias": [("CNAME", "T")],
    "redirect": [("DNAME", "T")],
}
LABEL = st.sampled_from(["a", "b", "*", "Cc", "\\000"])
NAME = st.lists(LABEL, min_size=1, max_size=4).map(lambda parts: ".".join([*parts, "z."]))


def records(owner: str, kind: str, target: str) -> list[Line]:
    """Return one owner's records; a wildcard delegates and redirects nothing."""
    if owner.startswith("*") and kind in ("insecure", "secure", "redirect"):
        kind = "text"
    return [(owner, rrtype, rdata.replace("T", target)) for rrtype, rdata in KINDS[kind]]


ZONES = st.dictionaries(NAME, st.tuples(st.sampled_from(sorted(KINDS)), NAME), max_size=8).map(
    lambda owners: (
        HEAD + [line for name, (kind, to) in owners.items() for line in records(name, kind, to)]
    )
)
QUESTIONS = st.lists(
    st.tuples(NAME, st.sampled_from(["A", "TXT", "DS", "MX"])), min_size=4, max_size=10
)


@pytest.mark.parametrize("chain", CHAINS)
@given(zone_lines=ZONES, questions=QUESTIONS)
# Not shrunk: every step builds, signs and asks zones; a failure shows its zone, and it is small.
@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_a_validator_is_satisfied(
    chain: str, zone_lines: list[Line], questions: list[tuple[str, str]]
) -> None:
    """RFC 4035 5.4, RFC 5155 8: every answer of every zone proves what it says."""
    served = serving(CHAINS[chain](zone_lines), "z.")
    for qname, qtype in questions:
        message = ask(served, qname, qtype, transport=TCP, want_dnssec=True)
        judge(message, qname, qtype, "z.")
        assert not message.flags & 0x0020
        owners = [rrset.name for rrset in message.authority if rrset.rdtype in (47, 50)]
        assert len(owners) == len(set(owners))


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode"),
    [
        ("x.ent.top.z.", "A", 3),
        ("x.top.z.", "A", 3),
        ("ent.top.z.", "A", 0),
        ("ent.top.z.", "DS", 0),
        ("top.z.", "A", 0),
        ("cut.ent.top.z.", "DS", 0),
        ("x.cut.ent.top.z.", "A", 0),
    ],
)
def test_what_opt_out_leaves_out_is_proven_from_above(qname: str, qtype: str, rcode: int) -> None:
    """RFC 5155 7.2.1, 7.2.4, 7.2.7: the closest *provable* encloser, here the apex, each time."""
    # Many names: that one record covers all by chance is out of the question.
    insecure: list[Line] = [*HEAD, ("cut.ent.top.z.", "NS", "ns.elsewhere.")]
    insecure += [(f"n{n}.z.", "TXT", "x") for n in range(60)]
    served = serving(with_nsec3(insecure, "z.", opt_out=True), "z.")
    message = ask(served, qname, qtype, want_dnssec=True)
    assert message.rcode() == rcode
    judge(message, qname, qtype, "z.")


# --- sections ------------------------------------------------------------------------------------

PARENT: list[Line] = [
    *HEAD,
    ("ns.z.", "A", "192.0.2.53"),
    ("www.z.", "A", "192.0.2.1"),
    ("*.w.z.", "A", "192.0.2.2"),
    ("*.c.z.", "CNAME", "x.w.z."),
    ("*.out.z.", "CNAME", "elsewhere."),
    ("down.z.", "CNAME", "k.c.kid.z."),
    ("*.down.z.", "CNAME", "k.c.kid.z."),
    ("dn.z.", "DNAME", f"{'l' * 63}.{'l' * 63}.{'l' * 63}.z."),
    ("kid.z.", "NS", "ns.kid.z."),
    ("kid.z.", "DS", DS),
    ("ns.kid.z.", "A", "192.0.2.3"),
    ("bare.z.", "NS", "ns.bare.z."),
    ("ns.bare.z.", "A", "192.0.2.4"),
    ("cds.z.", "CDS", "0 0 0 00"),
    ("*.sec.z.", "CNAME", "x.kid.z."),
]
KID: list[Line] = [
    ("kid.z.", "SOA", "ns.kid.z. h.z. 1 2 3 4 5"),
    ("kid.z.", "NS", "ns.kid.z."),
    ("ns.kid.z.", "A", "192.0.2.3"),
    ("*.c.kid.z.", "CNAME", "nowhere.kid.z."),
    ("up.kid.z.", "CNAME", "k.w.z."),
]
SOA = signed("z.", "SOA")
SERVED = serving(with_nsec(PARENT, "z."), "z.")
FAMILY = snapshot(
    block(
        "z.",
        {
            "z.": Loaded(zone(with_nsec(PARENT, "z."), "z.")),
            "kid.z.": Loaded(zone(with_nsec(KID, "kid.z."), "kid.z.")),
        },
    )
)
ROOT: list[Line] = [
    (".", "SOA", "ns. h. 1 2 3 4 5"),
    (".", "NS", "ns.z."),
    ("z.", "NS", "ns.z."),
    ("z.", "DS", DS),
    ("ns.z.", "A", "192.0.2.1"),
    ("y.", "NS", "ns.z."),
]


def authority(qname: str, qtype: str) -> list[str]:
    """Return the authority section of the parent zone's answer with DO."""
    return brief(lines(ask(SERVED, qname, qtype, transport=TCP, want_dnssec=True).authority))


@pytest.mark.parametrize(
    ("qname", "qtype", "expected"),
    [
        # RFC 4035 3.1.3.3: once for each wildcard of a chain, the CNAME's and the answer's.
        (
            "k.c.z.",
            "A",
            [
                "z. NS ns.z.",
                "z. RRSIG NS",
                "*.c.z. NSEC cds.z.",
                "*.c.z. RRSIG NSEC",
                "*.w.z. NSEC www.z.",
                "*.w.z. RRSIG NSEC",
            ],
        ),
        # A chain that leaves our zones proves its wildcards all the same.
        ("k.out.z.", "A", ["*.out.z. NSEC *.sec.z.", "*.out.z. RRSIG NSEC"]),
        # One that ends in a secure delegation does, too.
        (
            "k.sec.z.",
            "A",
            [
                "kid.z. NS ns.kid.z.",
                *signed("kid.z.", "DS"),
                "*.sec.z. NSEC *.w.z.",
                "*.sec.z. RRSIG NSEC",
            ],
        ),
        # RFC 4035 3.1.4.1: NODATA of DS is the parent's.
        ("bare.z.", "DS", [*SOA, "bare.z. NSEC *.c.z.", "bare.z. RRSIG NSEC"]),
        ("z.", "DS", [*SOA, "z. NSEC bare.z.", "z. RRSIG NSEC"]),
        # Who validates has the servers already.
        ("kid.z.", "DS", []),
        ("cds.z.", "CDS", []),
    ],
)
def test_authority_with_do(qname: str, qtype: str, expected: list[str]) -> None:
    """RFC 4035 3.1."""
    assert authority(qname, qtype) == sorted(expected)


@pytest.mark.parametrize(
    ("qname", "rcode", "answer", "owners"),
    [
        # The parent's wildcard, the child's wildcard, and the child's NXDOMAIN.
        ("k.down.z.", 3, ["k.down", "k.c.kid"], ["*.down.z.", "*.c.kid.z.", "kid.z."]),
        # The child's alias, the parent's wildcard.
        ("up.kid.z.", 0, ["up.kid", "k.w"], ["*.w.z."]),
    ],
)
def test_each_zone_of_a_chain_proves_its_part(
    qname: str, rcode: int, answer: list[str], owners: list[str]
) -> None:
    """RFC 4035 3.1.3: proofs come from the zone that answered the step."""
    message = ask(FAMILY, qname, "A", transport=TCP, want_dnssec=True)
    assert message.rcode() == rcode
    shown = {line.split()[0] for line in lines(message.answer)}
    assert shown == {f"{name}.z." for name in answer}
    found = {str(rrset.name) for rrset in message.authority if rrset.rdtype == 47}
    assert found == set(owners)


def test_parent_and_child_both_have_an_nsec_at_the_cut() -> None:
    """RFC 4035 2.3: two RRsets of one owner and type, of which each proves its zone's part."""
    parent: list[Line] = [*HEAD, ("*.z.", "CNAME", "no.kid.z."), ("kid.z.", "NS", "ns.kid.z.")]
    child: list[Line] = [("kid.z.", "SOA", "ns.z. h.z. 1 2 3 4 5"), ("kid.z.", "NS", "ns.z.")]
    both = snapshot(
        block(
            "z.",
            {
                "z.": Loaded(zone(with_nsec(parent, "z."), "z.")),
                "kid.z.": Loaded(zone(with_nsec(child, "kid.z."), "kid.z.")),
            },
        )
    )
    reply = ask_reply(both, "later.z.", "A", want_dnssec=True)
    assert reply.rcode == 3
    # SOA and two NSEC, each with its signature; dnspython would show the last NSEC alone.
    assert int.from_bytes(reply.wire[8:10]) == 6


def test_ds_is_asked_of_the_parent_where_both_are_served() -> None:
    """RFC 4035 3.1.4.1: the child's apex is the parent's to sign."""
    message = ask(FAMILY, "kid.z.", "DS", want_dnssec=True)
    assert brief(lines(message.answer)) == signed("kid.z.", "DS")


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "expected"),
    [
        (".", "DS", 0, ["ROOT"]),
        ("nope.", "A", 3, ["ROOT"]),
        ("x.y.", "A", 0, ["y."]),
        ("x.z.", "A", 0, []),
    ],
)
def test_the_root_zone(qname: str, qtype: str, rcode: int, expected: list[str]) -> None:
    """A zone like any other: its DS does not exist, its apex has no parent."""
    message = ask(serving(with_nsec(ROOT, "."), "."), qname, qtype, want_dnssec=True)
    assert message.rcode() == rcode
    owners = {str(rrset.name) for rrset in message.authority if rrset.rdtype == 47}
    assert owners == {"." if owner == "ROOT" else owner for owner in expected}
    judge(message, qname, qtype, ".")


def test_yxdomain_has_the_dname_and_its_signature() -> None:
    """RFC 6672 2.2 and 3.2: the DNAME shows why; there is no CNAME."""
    qname = f"{'q' * 63}.{'q' * 63}.dn.z."
    message = ask(SERVED, qname, "A", want_dnssec=True)
    assert (message.rcode(), message.authority) == (6, [])
    assert brief(lines(message.answer)) == signed("dn.z.", "DNAME")


def test_a_proof_that_does_not_fit_sets_tc() -> None:
    """RFC 4035 3.1.1: the proof is required, unlike the apex NS behind it."""
    long: list[Line] = [*PARENT, *(("*.w.z.", "TXT", f'"{"x" * 130}{n}"') for n in range(3))]
    served = serving(with_nsec(long, "z."), "z.")
    seen = set()
    for size in range(512, 720, 4):
        reply = ask_reply(served, "k.w.z.", "TXT", want_dnssec=True, payload=size)
        types = [rrset.rdtype for rrset in dns.message.from_wire(reply.wire).authority]
        assert reply.truncated == (types[:2] != [47, 46])
        seen.add((reply.truncated, len(types)))
    assert seen == {(True, 0), (False, 2), (False, 4)}


def test_minimal_keeps_proofs() -> None:
    """RFC 4035 3.1.3.3: ``minimal`` leaves out what is not needed, and this is."""
    served = serving(with_nsec(PARENT, "z."), "z.", Policy(minimal=True))
    message = ask(served, "k.w.z.", "A", want_dnssec=True)
    assert brief(lines(message.authority)) == ["*.w.z. NSEC www.z.", "*.w.z. RRSIG NSEC"]


@pytest.mark.parametrize("qtype", ["A", "ANY", "RRSIG", "NSEC", "NSEC3", "TYPE65280", "DS"])
@pytest.mark.parametrize("qname", ["www.z.", "k.w.z.", "q.z.", "z.", "x.bare.z.", "k.c.z."])
def test_without_do_there_is_no_proof(qname: str, qtype: str) -> None:
    """RFC 3225 3: no DNSSEC records but those that are asked for; AD is a resolver's to set."""
    message = ask(SERVED, qname, qtype, transport=UDP)
    assert not message.flags & 0x0020
    assert {rrset.rdtype for rrset in message.authority} <= {2, 6}
    signatures = {rrset.rdtype for rrset in message.answer} & {46, 47}
    assert not signatures or qtype in ("ANY", "RRSIG", "NSEC")


def longest(octets: int, apex: str = "") -> str:
    """Return a name of so many octets in wire form, below an apex."""
    room = octets - (len(apex) + 1 if apex else 1)
    parts = []
    while room:
        size = min(63, room - 1)
        # One octet is no label.
        size -= room - size - 1 == 1
        parts.append("l" * size)
        room -= size + 1
    return ".".join(parts) + "." + apex


@pytest.mark.parametrize("octets", [30, 221, 222])
@pytest.mark.parametrize("qtype", ["A", "DS"])
def test_the_longest_apex_of_nsec3(octets: int, qtype: str) -> None:
    """NSD crashed at such apexes in 2026: a hash takes 33 octets, and the name is 255 then."""
    apex = longest(octets)
    own: list[Line] = [(apex, "SOA", "ns. h. 1 2 3 4 5"), (apex, "NS", "ns.")]
    served = serving(with_nsec3(own, apex), apex)
    for qname in (longest(255, apex), "x." + apex, apex):
        message = ask(served, qname, qtype, transport=TCP, want_dnssec=True)
        judge(message, qname, qtype, apex)


@pytest.mark.parametrize("octets", [223, 240, 253, 255])
def test_an_apex_too_long_for_nsec3(octets: int) -> None:
    """No NSEC3 can be written there; what is signed with NSEC is proven."""
    apex = longest(octets)
    own: list[Line] = [(apex, "SOA", "ns. h. 1 2 3 4 5"), (apex, "NS", "ns.")]
    served = serving(with_nsec(own, apex), apex)
    names = [apex] if octets > 253 else [apex, "x." + apex]
    for qname in names:
        message = ask(served, qname, "DS", transport=TCP, want_dnssec=True)
        judge(message, qname, "DS", apex)


def test_127_labels_of_a_reverse_zone() -> None:
    """RFC 1035 2.3.4: as many labels as fit, below an ip6.arpa apex."""
    apex = "8.b.d.0.1.0.0.2.ip6.arpa."
    own: list[Line] = [(apex, "SOA", "ns. h. 1 2 3 4 5"), (apex, "NS", "ns.")]
    own += [("1." * 24 + apex, "PTR", "host.z."), ("*.2." + apex, "PTR", "wild.z.")]
    for text in (with_nsec(own, apex), with_nsec3(own, apex, opt_out=True)):
        served = serving(text, apex)
        for qname in ("1." * 24, "1." * 23, "3." * 100, "5." * 90 + "2.", "9." + "1." * 24):
            message = ask(served, qname + apex, "PTR", transport=TCP, want_dnssec=True)
            judge(message, qname + apex, "PTR", apex)


@pytest.mark.parametrize(
    ("ghost", "qname", "qtype"),
    [
        ("ghost.z.", "ghost.z.", "A"),
        ("ghost.z.", "a.ghost.z.", "A"),
        ("*.z.", "missing.z.", "A"),
        ("y.w.z.", "y.w.z.", "A"),
        ("y.w.z.", "y.w.z.", "MX"),
        ("k.c.z.", "k.c.z.", "A"),
    ],
)
def test_two_names_with_one_hash_are_servfail(ghost: str, qname: str, qtype: str) -> None:
    """RFC 5155 7.2.9: who has the NSEC3 of a name that does not exist can prove nothing."""
    text = with_nsec3([*PARENT, (ghost, "TXT", "x")], "z.")
    without = "\n".join(line for line in text.splitlines() if not line.startswith(f"{ghost} "))
    assert without.count("\n") < text.count("\n") - 1
    served = serving(without, "z.")
    message = ask(served, qname, qtype, want_dnssec=True)
    assert (message.rcode(), message.answer, message.authority) == (2, [], [])
    assert ask(served, qname, qtype).rcode() != 2


def test_a_wildcard_above_what_opt_out_leaves_out_is_no_collision() -> None:
    """RFC 5155 7.2.1: the provable encloser is above the closest one, whose wildcard is not asked."""
    insecure: list[Line] = [*HEAD, ("cut.ent.z.", "NS", "ns.elsewhere."), ("*.z.", "TXT", "x")]
    served = serving(with_nsec3(insecure, "z.", opt_out=True), "z.")
    assert ask(served, "missing.ent.z.", "A", want_dnssec=True).rcode() == 3
