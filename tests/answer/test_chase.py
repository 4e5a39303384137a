"""answer.chase: aliases across zones, loops, length, overflow."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from ocizone.answer.blocks import Loaded, NotReady, Policy, Snapshot
from ocizone.limits import ALIAS_CHAIN
from ocizone.plugins.acl import Acl, AclRule
from ocizone.wire.name import from_text
from tests.zonebuilder import ask, ask_reply, block, lines, serving, snapshot, zone

HEAD = "$TTL 9\n@ SOA ns. h. 1 2 3 4 5\n@ NS ns.net.\n"
ONE = (
    HEAD
    + """
in       CNAME host
host     A 192.0.2.1
none     CNAME nowhere
notype   CNAME host
ent      CNAME b.c
x.b.c    A 192.0.2.2
wild     CNAME any.star
*.star   CNAME host
out      CNAME www.elsewhere.net.
refused  CNAME www.unready.org.
closed   CNAME www.closed.org.
to-two   CNAME www.two.org.
to-sub   CNAME x.sub
sub      NS ns.sub
ns.sub   A 192.0.2.3
self     CNAME self
loop-a   CNAME loop-b
loop-b   CNAME loop-a
dn       DNAME two.org.
spin     DNAME spin
grow     DNAME x.grow
long     DNAME llllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.two.org.
Case     CNAME Host
"""
)
TWO = HEAD + "www A 192.0.2.22\nback CNAME host.one.org.\n"


def served() -> Snapshot:
    """Return two blocks that may be asked, one that may not, and one without a version."""
    closed = Acl((from_text("."),), (AclRule("block", None, (ip_network("192.0.2.0/24"),)),))
    return snapshot(
        block("one.org.", {"one.org.": Loaded(zone(ONE, "one.org."))}),
        block("two.org.", {"two.org.": Loaded(zone(TWO, "two.org."))}),
        block("unready.org.", {"unready.org.": NotReady("test")}),
        block(
            "closed.org.",
            {"closed.org.": Loaded(zone(HEAD + "www A 192.0.2.66\n", "closed.org."))},
            Policy(acl=(closed,)),
        ),
    )


SERVED = served()


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "answer", "authority"),
    [
        ("in", "A", 0, ["host A", "in CNAME"], ["NS"]),
        ("in", "CNAME", 0, ["in CNAME"], ["NS"]),
        # RFC 6604 3: the rcode is the last name's; RFC 2308 2: with its SOA.
        ("none", "A", 3, ["none CNAME"], ["SOA"]),
        ("notype", "AAAA", 0, ["notype CNAME"], ["SOA"]),
        ("ent", "A", 0, ["ent CNAME"], ["SOA"]),
        ("wild", "A", 0, ["any.star CNAME", "host A", "wild CNAME"], ["NS"]),
        ("new.star", "TXT", 0, ["new.star CNAME"], ["SOA"]),
        # Out of our zones the client goes on by itself.
        ("out", "A", 0, ["out CNAME"], []),
        ("refused", "A", 0, ["refused CNAME"], []),
        ("closed", "A", 0, ["closed CNAME"], []),
        ("to-two", "A", 0, ["to-two CNAME", "www.two.org. A"], ["NS"]),
        ("to-two", "MX", 0, ["to-two CNAME"], ["SOA"]),
        ("to-sub", "A", 0, ["to-sub CNAME"], ["NS"]),
        # Loops end where they would repeat.
        ("self", "A", 0, ["self CNAME"], []),
        ("loop-a", "A", 0, ["loop-a CNAME", "loop-b CNAME"], []),
        # RFC 6672 3.1: the DNAME and the CNAME it stands for.
        ("www.dn", "A", 0, ["dn DNAME", "www.dn CNAME", "www.two.org. A"], ["NS"]),
        ("www.dn", "CNAME", 0, ["dn DNAME", "www.dn CNAME"], []),
        ("back.dn", "A", 0, ["back.dn CNAME", "back.two.org. CNAME", "dn DNAME", "host A"], ["NS"]),
        ("no.dn", "A", 3, ["dn DNAME", "no.dn CNAME"], ["SOA"]),
        ("a.spin", "A", 0, ["a.spin CNAME", "spin DNAME"], []),
    ],
)  # fmt: skip
def test_chain(qname: str, qtype: str, rcode: int, answer: list[str], authority: list[str]) -> None:
    """RFC 1034 4.3.2 step 3a and 3c, across the zones of one listener."""
    message = ask(SERVED, f"{qname}.one.org.", qtype)
    assert message.rcode() == rcode
    found = [line.split() for line in lines(message.answer)]
    assert sorted(f"{one[0].removesuffix('.one.org.')} {one[2]}" for one in found) == answer
    assert sorted({line.split()[2] for line in lines(message.authority)}) == authority
    assert message.flags & 0x0400


def test_the_soa_of_a_denial_is_the_last_zones() -> None:
    """RFC 2308 2.1: it must be the zone that denies."""
    (soa,) = ask(SERVED, "to-two.one.org.", "MX").authority
    assert soa.name.to_text() == "two.org."


def test_a_referral_behind_an_alias_is_authoritative_for_the_alias() -> None:
    """RFC 1035 4.1.1: AA is about the first owner."""
    message = ask(SERVED, "to-sub.one.org.", "A")
    assert lines(message.authority) == ["sub.one.org. 9 NS ns.sub.one.org."]
    assert lines(message.additional) == ["ns.sub.one.org. 9 A 192.0.2.3"]


def test_a_long_chain_is_bounded() -> None:
    """NSD 2026: "very long CNAME chain"; sixteen links, then the client goes on."""
    text = HEAD + "".join(f"n{n} CNAME n{n + 1}\n" for n in range(300))
    message = ask(serving(text, "one.org."), "n0.one.org.", "A", use_edns=0)
    assert message.rcode() == 0
    assert len(lines(message.answer)) == ALIAS_CHAIN


def test_a_dname_that_grows_is_bounded_and_said_once() -> None:
    """CVE-2021-25215: each step is longer; the RRset stands in the message once."""
    wire = ask_reply(SERVED, "a.grow.one.org.", "A", use_edns=0).wire
    # Counted in the header: dnspython would merge what was repeated.
    assert int.from_bytes(wire[6:8]) == 1 + ALIAS_CHAIN


def test_overflow() -> None:
    """RFC 6672 2.2: YXDOMAIN, with the DNAME that caused it."""
    qname = ".".join(["x" * 60] * 3) + ".yyyyyyyy.long.one.org."
    message = ask(SERVED, qname, "A")
    assert message.rcode() == 6
    assert [line.split()[2] for line in lines(message.answer)] == ["DNAME"]


def test_synthesized_cname_has_the_ttl_of_the_dname() -> None:
    """RFC 6672 3.1."""
    answer = lines(ask(SERVED, "www.dn.one.org.", "A").answer)
    assert "www.dn.one.org. 9 CNAME www.two.org." in answer
