"""answer.policy: what each directive changes, asked through respond."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import dns.edns
import dns.message
import dns.rdataclass
import pytest

from ocizone import __version__
from ocizone.answer.blocks import (
    Loaded,
    NotReady,
    Policy,
    Protocol,
    Provenance,
    ServedZone,
    Snapshot,
    Transport,
)
from ocizone.answer.policy import client_address, size_limit
from ocizone.answer.respond import respond
from ocizone.plugins.acl import Acl, AclRule, Action
from ocizone.plugins.bufsize import BufferSize
from ocizone.plugins.chaos import Chaos
from ocizone.plugins.loadbalance import LoadBalance
from ocizone.wire.edns import Edns
from ocizone.wire.name import from_text
from tests.zonebuilder import TCP, UDP, ask, block, lines, serving, snapshot, zone

ZONE = """
$TTL 60
@      SOA ns h 1 2 3 4 60
@      NS ns
ns     A 192.0.2.1
www    A 192.0.2.1
www    A 192.0.2.2
www    A 192.0.2.3
www    TXT "b"
mx     MX 1 www
mx     MX 2 www
alias  CNAME www
sub    NS ns.sub
ns.sub A 192.0.2.4
"""
ORIGIN = "example.org."
V4 = ip_network("192.0.2.0/24")
V6 = ip_network("2001:db8::/32")


def served(policy: Policy) -> Snapshot:
    return serving(ZONE, ORIGIN, policy)


# --- acl -------------------------------------------------------------------------------------


def rule(
    action: Action, qtypes: list[int] | None = None, *networks: IPv4Network | IPv6Network
) -> AclRule:
    return AclRule(action, None if qtypes is None else frozenset(qtypes), networks or None)


def acl(*rules: AclRule, zones: tuple[str, ...] = (ORIGIN,)) -> Acl:
    return Acl(tuple(from_text(zone) for zone in zones), rules)


@pytest.mark.parametrize(
    ("rules", "client", "rcode", "error"),
    [
        ((), "192.0.2.53", 0, None),
        ((acl(rule("block", None, V4)),), "192.0.2.53", 5, 15),
        ((acl(rule("block", None, V4)),), "198.51.100.1", 0, None),
        ((acl(rule("block", [1])),), "198.51.100.1", 5, 15),
        ((acl(rule("block", [28])),), "198.51.100.1", 0, None),
        ((acl(rule("filter", None, V6)),), "2001:db8::1", 0, 17),
        # The first match decides, within a directive and over them.
        ((acl(rule("allow", None, V4), rule("block")),), "192.0.2.53", 0, None),
        ((acl(rule("allow", None, V4), rule("block")),), "198.51.100.1", 5, 15),
        ((acl(rule("allow", None, V4)), acl(rule("block"))), "192.0.2.53", 0, None),
        ((acl(rule("block", None, V4)), acl(rule("allow"))), "192.0.2.53", 5, 15),
        # Only for its zones.
        ((acl(rule("block"), zones=("other.org.", "net.")),), "192.0.2.53", 0, None),
        ((acl(rule("block"), zones=("other.org.", "org.")),), "192.0.2.53", 5, 15),
        # A dual-stack socket shows IPv4 clients as mapped.
        ((acl(rule("block", None, V4)),), "::ffff:192.0.2.53", 5, 15),
        ((acl(rule("allow")),), "not an address", 5, 15),
    ],
)
def test_acl(rules: tuple[Acl, ...], client: str, rcode: int, error: int | None) -> None:
    """CoreDNS acl: first match decides, allow by default; EDE 15 and 17 (RFC 8914 4.16, 4.18)."""
    transport = Transport("udp", "main", client, 4000)
    message = ask(
        served(Policy(acl=rules)), "www.example.org.", "A", transport=transport, use_edns=0
    )
    errors = [int(o.code) for o in message.options if isinstance(o, dns.edns.EDEOption)]
    assert (message.rcode(), errors) == (rcode, [] if error is None else [error])
    assert bool(message.answer) == (rcode == 0 and error is None)


def test_acl_drop() -> None:
    """``drop`` is silence."""
    query = dns.message.make_query("www.example.org.", "A").to_wire()
    assert respond(query, served(Policy(acl=(acl(rule("drop")),))), UDP) is None


@pytest.mark.parametrize(("qtype", "rdclass"), [("ANY", "IN"), ("TXT", "CH")])
def test_acl_stands_before_any_and_chaos(qtype: str, rdclass: str) -> None:
    """CoreDNS answers these to blocked clients; we do not."""
    closed = acl(rule("block"), zones=(".",))
    policy = Policy(acl=(closed,), any_hinfo=True, chaos=Chaos("1", ()))
    here = snapshot(block(".", {".": Loaded(zone(ZONE, "."))}, policy))
    asked = ask(here, "version.bind.", qtype, rdclass=dns.rdataclass.from_text(rdclass))
    assert (asked.rcode(), asked.answer) == (5, [])


# --- bufsize, nsid -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "edns", "bufsize", "limit"),
    [
        ("udp", None, None, 512),
        ("udp", Edns(100), None, 512),
        ("udp", Edns(1000), None, 1000),
        ("udp", Edns(4096), None, 1232),
        ("udp", Edns(4096), 700, 700),
        ("udp", Edns(4096), 4096, 4096),
        ("udp", Edns(600), 4096, 600),
        ("udp", None, 4096, 512),
        ("tcp", Edns(512), 512, 65_535),
        ("tls", None, None, 65_535),
    ],
)
def test_size_limit(protocol: Protocol, edns: Edns | None, bufsize: int | None, limit: int) -> None:
    """RFC 6891 6.2.3-6.2.5: the smaller of what both can do, 512 at least."""
    policy = Policy(bufsize=None if bufsize is None else BufferSize(bufsize))
    assert size_limit(Transport(protocol, "main", "::1", 1), edns, policy) == limit
    if bufsize is None:
        assert size_limit(Transport(protocol, "main", "::1", 1), edns, None) == limit


@pytest.mark.parametrize(
    ("policy", "asked", "given"),
    [(b"ns1", True, [b"ns1"]), (b"ns1", False, []), (None, True, []), (b"", True, [b""])],
)
def test_nsid(policy: bytes | None, asked: bool, given: list[bytes]) -> None:
    """RFC 5001 2.1: only for who asks, only where configured."""
    options = [dns.edns.NSIDOption(b"")] if asked else []
    message = ask(served(Policy(nsid=policy)), "www.example.org.", "A", use_edns=0, options=options)
    assert [option.to_wire() for option in message.options] == given


# --- chaos -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qname", "chaos", "texts"),
    [
        ("version.bind.", Chaos("v1", ()), ["v1"]),
        ("VERSION.server.", Chaos("", ()), [f"ocizone-{__version__}"]),
        ("authors.bind.", Chaos("", ("one", "two")), ["one", "two"]),
        ("authors.bind.", Chaos("", ()), ["The ocizone maintainers"]),
        ("hostname.bind.", Chaos("", ()), ["host1"]),
        ("id.server.", Chaos("", ()), ["host1"]),
        ("version.bind.", Chaos("v" * 300, ()), ["v" * 255]),
    ],
)
def test_chaos(qname: str, chaos: Chaos, texts: list[str]) -> None:
    """RFC 4892 and the names BIND made a custom: class CH, TTL 0, 255 octets a string."""
    here = snapshot(block(".", {}, Policy(chaos=chaos, hostname="host1")))
    message = ask(here, qname, "TXT", rdclass=dns.rdataclass.CH)
    (rrset,) = message.answer
    assert (rrset.rdclass, rrset.ttl) == (dns.rdataclass.CH, 0)
    assert [rdata.to_text().strip('"') for rdata in rrset] == texts


@pytest.mark.parametrize(
    ("qname", "qtype", "rdclass", "chaos"),
    [
        ("version.bind.", "TXT", "CH", None),
        ("version.bind.", "A", "CH", Chaos("v", ())),
        ("example.org.", "TXT", "CH", Chaos("v", ())),
        ("version.bind.", "TXT", "HS", Chaos("v", ())),
        ("version.bind.", "TXT", "ANY", Chaos("v", ())),
        ("version.bind.", "TXT", "NONE", Chaos("v", ())),
    ],
)
def test_other_classes_are_refused(
    qname: str, qtype: str, rdclass: str, chaos: Chaos | None
) -> None:
    """CVE-2026-5946: nothing but IN has zones here."""
    here = snapshot(block(".", {}, Policy(chaos=chaos)))
    assert ask(here, qname, qtype, rdclass=dns.rdataclass.from_text(rdclass)).rcode() == 5


# --- provenance --------------------------------------------------------------------------------

SINCE = "2026-11-21T06:45:07Z"
DIGEST = f"sha256:{'6b' * 32}"


TOLD = Policy(provenance=True)


def told_of(reference: str, policy: Policy = TOLD) -> Snapshot:
    """Serve example.org, the root, one zone of no artifact and one without a version."""
    told = Provenance(reference, DIGEST, SINCE)
    zones: dict[str, ServedZone] = {
        ORIGIN: Loaded(zone(ZONE, ORIGIN), provenance=told),
        ".": Loaded(zone(ZONE, "."), provenance=Provenance("root", DIGEST, SINCE)),
        "made.org.": Loaded(zone(ZONE, "made.org.")),
        "waiting.org.": NotReady("no version yet"),
    }
    return snapshot(block(".", zones, policy))


@pytest.mark.parametrize(
    ("qname", "reference", "references"),
    [
        ("artifact.example.org.", "r.test/zones:prod", ["ref=r.test/zones:prod"]),
        ("ARTIFACT.Example.org.", "r.test/zones:prod", ["ref=r.test/zones:prod"]),
        ("artifact.", "", ["ref=root"]),
        # A character-string has 255 octets: what is longer goes on in the next one.
        ("artifact.example.org.", "r" * 251, ["ref=" + "r" * 251]),
        ("artifact.example.org.", "r" * 252, ["ref=" + "r" * 251, "r"]),
    ],
)
@pytest.mark.parametrize("qtype", ["TXT", "ANY"])
def test_provenance(qname: str, reference: str, references: list[str], qtype: str) -> None:
    """One TXT of class CH at ``artifact.APEX``: reference, digest, since when."""
    message = ask(told_of(reference), qname, qtype, rdclass=dns.rdataclass.CH, use_edns=0)
    (rrset,) = message.answer
    assert (rrset.rdclass, rrset.ttl, rrset.name.to_text()) == (dns.rdataclass.CH, 0, qname)
    (record,) = rrset
    assert [text.decode() for text in record.strings] == [
        *references,
        f"digest={DIGEST}",
        f"since={SINCE}",
    ]


@pytest.mark.parametrize(
    ("qname", "qtype", "rdclass"),
    [
        ("artifact.www.example.org.", "TXT", "CH"),
        ("artifacts.example.org.", "TXT", "CH"),
        ("example.org.", "TXT", "CH"),
        ("artifact.made.org.", "TXT", "CH"),
        ("artifact.waiting.org.", "TXT", "CH"),
        ("artifact.example.org.", "A", "CH"),
        ("artifact.example.org.", "TXT", "HS"),
        ("version.bind.", "TXT", "CH"),
    ],
)
def test_provenance_of_nothing_is_refused(qname: str, qtype: str, rdclass: str) -> None:
    """Exactly a loaded zone's apex below ``artifact``, as ``chaos`` refuses other names."""
    message = ask(told_of("r"), qname, qtype, rdclass=dns.rdataclass.from_text(rdclass))
    assert (message.rcode(), message.answer) == (5, [])


def test_provenance_is_told_where_the_block_says_so() -> None:
    """Without the directive nobody learns a registry's name; ``acl`` stands before it."""
    closed = acl(rule("block"), zones=(".",))
    for policy in (Policy(), Policy(provenance=True, acl=(closed,))):
        asked = ask(told_of("r", policy), "artifact.example.org.", "TXT", rdclass=dns.rdataclass.CH)
        assert (asked.rcode(), asked.answer) == (5, [])


def test_provenance_does_not_hide_a_name_of_the_zone() -> None:
    """In class IN the name is the zone's own."""
    assert ask(told_of("r"), "artifact.example.org.", "TXT").rcode() == 3


# --- whoami ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transport", "additional"),
    [
        (UDP, ["_udp.x.org. 0 SRV 0 0 40000 .", "x.org. 0 A 192.0.2.53"]),
        (TCP, ["_tcp.x.org. 0 SRV 0 0 40000 .", "x.org. 0 A 192.0.2.53"]),
        (Transport("tls", "main", "2001:db8::1", 5), ["_tcp.x.org. 0 SRV 0 0 5 .", "x.org. 0 AAAA 2001:db8::1"]),
        (Transport("udp", "main", "?", 5), ["_udp.x.org. 0 SRV 0 0 5 ."]),
    ],
)  # fmt: skip
def test_whoami(transport: Transport, additional: list[str]) -> None:
    """CoreDNS whoami: AA, empty answer, the client in additional."""
    here = snapshot(block(".", {}, Policy(whoami=True)))
    message = ask(here, "x.org.", "A", transport=transport)
    assert message.flags & 0x0400
    assert not message.answer
    assert lines(message.additional) == additional


def test_whoami_of_the_longest_name() -> None:
    """There is no room for ``_udp`` in front of 255 octets."""
    here = snapshot(block(".", {}, Policy(whoami=True)))
    longest = ".".join(["x" * 63] * 3 + ["x" * 61]) + "."
    assert len(lines(ask(here, longest, "A").additional)) == 1


# --- any, minimal, loadbalance -----------------------------------------------------------------


def test_any() -> None:
    """RFC 8482 4.2: one HINFO instead of all there is."""
    message = ask(served(Policy(any_hinfo=True)), "www.example.org.", "ANY")
    assert lines(message.answer) == ['www.example.org. 8482 HINFO "ANY obsoleted" "See RFC 8482"']
    assert not message.authority


@pytest.mark.parametrize(
    ("qname", "rcode", "types"),
    [
        ("alias.example.org.", 0, ["CNAME"]),
        ("nope.example.org.", 3, []),
        ("x.sub.example.org.", 0, []),
    ],
)
def test_any_leaves_what_is_small_and_true(qname: str, rcode: int, types: list[str]) -> None:
    """Aliases, denials and referrals are answered as ever."""
    message = ask(served(Policy(any_hinfo=True)), qname, "ANY")
    assert message.rcode() == rcode
    assert [line.split()[2] for line in lines(message.answer)] == types


def test_any_without_the_directive() -> None:
    """RFC 8482 4.1 allows all RRsets; A questions are not touched by ``any``."""
    assert len(ask(served(Policy()), "www.example.org.", "ANY").answer) == 2
    assert len(ask(served(Policy(any_hinfo=True)), "www.example.org.", "A").answer) == 1


@pytest.mark.parametrize(
    ("qname", "sections"),
    [
        ("www.example.org.", (3, 0, 0)),
        ("alias.example.org.", (4, 0, 0)),
        ("nope.example.org.", (0, 1, 0)),
        ("x.sub.example.org.", (0, 1, 1)),
    ],
)
def test_minimal(qname: str, sections: tuple[int, int, int]) -> None:
    """CoreDNS minimal: positive answers lose authority and additional, nothing else does."""
    message = ask(served(Policy(minimal=True)), qname, "A")
    counted = tuple(len(lines(s)) for s in (message.answer, message.authority, message.additional))
    assert counted == sections


def order(policy: Policy, qname: str, qtype: str, ident: int) -> list[str]:
    message = ask(served(policy), qname, qtype, id=ident)
    return [rdata.to_text() for rdata in message.answer[-1]]


def test_loadbalance() -> None:
    """Every record comes first in turn; which one follows from the message id."""
    policy = Policy(loadbalance=LoadBalance())
    firsts = [order(policy, "www.example.org.", "A", ident)[0] for ident in range(6)]
    assert firsts[:3] == firsts[3:]
    assert len(set(firsts)) == 3
    assert len({order(policy, "mx.example.org.", "MX", ident)[0] for ident in range(2)}) == 2
    assert order(policy, "alias.example.org.", "A", 1) != order(
        policy, "alias.example.org.", "A", 2
    )
    for ident in range(3):
        assert len(set(order(policy, "www.example.org.", "A", ident))) == 3
        assert order(Policy(), "www.example.org.", "A", ident)[0] == "192.0.2.1"


def test_client_address() -> None:
    """Text in, address out; of a mapped one what an operator would write."""
    assert str(client_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert str(client_address("2001:db8::1")) == "2001:db8::1"
    assert client_address("fe80::zz") is None
