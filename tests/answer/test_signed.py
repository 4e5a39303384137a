"""Signed queries through respond, the same on every transport (RFC 8945; CVE-2026-33190)."""

from __future__ import annotations

from dataclasses import replace

import dns.message
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest

from ocizone.answer.blocks import Loaded, Policy, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.plugins.acl import Acl, AclRule
from ocizone.plugins.tsig import TsigRules
from ocizone.wire.name import from_text
from ocizone.wire.tsig import TsigKey, Verifier, last_tsig, sign_request
from tests.zonebuilder import TCP, UDP, block, snapshot, zone

NOW = 1_790_000_000
TLS = Transport("tls", "main", "192.0.2.53", 40000)
TRANSPORTS = [UDP, TCP, TLS]
KEY = TsigKey(from_text("k.test."), from_text("hmac-sha256."), b"not a real secret")
OTHER = TsigKey(from_text("other."), KEY.algorithm, KEY.secret)
WRONG = TsigKey(KEY.name, KEY.algorithm, b"another one")
ZONE = zone(
    "@ 60 SOA ns h 1 2 3 77 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
    + "".join(f'big 60 TXT "{n}{"x" * 100}"\n' for n in range(12)),
    "example.org.",
)
ERROR_BITS = 0xF


def served(policy: Policy | None = None) -> Snapshot:
    made = snapshot(block("example.org.", {"example.org.": Loaded(ZONE)}, policy))
    return replace(made, keys={KEY.name: KEY})


def send(
    query: dns.message.Message | bytes,
    key: TsigKey = KEY,
    *,
    transport: Transport = UDP,
    policy: Policy | None = None,
    late: int = 0,
) -> tuple[Reply, Verifier]:
    """Sign and send a query; return the reply and what verifies it."""
    plain = query if isinstance(query, bytes) else query.to_wire()
    packet, verifier = sign_request(plain, key, NOW)
    reply = respond(packet, served(policy), replace(transport, received=NOW + late))
    assert isinstance(reply, Reply)
    return reply, verifier


def unsigned(reply: Reply) -> dns.message.Message:
    """Return a reply without its TSIG, read by dnspython."""
    tsig = last_tsig(reply.wire)
    assert tsig is not None
    count = int.from_bytes(reply.wire[10:12]) - 1
    return dns.message.from_wire(reply.wire[:10] + count.to_bytes(2) + reply.wire[12 : tsig.start])


def query(
    qname: str = "www.example.org.", qtype: str = "A", **options: object
) -> dns.message.Message:
    return dns.message.make_query(qname, qtype, **options)  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("edns", [-1, 0])
@pytest.mark.parametrize(
    ("qname", "rcode"), [("www.example.org.", 0), ("nx.example.org.", 3), ("elsewhere.", 5)]
)
def test_a_signed_query_gets_a_signed_answer(
    qname: str, rcode: int, edns: int, transport: Transport
) -> None:
    """RFC 8945 5.3: errors too, the TSIG behind the OPT."""
    reply, verifier = send(query(qname, use_edns=edns), transport=transport)
    assert verifier.verify(reply.wire, NOW)
    message = unsigned(reply)
    assert (reply.rcode, message.rcode(), message.edns) == (rcode, rcode, edns)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("key", "late", "error", "mac", "other"),
    [
        (OTHER, 0, dns.rcode.BADKEY, 0, 0),
        (WRONG, 0, dns.rcode.BADSIG, 0, 0),
        (KEY, 301, dns.rcode.BADTIME, 32, 6),
        (KEY, -301, dns.rcode.BADTIME, 32, 6),
    ],
)
@pytest.mark.parametrize("qname", ["www.example.org.", "elsewhere."])
def test_a_query_that_is_not_right_is_notauth(
    qname: str, key: TsigKey, late: int, error: int, mac: int, other: int, transport: Transport
) -> None:
    """RFC 8945 5.2: with the reason, nothing looked up, and signed only where that is safe."""
    reply, _ = send(query(qname, use_edns=0), key, transport=transport, late=late)
    assert (reply.rcode, reply.zone) == (9, None)
    tsig = last_tsig(reply.wire)
    assert tsig is not None
    assert (tsig.error, len(tsig.mac), len(tsig.other)) == (error, mac, other)
    message = unsigned(reply)
    assert (message.rcode(), len(message.question), message.edns) == (9, 1, 0)
    assert not message.answer + message.authority


def test_dnspython_reads_badtime() -> None:
    """An independent client verifies that its clock is off (RFC 8945 5.2.3)."""
    asked = query()
    keyring = dns.tsigkeyring.from_text(
        {"k.test.": (dns.tsig.HMAC_SHA256, "bm90IGEgcmVhbCBzZWNyZXQ=")}
    )
    asked.use_tsig(keyring)
    reply = respond(asked.to_wire(), served(), replace(UDP, received=NOW))
    assert isinstance(reply, Reply)
    with pytest.raises(dns.tsig.PeerBadTime):
        dns.message.from_wire(reply.wire, keyring=keyring, request_mac=asked.mac)


@pytest.mark.parametrize("qname", ["big.example.org.", f"{'x' * 63}.{'x' * 63}.example.org."])
@pytest.mark.parametrize("payload", [512, 700, 1232])
def test_room_is_left_for_the_signature(payload: int, qname: str) -> None:
    """RFC 8945 5.3: the whole with its TSIG fits, TC where the records do not."""
    for edns in (0, -1):
        reply, verifier = send(query(qname, "TXT", use_edns=edns, payload=payload))
        assert len(reply.wire) <= (payload if edns == 0 else 512)
        assert verifier.verify(reply.wire, NOW)
        assert bool(unsigned(reply).flags & 0x0200) == (reply.rcode == 0)
    over, verifier = send(query(qname, "TXT"), transport=TCP)
    assert not over.truncated
    assert verifier.verify(over.wire, NOW)


def test_padding_counts_the_signature() -> None:
    """RFC 8467 4.1 with a TSIG behind the OPT: the message that is encrypted is the multiple."""
    asked = query(use_edns=0, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, b"")])
    reply, verifier = send(asked, transport=TLS)
    assert len(reply.wire) == 468
    assert verifier.verify(reply.wire, NOW)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("packet", "rcode"),
    [
        (b"\x00\x07\x10\x00\x00\x00" + bytes(6), 4),
        (b"\x00\x07\x28\x00\x00\x01" + bytes(6) + b"\x01a\x00\x00\x06\x00\x01", 4),
        (query(use_edns=1).to_wire(), 16),
        (b"\x00\x07\x00\x00\x00\x00" + bytes(6), 1),
    ],
    ids=["a bare opcode", "NOTIFY-like", "EDNS of another version", "no question"],
)
def test_errors_without_a_lookup_are_signed(
    packet: bytes, rcode: int, transport: Transport
) -> None:
    """NOTIMP, BADVERS and FORMERR to a message that is well formed and signed."""
    reply, verifier = send(packet, transport=transport)
    assert (reply.rcode, reply.query) == (rcode, None)
    assert reply.wire[3] & ERROR_BITS == rcode & ERROR_BITS
    assert verifier.verify(reply.wire, NOW)
    failed, _ = send(packet, WRONG, transport=transport)
    assert (failed.rcode, failed.wire[3] & ERROR_BITS) == (9, 9)


def test_a_mac_of_impossible_length_is_formerr() -> None:
    """RFC 8945 5.2.2.1: without a TSIG."""
    packet, _ = sign_request(query().to_wire(), KEY, NOW)
    tsig = last_tsig(packet)
    assert tsig is not None
    count = (int.from_bytes(packet[10:12]) - 1).to_bytes(2)
    short = replace(tsig, mac=tsig.mac[:9]).appended_to(
        packet[:10] + count + packet[12 : tsig.start]
    )
    reply = respond(short, served(), replace(UDP, received=NOW))
    assert isinstance(reply, Reply)
    assert (reply.rcode, last_tsig(reply.wire)) == (1, None)


# --- What must be signed, and acl ------------------------------------------------------------

RULES = Policy(tsig=TsigRules((from_text("example.org."),), frozenset({16})))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("qtype", "rcode"), [("TXT", 5), ("A", 0)])
def test_unsigned_queries_of_required_types_are_refused(
    qtype: str, rcode: int, transport: Transport
) -> None:
    """CoreDNS' ``require``; EDE Prohibited tells why."""
    asked = query("www.example.org.", qtype, use_edns=0)
    reply = respond(asked.to_wire(), served(RULES), replace(transport, received=NOW))
    assert isinstance(reply, Reply)
    assert reply.rcode == rcode
    assert ("EDE 18" in dns.message.from_wire(reply.wire).to_text()) == bool(rcode)
    assert send(asked, transport=transport, policy=RULES)[0].rcode == 0


def test_an_alias_opens_nothing_that_needs_a_signature() -> None:
    """Who must sign for a name must sign for it behind an alias of another block, too."""
    public = zone("@ 60 SOA ns h 1 2 3 77 5\n@ 60 NS ns.x.\nc 60 CNAME www.example.org.\n", "pub.")
    both = snapshot(
        block(
            "example.org.", {"example.org.": Loaded(ZONE)}, Policy(tsig=TsigRules((b"\x00",), None))
        ),
        block("pub.", {"pub.": Loaded(public)}),
    )
    both = replace(both, keys={KEY.name: KEY})
    plain = query("c.pub.").to_wire()
    signed, _ = sign_request(plain, KEY, NOW)
    answers = []
    for packet in (plain, signed):
        reply = respond(packet, both, replace(UDP, received=NOW))
        assert isinstance(reply, Reply)
        answers.append(int.from_bytes(reply.wire[6:8]))
    assert answers == [1, 2]


@pytest.mark.parametrize(("action", "rcode"), [("block", 5), ("filter", 0)])
def test_a_signature_opens_nothing_that_acl_closes(action: str, rcode: int) -> None:
    """CoreDNS' order: tsig, then acl."""
    rule = AclRule(action, None, None)  # type: ignore[arg-type]  # of the table
    reply, verifier = send(query(), policy=Policy(acl=(Acl((b"\x00",), (rule,)),)))
    assert reply.rcode == rcode
    assert not unsigned(reply).answer
    assert verifier.verify(reply.wire, NOW)


def test_dropped_is_dropped() -> None:
    """Silence, signed or not."""
    packet, _ = sign_request(query().to_wire(), KEY, NOW)
    rules = (Acl((b"\x00",), (AclRule("drop", None, None),)),)
    assert respond(packet, served(Policy(acl=rules)), replace(UDP, received=NOW)) is None
