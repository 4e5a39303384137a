"""RFC 5155 appendices A and B: its hashes, its Opt-Out zone, its answers."""

from __future__ import annotations

import pytest

from ocizone.wire.name import from_text
from ocizone.zone.nsec3 import nsec3_hash, nsec3_owner
from ocizone.zone.reader import Nsec3Params
from tests.signedtext import Line, brief, signed, with_nsec3
from tests.zonebuilder import ask, lines, serving, zone

HASHES = {
    "example.": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
    "a.example.": "35mthgpgcu1qg68fab165klnsnk3dpvl",
    "ai.example.": "gjeqe526plbf1g8mklp59enfd789njgi",
    "ns1.example.": "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
    "ns2.example.": "q04jkcevqvmu85r014c7dkba38o0ji5r",
    "w.example.": "k8udemvp1j2f7eg6jebps17vp3n8i58h",
    "*.w.example.": "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
    "x.w.example.": "b4um86eghhds6nea196smvmlo4ors995",
    "y.w.example.": "ji6neoaepv8b5o6k4ev33abha8ht9fgc",
    "x.y.w.example.": "2vptu5timamqttgl4luu9kg21e0aor3s",
    "xx.example.": "t644ebqk9bibcna874givr6joj62mlhv",
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.": "kohar7mbb8dc2ce8a9qvl8hon4k53uhi",
}
ZONE: list[Line] = [
    ("example.", "SOA", "ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600"),
    ("example.", "NS", "ns1.example."),
    ("example.", "NS", "ns2.example."),
    ("example.", "MX", "1 xx.example."),
    ("example.", "DNSKEY", "256 3 7 AwEAAaetidLzsKWUt4sw"),
    ("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "A", "192.0.2.127"),
    ("a.example.", "NS", "ns1.a.example."),
    ("a.example.", "NS", "ns2.a.example."),
    ("a.example.", "DS", "58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C"),
    ("ns1.a.example.", "A", "192.0.2.5"),
    ("ns2.a.example.", "A", "192.0.2.6"),
    ("ai.example.", "A", "192.0.2.9"),
    ("ai.example.", "HINFO", '"KLH-10" "ITS"'),
    ("ai.example.", "AAAA", "2001:db8:0:0:0:0:f00:baa9"),
    ("c.example.", "NS", "ns1.c.example."),
    ("c.example.", "NS", "ns2.c.example."),
    ("ns1.c.example.", "A", "192.0.2.7"),
    ("ns2.c.example.", "A", "192.0.2.8"),
    ("ns1.example.", "A", "192.0.2.1"),
    ("ns2.example.", "A", "192.0.2.2"),
    ("*.w.example.", "MX", "1 ai.example."),
    ("x.w.example.", "MX", "1 xx.example."),
    ("x.y.w.example.", "MX", "1 xx.example."),
    ("xx.example.", "A", "192.0.2.10"),
    ("xx.example.", "HINFO", '"KLH-10" "TOPS-20"'),
    ("xx.example.", "AAAA", "2001:db8:0:0:0:0:f00:baaa"),
]
TEXT = with_nsec3(ZONE, "example.", salt="aabbccdd", iterations=12, opt_out=True)
SERVED = serving(TEXT, "example.")
NS = ["example. NS ns1.example.", "example. NS ns2.example.", "example. RRSIG NS"]
SOA = signed("example.", "SOA")
PARAMS = Nsec3Params(12, bytes.fromhex("aabbccdd"))


def nsec3(*names: str) -> list[str]:
    """Return the NSEC3 of these names and their signatures as ``brief`` shows them."""
    return [
        shown
        for name in names
        for shown in (f"{HASHES[name]}.example. NSEC3", f"{HASHES[name]}.example. RRSIG NSEC3")
    ]


@pytest.mark.parametrize(("name", "spelled"), HASHES.items())
def test_hashes(name: str, spelled: str) -> None:
    """RFC 5155 appendix A, 12 iterations and salt aabbccdd."""
    digest = nsec3_hash(from_text(name), PARAMS)
    assert nsec3_owner(digest, from_text("example.")) == from_text(f"{spelled}.example.")


def test_the_chain_is_the_one_of_the_rfc() -> None:
    """RFC 5155 appendix A: twelve NSEC3, none for c.example."""
    owners = [digest for digest, _ in zone(TEXT, "example.").nsec3_nodes()]
    assert owners == sorted(nsec3_hash(from_text(name), PARAMS) for name in HASHES)


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "authority"),
    [
        # B.1: x.w encloses; c.x.w and *.x.w are covered.
        ("a.c.x.w.example.", "A", 3, SOA + nsec3("example.", "x.w.example.", "a.example.")),
        # B.2
        ("ns1.example.", "MX", 0, SOA + nsec3("ns1.example.")),
        # B.2.1
        ("y.w.example.", "A", 0, SOA + nsec3("y.w.example.")),
        # B.3: example. encloses, c.example. is covered.
        (
            "mc.c.example.",
            "MX",
            0,
            [
                "c.example. NS ns1.c.example.",
                "c.example. NS ns2.c.example.",
                *nsec3("a.example.", "example."),
            ],
        ),
        # B.4: z.w is covered.
        ("a.z.w.example.", "MX", 0, NS + nsec3("ns2.example.")),
        # B.5: w encloses, z.w is covered, *.w has no AAAA.
        (
            "a.z.w.example.",
            "AAAA",
            0,
            SOA + nsec3("w.example.", "ns2.example.", "*.w.example."),
        ),
        # B.6
        ("example.", "DS", 0, SOA + nsec3("example.")),
    ],
    ids=["B.1", "B.2", "B.2.1", "B.3", "B.4", "B.5", "B.6"],
)
def test_appendix_b(qname: str, qtype: str, rcode: int, authority: list[str]) -> None:
    """RFC 5155 B.1 to B.6."""
    message = ask(SERVED, qname, qtype, want_dnssec=True)
    assert message.rcode() == rcode
    assert brief(lines(message.authority)) == sorted(authority)


def test_referral_of_opt_out_has_its_glue() -> None:
    """RFC 5155 B.3."""
    message = ask(SERVED, "mc.c.example.", "MX", want_dnssec=True)
    assert brief(lines(message.additional)) == ["ns1.c.example. A", "ns2.c.example. A"]
    assert not message.flags & 0x0400


@pytest.mark.parametrize("name", ["example.", "w.example.", "a.example."])
@pytest.mark.parametrize("qtype", ["NSEC3", "RRSIG", "A", "ANY"])
def test_owners_of_nsec3_are_no_names(name: str, qtype: str) -> None:
    """RFC 5155 7.2.8: they do not exist, whatever is asked of them."""
    message = ask(SERVED, f"{HASHES[name]}.example.", qtype, want_dnssec=True)
    assert (message.rcode(), message.answer) == (3, [])


def test_a_name_spelled_like_a_hash_exists() -> None:
    """RFC 5155 appendix A: its A is its own; the NSEC3 beside it belongs to ns1."""
    owner = f"{HASHES['ns1.example.']}.example."
    assert brief(lines(ask(SERVED, owner, "A", want_dnssec=True).answer)) == sorted(
        signed(owner, "A")
    )
    assert brief(lines(ask(SERVED, owner, "MX", want_dnssec=True).authority)) == sorted(
        SOA + nsec3(owner)
    )
