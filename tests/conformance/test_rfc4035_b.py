"""RFC 4035 appendix B: its zone, its questions, its answers. Signatures are not the RFC's."""

from __future__ import annotations

import pytest

from tests.signedtext import Line, brief, signed, with_nsec
from tests.zonebuilder import ask, lines, serving

ZONE: list[Line] = [
    ("example.", "SOA", "ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600"),
    ("example.", "NS", "ns1.example."),
    ("example.", "NS", "ns2.example."),
    ("example.", "MX", "1 xx.example."),
    ("example.", "DNSKEY", "256 3 5 AQOy1bZVvpPqhg4j7EJo"),
    ("a.example.", "NS", "ns1.a.example."),
    ("a.example.", "NS", "ns2.a.example."),
    ("a.example.", "DS", "57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B"),
    ("ns1.a.example.", "A", "192.0.2.5"),
    ("ns2.a.example.", "A", "192.0.2.6"),
    ("ai.example.", "A", "192.0.2.9"),
    ("ai.example.", "HINFO", '"KLH-10" "ITS"'),
    ("ai.example.", "AAAA", "2001:db8::f00:baa9"),
    ("b.example.", "NS", "ns1.b.example."),
    ("b.example.", "NS", "ns2.b.example."),
    ("ns1.b.example.", "A", "192.0.2.7"),
    ("ns2.b.example.", "A", "192.0.2.8"),
    ("ns1.example.", "A", "192.0.2.1"),
    ("ns2.example.", "A", "192.0.2.2"),
    ("*.w.example.", "MX", "1 ai.example."),
    ("x.w.example.", "MX", "1 xx.example."),
    ("x.y.w.example.", "MX", "1 xx.example."),
    ("xx.example.", "A", "192.0.2.10"),
    ("xx.example.", "HINFO", '"KLH-10" "TOPS-20"'),
    ("xx.example.", "AAAA", "2001:db8::f00:baaa"),
]
SERVED = serving(with_nsec(ZONE, "example."), "example.")

NS = ["example. NS ns1.example.", "example. NS ns2.example.", "example. RRSIG NS"]
SOA = signed("example.", "SOA")


def nsec(owner: str, following: str) -> list[str]:
    """Return an NSEC and its signature as ``brief`` shows them."""
    return [f"{owner} NSEC {following}", f"{owner} RRSIG NSEC"]


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "answer", "authority", "additional"),
    [
        # B.1
        (
            "x.w.example.",
            "MX",
            0,
            signed("x.w.example.", "MX"),
            NS,
            signed("xx.example.", "A", "AAAA")
            + signed("ns1.example.", "A")
            + signed("ns2.example.", "A"),
        ),
        # B.2
        (
            "ml.example.",
            "A",
            3,
            [],
            SOA + nsec("b.example.", "ns1.example.") + nsec("example.", "a.example."),
            [],
        ),
        # B.3
        ("ns1.example.", "MX", 0, [], SOA + nsec("ns1.example.", "ns2.example."), []),
        # B.4
        (
            "mc.a.example.",
            "MX",
            0,
            [],
            [
                "a.example. NS ns1.a.example.",
                "a.example. NS ns2.a.example.",
                *signed("a.example.", "DS"),
            ],
            ["ns1.a.example. A", "ns2.a.example. A"],
        ),
        # B.5
        (
            "mc.b.example.",
            "MX",
            0,
            [],
            [
                "b.example. NS ns1.b.example.",
                "b.example. NS ns2.b.example.",
                *nsec("b.example.", "ns1.example."),
            ],
            ["ns1.b.example. A", "ns2.b.example. A"],
        ),
        # B.6, with the addresses of the apex NS, as in B.1
        (
            "a.z.w.example.",
            "MX",
            0,
            signed("a.z.w.example.", "MX"),
            NS + nsec("x.y.w.example.", "xx.example."),
            signed("ai.example.", "A", "AAAA")
            + signed("ns1.example.", "A")
            + signed("ns2.example.", "A"),
        ),
        # B.7
        (
            "a.z.w.example.",
            "AAAA",
            0,
            [],
            SOA + nsec("x.y.w.example.", "xx.example.") + nsec("*.w.example.", "x.w.example."),
            [],
        ),
        # B.8
        ("example.", "DS", 0, [], SOA + nsec("example.", "a.example."), []),
    ],
    ids=[f"B.{number}" for number in range(1, 9)],
)
def test_appendix_b(
    qname: str,
    qtype: str,
    rcode: int,
    answer: list[str],
    authority: list[str],
    additional: list[str],
) -> None:
    """RFC 4035 B.1 to B.8."""
    message = ask(SERVED, qname, qtype, want_dnssec=True)
    assert message.rcode() == rcode
    assert bool(message.flags & 0x0400) == (not qname.startswith("mc."))
    assert brief(lines(message.answer)) == sorted(answer)
    assert brief(lines(message.authority)) == sorted(authority)
    assert brief(lines(message.additional)) == sorted(additional)


def test_the_signature_of_a_wildcard_keeps_its_labels() -> None:
    """RFC 4035 B.6: the owner is the query name, the label count that of ``*.w.example.``."""
    answer = lines(ask(SERVED, "a.z.w.example.", "MX", want_dnssec=True).answer)
    (signature,) = (line.split() for line in answer if " RRSIG " in line)
    assert (signature[0], signature[5]) == ("a.z.w.example.", "2")
