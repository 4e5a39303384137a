"""Transfers and catalogs through the front door: who gets a stream, and what everybody else."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import pytest

from ocizone.answer.blocks import Block, Loaded, NotReady, Policy, ServedZone, Snapshot, Transport
from ocizone.answer.respond import Reply, Stream, respond
from ocizone.plugins.transfer import Secondary, Transfer
from ocizone.wire.name import from_text
from ocizone.wire.tsig import HMAC_SHA256, TsigKey
from ocizone.zone.catalog import catalog
from tests.servedzones import zone_of
from tests.zonebuilder import UDP, zone

KEY = TsigKey(from_text("key.test."), HMAC_SHA256, b"an obvious fake, of 32 octets !!")
KEYRING = {
    dns.name.from_text("key.test."): dns.tsig.Key("key.test.", KEY.secret, dns.tsig.HMAC_SHA256)
}
CATALOG = from_text("c.invalid.")
ZONES: dict[bytes, ServedZone] = {
    from_text("a.org"): Loaded(zone_of("a.org.")),
    from_text("b.org"): NotReady("not yet"),
    from_text("alias.org"): Loaded(
        zone("@ 1 SOA n. n. 1 1 1 1 1\n@ 1 NS n.\nx 1 CNAME version.c.invalid.\n", "alias.org")
    ),
    CATALOG: Loaded(catalog(CATALOG, frozenset([from_text("a.org")]), b"", None, 9), catalog=True),
}
POLICY = Policy(transfer=(Transfer((), (Secondary(None, None, KEY.name),)),))
BLOCK = Block("all", (b"\x00",), POLICY, ZONES)
SERVED = Snapshot(1, {"main": {b"\x00": BLOCK}}, {KEY.name: KEY})
#: dnspython signs with its own clock, and so must the server's be.
NOW = 1_790_000_000
TCP = Transport("tcp", "main", "192.0.2.53", 40000, received=NOW)


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("time.time", lambda: float(NOW))


def asked(
    name: str, qtype: str, *, signed: bool = True, transport: Transport = TCP, qclass: str = "IN"
) -> tuple[dns.message.Message, Reply | Stream]:
    request = dns.message.make_query(name, qtype, qclass)
    if signed:
        request.use_tsig(KEYRING)
    found = respond(request.to_wire(), SERVED, transport)
    assert found is not None
    return request, found


def rcode(name: str, qtype: str, *, signed: bool = True, qclass: str = "IN") -> str | None:
    """Return the rcode of a reply; None for a stream."""
    _, found = asked(name, qtype, signed=signed, qclass=qclass)
    return None if isinstance(found, Stream) else dns.rcode.to_text(dns.rcode.Rcode(found.rcode))


@pytest.mark.parametrize(
    ("name", "signed", "said"),
    [
        ("a.org", True, None),
        ("A.ORG", True, None),
        ("a.org", False, "REFUSED"),
        ("www.a.org", True, "NOTAUTH"),
        ("other.test", True, "NOTAUTH"),
        ("b.org", True, "SERVFAIL"),
        ("c.invalid", True, None),
        ("c.invalid", False, "REFUSED"),
    ],
)
def test_axfr(name, signed, said):
    """A stream for who may have it; the error that NSD, Knot and BIND give for others."""
    assert rcode(name, "AXFR", signed=signed) == said


def test_a_transfer_of_class_any_is_none():
    """There are no zones of every class."""
    assert rcode("a.org", "AXFR", qclass="ANY") == "NOTAUTH"


def test_a_stream_and_its_busy_reply_are_signed_each_on_its_own():
    """Only one of them is sent: both verify as the first message (RFC 8945 5.3)."""
    request, found = asked("a.org", "AXFR")
    assert isinstance(found, Stream)
    assert (found.block, found.zone, found.query.qtype) == (BLOCK, from_text("a.org"), 252)
    busy = dns.message.from_wire(found.busy.wire, keyring=KEYRING, request_mac=request.mac)
    assert (busy.rcode(), busy.had_tsig) == (dns.rcode.SERVFAIL, True)
    (wire,) = found.messages
    assert wire is not None
    message = dns.message.from_wire(wire, keyring=KEYRING, request_mac=request.mac, xfr=True)
    assert (message.rcode(), message.had_tsig) == (dns.rcode.NOERROR, True)


def test_a_query_over_udp_is_never_a_stream():
    """Neither AXFR nor IXFR."""
    for qtype in ("AXFR", "IXFR"):
        _, found = asked("a.org", qtype, transport=UDP, signed=False)
        assert isinstance(found, Reply)


@pytest.mark.parametrize(
    ("name", "qtype", "signed", "said"),
    [
        ("c.invalid", "SOA", True, "NOERROR"),
        ("c.invalid", "SOA", False, "REFUSED"),
        ("c.invalid", "NS", True, "REFUSED"),
        ("version.c.invalid", "TXT", True, "REFUSED"),
        ("version.c.invalid", "TXT", False, "REFUSED"),
        ("nothing.c.invalid", "A", False, "REFUSED"),
    ],
)
def test_a_catalog_is_for_its_secondaries(name, qtype, signed, said):
    """They ask for its SOA and transfers; nobody sees what is in it (RFC 9432 6)."""
    assert rcode(name, qtype, signed=signed) == said


def test_an_alias_leads_into_no_catalog():
    """What is refused when asked for is not told on the way."""
    _, found = asked("x.alias.org", "TXT", signed=False)
    assert isinstance(found, Reply)
    answer = dns.message.from_wire(found.wire).answer
    assert [rrset.rdtype for rrset in answer] == [5]
