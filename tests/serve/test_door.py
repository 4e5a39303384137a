"""The one door: a bug is SERVFAIL, a counter and a log line, and the next packet is answered."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from ocizone import limits
from ocizone.answer.blocks import Block, Loaded, Snapshot, Transport
from ocizone.answer.respond import Reply, Stream
from ocizone.answer.sent import Sent
from ocizone.live import LiveZones
from ocizone.serve.door import Door, servfail
from ocizone.serve.outgoing import Outgoing
from ocizone.wire.query import Query, parse
from tests.servedzones import zone_of
from tests.zonebuilder import TCP, UDP, block, snapshot

QUERY = dns.message.make_query("www.org", "A", id=0xABCD).to_wire()


class Site:
    """A door over one zone; ``seconds`` rises by one at each look at the clock."""

    def __init__(self, *blocks: Block) -> None:
        self.now = 0.0
        self.seen: list[tuple[bytes, Reply | None, Transport, float]] = []
        self.bugs: list[tuple[bytes, Transport]] = []
        self.streams: list[Sent] = []
        self.break_witness = False
        self.live = LiveZones(snapshot(*(blocks or (block("org", {"org": served(1)}),))))
        self.door = Door(
            self.live,
            seconds=self._seconds,
            witness=self._witness,
            streamed=self._streamed,
            on_bug=lambda packet, transport: self.bugs.append((packet, transport)),
        )

    def _streamed(
        self, packet: bytes, stream: Stream, sent: Sent, transport: Transport, seconds: float
    ) -> None:
        if self.break_witness:
            raise ZeroDivisionError
        self.streams.append(sent)

    def _seconds(self) -> float:
        self.now += 1.0
        return self.now

    def _witness(
        self, packet: bytes, reply: Reply | None, transport: Transport, seconds: float
    ) -> None:
        if self.break_witness:
            raise ZeroDivisionError
        self.seen.append((packet, reply, transport, seconds))


def message(site: Site, packet: bytes, transport: Transport) -> bytes:
    """Return the one message a packet is answered with."""
    reply = site.door.answer(packet, transport)
    assert isinstance(reply, bytes)
    return reply


def served(serial: int) -> Loaded:
    return Loaded(zone_of("org.", serial))


def test_a_packet_is_answered_and_witnessed():
    """Counted and logged with the time it took."""
    site = Site()
    wire = message(site, QUERY, UDP)
    assert dns.message.from_wire(wire).answer[0].to_text() == "www.org. 300 IN A 192.0.2.1"
    ((packet, reply, transport, seconds),) = site.seen
    assert (packet, transport, seconds) == (QUERY, UDP, 1.0)
    assert reply is not None
    assert reply.wire == wire
    assert site.bugs == []


def test_silence_is_witnessed_too():
    """A response is not answered, and counted as dropped."""
    site = Site()
    response = QUERY[:2] + b"\x80" + QUERY[3:]
    assert site.door.answer(response, TCP) is None
    assert site.seen[0][1] is None


def test_each_packet_sees_the_snapshot_of_its_moment():
    """A swap between two packets is seen by the second."""
    site = Site()
    soa = dns.message.make_query("org", "SOA").to_wire()
    serials = []
    for serial in (1, 2):
        site.live.snapshot = snapshot(block("org", {"org": served(serial)}))
        wire = message(site, soa, UDP)
        serials.append(dns.message.from_wire(wire).answer[0][0].serial)
    assert serials == [1, 2]


class Broken(dict[bytes, Block]):
    """Blocks whose lookup is a bug."""

    def get(self, *_: object) -> Block:
        raise ZeroDivisionError


def test_a_bug_is_servfail_and_the_next_packet_is_answered():
    """Nothing a packet triggers stops the server or silences it."""
    site = Site()
    whole = site.live.snapshot
    site.live.snapshot = type(whole)(2, {"main": Broken()})
    wire = message(site, QUERY, UDP)
    reply = dns.message.from_wire(wire)
    assert (reply.id, reply.rcode()) == (0xABCD, dns.rcode.SERVFAIL)
    assert site.bugs == [(QUERY, UDP)]
    assert site.seen == []
    site.live.snapshot = whole
    assert site.door.answer(QUERY, UDP) is not None
    assert len(site.seen) == 1


def test_a_bug_in_counting_or_logging_costs_no_reply():
    """An exception that reached the reactor would close the socket."""
    site = Site()
    site.break_witness = True
    wire = message(site, QUERY, UDP)
    assert dns.message.from_wire(wire).rcode() == dns.rcode.NOERROR
    assert site.bugs == [(QUERY, UDP)]


@pytest.mark.parametrize("packet", [b"", QUERY[:11], QUERY[:2] + b"\x80" + QUERY[3:]])
def test_no_servfail_to_what_must_not_be_answered(packet):
    """No header, or a response: an answer would loop."""
    assert servfail(packet) is None


def test_servfail_keeps_id_opcode_and_rd():
    """RFC 1035 4.1.1: the client must recognise it; AA, TC, RA and the rest are ours."""
    header = bytes.fromhex("abcd 2fff 0001 0002 0003 0004")
    wire = servfail(header + b"rest")
    assert wire is not None
    assert wire == bytes.fromhex("abcd a902 0000 0000 0000 0000")
    reply = dns.message.from_wire(wire)
    assert reply.opcode() == dns.opcode.UPDATE
    assert reply.flags & dns.flags.RD


# --- Streams ----------------------------------------------------------------------------------


def streaming(site: Site, monkeypatch: pytest.MonkeyPatch, *messages: bytes) -> None:
    """Let every query be answered with these messages."""

    def respond(packet: bytes, snapshot: Snapshot, transport: Transport) -> Stream:
        (only,) = snapshot.blocks.values()
        query = parse(packet)
        assert isinstance(query, Query)
        return Stream(iter(messages), Reply(b"busy", 5, query, only), query, only, b"\3org\0")

    monkeypatch.setattr("ocizone.serve.door.respond", respond)


def test_a_stream_is_pulled_and_witnessed_at_its_end(monkeypatch):
    """Its place is taken while it is sent, and free afterwards."""
    site = Site()
    streaming(site, monkeypatch, b"one", b"two")
    outgoing = site.door.answer(QUERY, TCP)
    assert isinstance(outgoing, Outgoing)
    assert len(site.door.transfers) == 1
    assert [outgoing.pull(), outgoing.pull(), outgoing.pull()] == [b"\0\3one", b"\0\3two", None]
    assert site.streams == [Sent("done", b"one", 2, 6)]
    assert len(site.door.transfers) == 0


def test_too_many_streams_are_told_so(monkeypatch):
    """BIND's transfers-out; what did not begin takes no place."""
    site = Site()
    streaming(site, monkeypatch, b"one")
    held = [site.door.answer(QUERY, TCP) for _ in range(limits.TRANSFERS_PER_CLIENT)]
    assert all(isinstance(one, Outgoing) for one in held)
    assert message(site, QUERY, TCP) == b"busy"
    assert site.streams == [Sent("busy")]
    assert len(site.door.transfers) == limits.TRANSFERS_PER_CLIENT


def test_a_stream_over_udp_is_a_bug(monkeypatch):
    """RFC 5936 4.2: there is no AXFR over UDP."""
    site = Site()
    streaming(site, monkeypatch, b"one")
    assert dns.message.from_wire(message(site, QUERY, UDP)).rcode() == dns.rcode.SERVFAIL
    assert site.bugs == [(QUERY, UDP)]
    assert len(site.door.transfers) == 0


def test_a_bug_in_counting_costs_no_place(monkeypatch):
    """The place is free before anything is counted."""
    site = Site()
    streaming(site, monkeypatch)
    site.break_witness = True
    outgoing = site.door.answer(QUERY, TCP)
    assert isinstance(outgoing, Outgoing)
    outgoing.end("aborted")
    assert (len(site.bugs), len(site.door.transfers)) == (1, 0)


def test_a_bug_in_a_stream_is_told_with_its_query(monkeypatch):
    """The packet that shows it is in the log."""
    site = Site()
    streaming(site, monkeypatch, bytes(65_536))
    outgoing = site.door.answer(QUERY, TCP)
    assert isinstance(outgoing, Outgoing)
    assert outgoing.pull() is None
    assert outgoing.outcome == "error"
    assert site.bugs == [(QUERY, TCP)]
