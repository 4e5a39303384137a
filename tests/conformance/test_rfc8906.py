"""RFC 8906 section 8: what a server must not do to unknown things. Each test is one ``dig``."""

from __future__ import annotations

from dataclasses import replace

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import pytest

from ocizone.answer.blocks import Policy
from ocizone.wire.cookie import CookieSecrets
from tests.zonebuilder import TCP, UDP, replied, serving

SERVED = replace(
    serving(
        "@ 9 SOA ns h 1 2 3 4 5\n@ 9 NS ns\nns 9 A 192.0.2.1\n"
        + "".join(f'@ 9 TXT "{n}{"x" * 200}"\n' for n in range(5)),
        "example.",
        Policy(nsid=b"ns1"),
    ),
    cookies=CookieSecrets((b"obviously a fake",)),
)
SOA = "example. 9 IN SOA ns.example. h.example. 1 2 3 4 5"


def send(query: dns.message.Message, *, flags: int = 0, tcp: bool = False) -> dns.message.Message:
    """Send a query with these header bits on top, and read what comes back."""
    wire = bytearray(query.to_wire())
    wire[2:4] = (int.from_bytes(wire[2:4]) | flags).to_bytes(2)
    reply = replied(bytes(wire), SERVED, TCP if tcp else UDP)
    assert reply is not None
    return dns.message.from_wire(reply.wire)


def query(qtype: str = "SOA", **options: object) -> dns.message.Message:
    return dns.message.make_query("example.", qtype, **{"flags": 0, **options})  # type: ignore[arg-type] # passed on


def option(code: int, data: bytes) -> dns.edns.Option:
    return dns.edns.GenericOption(dns.edns.OptionType.make(code), data)


def assert_soa(response: dns.message.Message, *, edns: bool) -> None:
    """Assert the answer each of these digs expects: NOERROR, the SOA, AA, no RD, AD, Z."""
    assert response.rcode() == 0
    assert [rrset.to_text() for rrset in response.answer] == [SOA]
    assert response.flags == dns.flags.QR | dns.flags.AA
    assert (response.edns == 0) == edns


def test_8_1_1_is_the_server_configured_for_the_zone() -> None:
    """``dig +noedns +noad +norec soa``."""
    assert_soa(send(query()), edns=False)


@pytest.mark.parametrize("qtype", ["TYPE1000", "TYPE65535", "TYPE0", "TYPE128"])
def test_8_1_2_unknown_types(qtype: str) -> None:
    """``dig +noedns type1000``: NOERROR, no answer, SOA in authority."""
    response = send(query(qtype))
    assert (response.rcode(), response.answer) == (0, [])
    assert len(response.authority) == 1


@pytest.mark.parametrize("flags", [dns.flags.CD, dns.flags.AD, 0x0040, dns.flags.CD | 0x0060])
def test_8_1_3_header_bits(flags: int) -> None:
    """``dig +cd``, ``+ad``, ``+zflag``: answered, the bits not echoed."""
    assert_soa(send(query(), flags=flags), edns=False)


def test_8_1_3_4_recursive_query() -> None:
    """``dig +rec``: RD is echoed, RA is not claimed."""
    response = send(query(flags=dns.flags.RD))
    assert response.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD


def test_8_1_4_unknown_opcode() -> None:
    """``dig +opcode=15 +header-only``: NOTIMP, the opcode echoed, nothing else."""
    reply = replied(b"\x00\x07\x78\x00" + bytes(8), SERVED, UDP)
    assert reply is not None
    assert reply.wire == b"\x00\x07\xf8\x04" + bytes(8)


def test_8_1_5_tcp() -> None:
    """``dig +tcp``."""
    assert_soa(send(query(), tcp=True), edns=False)


def test_8_2_1_minimal_edns() -> None:
    """``dig +edns=0 +nocookie``."""
    response = send(query(use_edns=0, payload=512))
    assert_soa(response, edns=True)
    assert not response.ednsflags & dns.flags.DO


def test_8_2_2_edns_version() -> None:
    """``dig +edns=1 +noednsneg``: BADVERS, version 0, no SOA."""
    response = send(query(use_edns=1))
    assert (response.rcode(), response.edns, response.answer) == (16, 0, [])


def test_8_2_3_unknown_options() -> None:
    """``dig +ednsopt=100``: answered, the option not echoed."""
    response = send(query(use_edns=0, options=[option(100, b"x")]))
    assert_soa(response, edns=True)
    assert not response.options


def test_8_2_4_unknown_flags() -> None:
    """``dig +ednsflags=0x40``: answered, the flag not echoed."""
    response = send(query(use_edns=0, ednsflags=0x0040))
    assert_soa(response, edns=True)
    assert response.ednsflags == 0


def test_8_2_5_unknown_version_with_unknown_flags() -> None:
    """``dig +edns=1 +ednsflags=0x40``."""
    response = send(query(use_edns=1, ednsflags=0x00010040))
    assert (response.rcode(), response.edns, response.ednsflags & 0xFFFF) == (16, 0, 0)


def test_8_2_6_unknown_version_with_unknown_options() -> None:
    """``dig +edns=1 +ednsopt=100``."""
    response = send(query(use_edns=1, options=[option(100, b"x")]))
    assert (response.rcode(), response.edns, response.options) == (16, 0, ())


def test_8_2_7_truncated_responses() -> None:
    """``dig +bufsize=512 +ignore``: TC, with the OPT still there."""
    response = send(query("TXT", use_edns=0, payload=512))
    assert response.flags & dns.flags.TC
    assert response.edns == 0


def test_8_2_8_do() -> None:
    """``dig +dnssec``: DO comes back."""
    response = send(query(use_edns=0, want_dnssec=True))
    assert_soa(response, edns=True)
    assert response.ednsflags & dns.flags.DO


@pytest.mark.parametrize(("code", "octets"), [(3, 3), (8, None), (9, 4), (10, 24)])
def test_8_2_10_known_options(code: int, octets: int | None) -> None:
    """``dig +nsid``, ``+subnet``, ``+expire``, ``+cookie``: all at once or alone, answered."""
    data = {3: b"", 8: b"\x00\x01\x00\x00", 9: b"", 10: b"12345678"}
    alone = send(query(use_edns=0, options=[option(code, data[code])]))
    assert_soa(alone, edns=True)
    found = {int(one.otype): len(one.to_wire() or b"") for one in alone.options}
    assert found == ({} if octets is None else {code: octets})
    together = send(query(use_edns=0, options=[option(*item) for item in data.items()]))
    assert_soa(together, edns=True)
    assert {int(one.otype) for one in together.options} == {3, 9, 10}
