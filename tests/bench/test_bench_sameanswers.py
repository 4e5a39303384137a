"""When two answers are the same."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
import pytest

from bench.sameanswers import compare, packet


def reply(line: str, *records: str, flags: int = dns.flags.AA, origin: bool = False) -> bytes:
    query = dns.message.from_wire(packet(line, 7, dnssec=True))
    message = dns.message.make_response(query)
    message.flags |= flags
    for record in records:
        name, ttl, kind, data = record.split(" ", 3)
        message.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    if origin:
        message.authority.append(dns.rrset.from_text("x.test.", 1, "IN", "NS", "ns.test."))
    return message.to_wire()


LINE = "x.test. A"
ONE, TWO = "x.test. 5 A 192.0.2.1", "x.test. 5 A 192.0.2.2"


def test_query_is_dnsperfs():
    """RD is set, EDNS is there with 4096 octets, DO only for signed zones."""
    plain = dns.message.from_wire(packet(LINE, 65536 + 7, dnssec=False))
    signed = dns.message.from_wire(packet(LINE, 7, dnssec=True))
    assert (plain.id, plain.flags) == (signed.id, signed.flags) == (7, dns.flags.RD)
    assert (plain.edns, plain.payload, plain.ednsflags) == (0, 4096, 0)
    assert (signed.edns, signed.payload, signed.ednsflags) == (0, 4096, dns.flags.DO)


def test_octet_for_octet():
    """The id is not compared."""
    one = reply(LINE, ONE)
    found = compare([LINE], [one], [b"\xff\xff" + one[2:]])
    assert (found.octets, found.records, found.same) == (1, 1, True)


def test_order_within_a_section():
    """Other octets, the same records: the same answer."""
    found = compare([LINE], [reply(LINE, ONE, TWO)], [reply(LINE, TWO, ONE)])
    assert (found.octets, found.records, found.same) == (0, 1, True)


@pytest.mark.parametrize(
    "other",
    [
        reply(LINE, TWO),
        reply(LINE, ONE.replace(" 5 ", " 6 ")),
        reply(LINE, ONE, TWO),
        reply(LINE, ONE, flags=0),
        reply(LINE, ONE, origin=True),
        reply("y.test. A", ONE),
        b"",
        b"no message",
    ],
    ids=["data", "ttl", "count", "flags", "section", "question", "silence", "garbage"],
)
def test_difference(other):
    """Data, TTL, flags, sections, question: each makes another answer, and the first is told."""
    found = compare([LINE], [reply(LINE, ONE)], [other])
    assert not found.same
    assert "x.test. A: " in found.told()


def test_silence_of_both():
    """Two servers that say nothing do not agree."""
    assert not compare([LINE], [b""], [b""]).same
