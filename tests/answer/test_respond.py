"""answer.respond: from octets to octets."""

from __future__ import annotations

import struct

import dns.edns
import dns.message
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.answer.blocks import Loaded, NotReady, Policy, Snapshot, Transport
from ocizone.answer.policy import size_limit
from ocizone.plugins.chaos import Chaos
from ocizone.wire.query import Query, parse
from tests.zonebuilder import TCP, UDP, ask, ask_reply, block, lines, replied, snapshot, zone

ZONE = (
    """
$TTL 60
@        SOA ns h 1 2 3 4 60
@        NS ns
@        NS ns2
ns       A 192.0.2.1
Www      A 192.0.2.2
alias    CNAME www
big      TXT "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0"
"""
    + "".join(f'big TXT "{"x" * 200}{n}"\n' for n in range(8))
    + """
*.w      MX 1 www
d        DNAME w
sub      NS ns.sub
ns.sub   A 192.0.2.3
web      HTTPS 1 .
"""
)
HERE = zone(ZONE, "example.org.")
SERVED = snapshot(
    block("example.org.", {"example.org.": Loaded(HERE)}, Policy(nsid=b"n", any_hinfo=True)),
    block("unready.org.", {"unready.org.": NotReady("registry.example: no route")}),
    block("pending.org.", {}, Policy(whoami=True), pending="registry.example: no route"),
    block(".", {}, Policy(chaos=Chaos("v", ()), whoami=False)),
)


def error(message: dns.message.Message) -> tuple[int, str | None]:
    (found,) = [o for o in message.options if isinstance(o, dns.edns.EDEOption)]
    return int(found.code), found.text


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "code"),
    [
        ("unready.org.", "A", 2, 14),
        ("x.unready.org.", "SOA", 2, 14),
        ("pending.org.", "A", 2, 14),
        ("elsewhere.net.", "A", 5, 20),
        ("example.org.", "AXFR", 5, 18),
        ("example.org.", "IXFR", 5, 18),
    ],
)
def test_why_there_is_no_answer(qname: str, qtype: str, rcode: int, code: int) -> None:
    """RFC 8914 4.15, 4.19, 4.21; the operator's reason is not told to strangers."""
    message = ask(SERVED, qname, qtype, use_edns=0)
    assert message.rcode() == rcode
    found, text = error(message)
    assert found == code
    assert "registry" not in (text or "")
    assert not message.answer + message.authority
    assert not message.flags & 0x0400


def test_nobody_serves_the_listener() -> None:
    """A listener without blocks, and one the snapshot does not know."""
    other = Transport("udp", "other", "192.0.2.1", 1)
    assert ask(SERVED, "example.org.", "A", transport=other).rcode() == 5
    empty = Snapshot(1, {"main": {}})
    assert ask(empty, "example.org.", "A").rcode() == 5


def test_a_reply_says_what_log_and_metrics_need() -> None:
    """Query, block, zone, rcode and TC come with the octets."""
    reply = ask_reply(SERVED, "wWw.Example.org.", "A")
    assert reply.rcode == 0
    assert reply.query is not None
    assert reply.query.name == b"\x03www\x07example\x03org\x00"
    assert reply.block is SERVED.listeners["main"][b"\x07example\x03org\x00"]
    assert reply.zone == b"\x07example\x03org\x00"
    assert not reply.truncated
    assert ask_reply(SERVED, "big.example.org.", "TXT").truncated
    refused = ask_reply(SERVED, "net.", "A")
    assert refused.block is SERVED.listeners["main"][b"\x00"]
    assert refused.zone is None


def test_rejects_have_no_query() -> None:
    """FORMERR and its kin come before any block."""
    reply = replied(b"\x00\x07\x01\x00" + bytes(8), SERVED, UDP)
    assert reply is not None
    assert (reply.rcode, reply.query, reply.block) == (1, None, None)


@pytest.mark.parametrize("packet", [b"", bytes(11), b"\x00\x07\x81\x00\x00\x01" + bytes(11)])
def test_silence(packet: bytes) -> None:
    """Half headers and responses."""
    assert replied(packet, SERVED, UDP) is None


def test_port_zero_is_silence() -> None:
    """No host sends from port 0."""
    query = dns.message.make_query("example.org.", "A").to_wire()
    assert replied(query, SERVED, Transport("udp", "main", "192.0.2.1", 0)) is None


def test_the_question_comes_back_octet_for_octet() -> None:
    """0x20: a resolver compares the spelling."""
    query = dns.message.make_query("wWw.eXaMpLe.ORG.", "A").to_wire()
    reply = replied(query, SERVED, UDP)
    assert reply is not None
    assert reply.wire[12 : len(query)] == query[12:]


def test_truncated_over_udp_whole_over_tcp() -> None:
    """RFC 7766 4: TC sends the client to TCP, where all of it fits."""
    short = ask(SERVED, "big.example.org.", "TXT", use_edns=0, payload=4096)
    assert short.flags & 0x0200
    assert not short.answer
    whole = ask(SERVED, "big.example.org.", "TXT", transport=TCP)
    assert not whole.flags & 0x0200
    assert len(lines(whole.answer)) == 9


# --- Laws ------------------------------------------------------------------------------------


def check(packet: bytes, transport: Transport) -> None:
    """Assert what holds for every reply."""
    reply = replied(packet, SERVED, transport)
    parsed = parse(packet)
    if reply is None:
        assert len(packet) < 12 or packet[2] & 0x80
        return
    assert reply.wire[:2] == packet[:2]
    # As opcode QUERY: dnspython reads an UPDATE's sections in its own way.
    message = dns.message.from_wire(reply.wire[:2] + bytes([reply.wire[2] & 0x87]) + reply.wire[3:])
    assert message.rcode() == reply.rcode
    assert bool(message.flags & 0x0200) == reply.truncated
    if isinstance(parsed, Query):
        policy = reply.block.policy if reply.block else None
        assert len(reply.wire) <= size_limit(transport, parsed.edns, policy)
        assert reply.wire[12 : 12 + len(parsed.question)] == parsed.question
        assert (message.edns == 0) == (parsed.edns is not None)


SEEDS = [
    dns.message.make_query(qname, qtype, **options).to_wire()  # type: ignore[arg-type] # a table
    for qname, qtype, options in [
        ("example.org.", "A", {}),
        ("www.example.org.", "A", {"use_edns": 0}),
        ("alias.example.org.", "AAAA", {"want_dnssec": True}),
        ("a.b.d.example.org.", "MX", {"use_edns": 0, "payload": 0}),
        ("big.example.org.", "ANY", {}),
        ("x.sub.example.org.", "DS", {"use_edns": 0, "options": [dns.edns.NSIDOption(b"")]}),
        ("version.bind.", "TXT", {"rdclass": 3}),
        ("web.example.org.", "HTTPS", {"use_edns": 0}),
        (".", "NS", {"use_edns": 3}),
    ]
]
TRANSPORT = st.sampled_from([UDP, TCP])


@given(st.binary(max_size=300), TRANSPORT)
def test_any_bytes(packet: bytes, transport: Transport) -> None:
    """Respond is total."""
    check(packet, transport)


@settings(max_examples=400)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 200),
    st.binary(max_size=8),
    TRANSPORT,
)
def test_mutated_queries(
    seed: bytes, changes: list[tuple[int, int]], cut: int, tail: bytes, transport: Transport
) -> None:
    """A few octets changed, some cut off, some added."""
    packet = bytearray(seed)
    for at, octet in changes:
        packet[at % len(packet)] = octet
    check(bytes(packet[: max(0, len(packet) - max(0, cut - 150))]) + tail, transport)


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_cut_at_each_octet(seed: bytes) -> None:
    """Truncation at every offset."""
    for size in range(len(seed) + 1):
        check(seed[:size], UDP)


def test_every_type_class_opcode_and_flag() -> None:
    """CVE-2021-36754 was QTYPE 65535."""
    name = b"\x03www\x07example\x03org\x00"
    for qtype in [*range(300), *range(300, 65_536, 997), 65_535]:
        for qclass in (0, 1, 3, 4, 254, 255, 65_535):
            check(bytes(4) + b"\x00\x01" + bytes(6) + name + struct.pack("!HH", qtype, qclass), UDP)
    for flags in range(0, 0x10000, 0x10):
        check(
            b"\x00\x07"
            + struct.pack("!H", flags)
            + b"\x00\x01"
            + bytes(6)
            + name
            + b"\x00\x01\x00\x01",
            UDP,
        )


@given(st.binary(max_size=40))
def test_any_options(rdata: bytes) -> None:
    """Cookies of any length, options cut short, NSID with data."""
    opt = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00" + len(rdata).to_bytes(2) + rdata
    check(SEEDS[0][:11] + b"\x01" + SEEDS[0][12:] + opt, UDP)
