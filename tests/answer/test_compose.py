"""answer.compose: the sections of each outcome."""

from __future__ import annotations

import dns.message
import dns.rdatatype
import pytest

from tests.zonebuilder import ask, ask_reply, lines, serving

SIG = "8 2 60 20300101000000 20200101000000 1 example.org. AAAA"
ZONE = f"""
@        3600 SOA ns h 1 2 3 4 60
@        3600 NS NS
@        3600 RRSIG SOA {SIG}
ns       3600 A 192.0.2.1
www      300  A 192.0.2.2
www      300  RRSIG A {SIG}
*.wild   300  A 192.0.2.3
*.wild   300  RRSIG A {SIG}
b.ent    300  A 192.0.2.4
Sub      300  NS ns.sub
sub      300  DS 1 8 2 {"00" * 32}
sub      300  RRSIG DS {SIG}
ns.sub   300  A 192.0.2.5
plain    300  NS ns.sub
*.nswild 300  NS ns.sub
long     300  TXT "{"x" * 250}" "{"y" * 205}"
"""
SERVED = serving(ZONE, "example.org.")
NS = ["example.org. 3600 NS NS.example.org."]
SOA = ["example.org. 60 SOA NS.example.org. h.example.org. 1 2 3 4 60"]


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "aa", "answer", "authority"),
    [
        # RFC 1034 6.2.1, with the apex NS as NSD and BIND add it.
        ("www.", "A", 0, True, ["www.example.org. 300 A 192.0.2.2"], NS),
        ("a.b.wild.", "A", 0, True, ["a.b.wild.example.org. 300 A 192.0.2.3"], NS),
        ("x.nswild.", "NS", 0, True, ["x.nswild.example.org. 300 NS ns.sub.example.org."], NS),
        # The answer holds the NS already.
        ("", "NS", 0, True, NS, []),
        # RFC 2308 3, 5: the SOA's TTL is min(TTL, MINIMUM).
        ("www.", "MX", 0, True, [], SOA),
        ("ent.", "A", 0, True, [], SOA),
        ("wild.", "A", 0, True, [], SOA),
        ("x.wild.", "MX", 0, True, [], SOA),
        # CoreDNS 3.5.1: the apex exists.
        ("", "A", 0, True, [], SOA),
        ("nope.", "A", 3, True, [], SOA),
        ("x.www.", "A", 3, True, [], SOA),
        # RFC 1034 4.2.1: a referral is not authoritative.
        ("x.sub.", "A", 0, False, [], ["Sub.example.org. 300 NS ns.Sub.example.org."]),
        ("sub.", "NS", 0, False, [], ["Sub.example.org. 300 NS ns.Sub.example.org."]),
        ("plain.", "DS", 0, True, [], SOA),
    ],
)  # fmt: skip
def test_sections(
    qname: str,
    qtype: str,
    rcode: int,
    aa: bool,
    answer: list[str],
    authority: list[str],
) -> None:
    """RFC 1034 4.3.2 step 3, RFC 2308 2, RFC 2181 5.4.1."""
    message = ask(SERVED, f"{qname}example.org.", qtype)
    assert message.rcode() == rcode
    assert bool(message.flags & 0x0400) == aa
    assert not message.flags & 0x0080
    folded = [line.lower() for line in lines(message.authority)]
    assert lines(message.answer) == answer
    assert folded == [line.lower() for line in authority]


def test_soa_of_the_zone_keeps_its_ttl() -> None:
    """RFC 2308 3 is about denials; a SOA that is asked for has its own TTL."""
    (line,) = lines(ask(SERVED, "example.org.", "SOA").answer)
    assert line.split()[1] == "3600"


def test_the_apex_ns_is_a_courtesy() -> None:
    """RFC 2181 9: TC is not for what the client can do without."""
    reply = ask_reply(SERVED, "long.example.org.", "TXT")
    message = dns.message.from_wire(reply.wire)
    assert (len(message.answer), len(message.authority), reply.truncated) == (1, 0, False)


def test_soa_ttl_below_minimum() -> None:
    """RFC 2308 3: the smaller of the two, either way."""
    served = serving("@ 30 SOA ns h 1 2 3 4 60\n", "example.org.")
    (line,) = lines(ask(served, "x.example.org.", "A").authority)
    assert line.split()[1] == "30"


def test_a_zone_without_apex_ns_still_answers() -> None:
    """The check refuses such a zone; an answer must not depend on that."""
    served = serving("@ 30 SOA ns h 1 2 3 4 60\nwww 30 A 192.0.2.1\n", "example.org.")
    message = ask(served, "www.example.org.", "A")
    assert (len(message.answer), len(message.authority)) == (1, 0)


@pytest.mark.parametrize(
    ("qname", "qtype", "section", "types"),
    [
        ("www.", "A", "answer", ["A", "RRSIG"]),
        ("x.wild.", "A", "answer", ["A", "RRSIG"]),
        ("nope.", "A", "authority", ["RRSIG", "SOA"]),
        # RFC 4035 3.1.4: DS and its signature; NS at a cut is not signed.
        ("x.sub.", "A", "authority", ["DS", "NS", "RRSIG"]),
        ("sub.", "DS", "answer", ["DS", "RRSIG"]),
        ("x.plain.", "A", "authority", ["NS"]),
    ],
)
def test_signatures_travel_with_do(qname: str, qtype: str, section: str, types: list[str]) -> None:
    """RFC 4035 3.1: RRSIGs with DO, and none without."""
    name = f"{qname}example.org."
    signed = getattr(ask(SERVED, name, qtype, want_dnssec=True), section)
    plain = getattr(ask(SERVED, name, qtype), section)
    assert sorted(line.split()[2] for line in lines(signed)) == types
    shown = sorted(line.split()[2] for line in lines(plain))
    assert "RRSIG" not in shown
    assert "DS" not in shown or qtype == "DS"


def test_a_ds_without_signature_stays_at_home() -> None:
    """RFC 4035 3.1.4 gives DS with its RRSIG: an unsigned zone gives none, as NSD, Knot and BIND."""
    text = f"@ 60 SOA ns h 1 2 3 4 60\n@ 60 NS ns\nsub 60 NS ns\nsub 60 DS 1 8 2 {'00' * 32}\n"
    served = serving(text + "ns 60 A 192.0.2.1\n", "example.org.")
    reply = ask(served, "x.sub.example.org.", "A", want_dnssec=True)
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.NS]
    assert ask(served, "sub.example.org.", "DS", want_dnssec=True).answer
