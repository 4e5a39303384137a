"""The table of tests/wirecorpus.py, asserted on every transport, and messages made by mutation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply, respond
from ocizone.live import LiveZones
from ocizone.serve.door import Door
from ocizone.serve.gate import TcpGate
from ocizone.serve.tcp import TcpFactory
from ocizone.serve.turns import Turns
from ocizone.serve.udp import UdpPort
from ocizone.wire.tsig import last_tsig
from tests.rounds import RoundClock
from tests.wirecorpus import (
    BADVERS,
    NOERROR,
    NOTAUTH,
    NOW,
    SEEDS,
    SILENCE,
    TABLE,
    Row,
    served,
)

SERVED = served()
TRANSPORTS = [
    Transport(protocol, "main", "192.0.2.53", 40000, NOW) for protocol in ("udp", "tcp", "tls")
]
#: Replies of a row that dnspython reads, too: it takes a hundred times as long as we do.
READ_AGAIN = 200


def check(packet: bytes, transport: Transport) -> Reply | None:
    """Return the reply to a message after asserting what holds for every one."""
    reply = respond(packet, SERVED, transport)
    if reply is None:
        return None
    assert isinstance(reply, Reply)
    wire = reply.wire
    assert len(wire) <= (1232 if transport.protocol == "udp" else 65_535)
    assert wire[:2] == packet[:2]
    # QR; opcode and RD as in the query; no RA, Z, AD, CD.
    assert wire[2] & 0x80
    assert (wire[2] ^ packet[2]) & 0x79 == 0
    assert wire[3] & 0xF0 == 0
    assert wire[3] & 0x0F == reply.rcode & 0x0F
    assert wire[4:6] in {b"\x00\x00", b"\x00\x01"}
    if wire[5]:
        assert packet[12:].startswith(wire[12 : 12 + 1 + wire[12]])
    return reply


def read_again(reply: Reply) -> None:
    """Let dnspython read a reply: every count is right and nothing stands behind the message."""
    wire = reply.wire
    tsig = last_tsig(wire)
    if tsig is not None:
        count = (int.from_bytes(wire[10:12]) - 1).to_bytes(2)
        wire = wire[:10] + count + wire[12 : tsig.start]
    # As opcode QUERY: dnspython reads an UPDATE's sections in its own way.
    message = dns.message.from_wire(wire[:2] + bytes([wire[2] & 0x87]) + wire[3:])
    assert message.rcode() == reply.rcode


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda one: one.protocol)
@pytest.mark.parametrize("row", TABLE, ids=lambda one: one.why)
def test_what_is_answered(row: Row, transport: Transport) -> None:
    """One table for all transports: an rcode, or nothing."""
    count = 0
    for count, packet in enumerate(row.packets(), 1):
        assert len(packet) <= 65_535
        reply = check(packet, transport)
        answered = SILENCE if reply is None else reply.rcode
        assert answered == row.answer, packet[:100].hex()
        if reply is not None and (count % 97 == 0 or count < READ_AGAIN):
            read_again(reply)
    assert count


# --- Through the real ports ------------------------------------------------------------------


class Datagrams:
    """A socket with datagrams to read; keeps what is sent."""

    def __init__(self, packets: Iterable[bytes]) -> None:
        self.waiting = list(packets)
        self.sent: list[bytes] = []

    def recvmsg(self, *_: int) -> tuple[bytes, list[object], int, tuple[str, int]]:
        if not self.waiting:
            raise BlockingIOError
        return self.waiting.pop(0), [], 0, ("192.0.2.53", 40000)

    def sendmsg(self, buffers: list[bytes], *_: object) -> None:
        self.sent += buffers


class Stream(StringTransport):
    """A string transport with the TCP part of the interface."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing."""


def door() -> Door:
    """Return the door to the table's snapshot; a bug behind it fails the test."""

    def bug(packet: bytes, transport: Transport) -> None:
        raise AssertionError(packet[:100].hex())

    live = LiveZones(SERVED)
    ignore = lambda *_: None  # noqa: E731 # witnesses of nothing
    return Door(live, seconds=lambda: 0.0, witness=ignore, streamed=ignore, on_bug=bug)


@pytest.mark.parametrize("row", TABLE, ids=lambda one: one.why)
def test_datagrams(row: Row) -> None:
    """The same replies through the UDP port, and as many."""
    packets = list(islice(row.packets(), 0, None, 41))
    sock = Datagrams(packets)
    port = UdpPort(None, sock, "main", door().answer, pytest.fail, lambda: NOW)  # type: ignore[arg-type]  # nothing polls; it reads and sends
    while sock.waiting:
        port.doRead()
    assert sock.sent == [
        reply.wire for packet in packets if (reply := check(packet, TRANSPORTS[0])) is not None
    ]


@pytest.mark.parametrize("transport", TRANSPORTS[1:], ids=lambda one: one.protocol)
@pytest.mark.parametrize("row", TABLE, ids=lambda one: one.why)
def test_streams(row: Row, transport: Transport) -> None:
    """The same replies through TCP and TLS connections; where there is none, it is closed."""
    clock = RoundClock()
    turns, gate, answer = Turns(clock), TcpGate(), door().answer
    peer = IPv4Address("TCP", "192.0.2.53", 40000)
    for packet in islice(row.packets(), 0, None, 89):
        factory = TcpFactory(
            clock,
            turns,
            gate,
            "main",
            answer,
            wall=lambda: NOW,
            protocol_name=transport.protocol,  # type: ignore[arg-type]  # not udp
        )
        connection = factory.buildProtocol(peer)
        stream = Stream(peerAddress=peer)
        connection.makeConnection(stream)
        connection.handshakeCompleted()
        connection.dataReceived(len(packet).to_bytes(2) + packet)
        clock.advance(0)
        reply = check(packet, transport)
        if reply is None:
            assert not stream.value()
            assert stream.disconnected or stream.disconnecting
        else:
            assert stream.value() == len(reply.wire).to_bytes(2) + reply.wire
            connection.abort()


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda one: one.protocol)
def test_port_zero(transport: Transport) -> None:
    """Nobody can be there: silence to everything."""
    nowhere = replace(transport, client_port=0)
    assert all(respond(packet, SERVED, nowhere) is None for packet in SEEDS)


def test_who_met_an_opt_gets_one() -> None:
    """RFC 6891 7: also with FORMERR; BADVERS cannot be said without."""
    for row in TABLE:
        if row.answer == BADVERS:
            for packet in row.packets():
                reply = check(packet, TRANSPORTS[0])
                assert reply is not None
                assert reply.wire[-11:-6] == b"\x00\x00\x29\x04\xd0"


# --- Mutations -------------------------------------------------------------------------------


def edited(seed: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """Return a seed with octets set, put in, taken out, and its end cut."""
    packet = bytearray(seed)
    for kind, where, octets in edits:
        at = where % (len(packet) + 1)
        if kind == "set":
            packet[at : at + len(octets)] = octets
        elif kind == "insert":
            packet[at:at] = octets
        elif kind == "delete":
            del packet[at : at + len(octets)]
        else:
            del packet[at:]
    return bytes(packet)


INTERESTING = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(
        [b"\x00", b"\xff", b"\xc0\x0c", b"\xff\xff", b"\x00\x29", b"\x00\xfa", b"\x80"]
    ),
    st.sampled_from([seed[12:] for seed in SEEDS]),
)
MUTATED = st.builds(
    edited,
    st.sampled_from([*SEEDS, *(packet for row in TABLE[-3:] for packet in row.packets())]),
    st.lists(
        st.tuples(
            st.sampled_from(["set", "set", "insert", "delete", "cut"]),
            st.integers(0, 400),
            INTERESTING,
        ),
        max_size=6,
    ),
)


@given(MUTATED, st.sampled_from(TRANSPORTS))
@settings(max_examples=400, deadline=None)
def test_mutated_messages(packet: bytes, transport: Transport) -> None:
    """Whatever comes: no exception, one reply at most, none to a response, and one that is read."""
    reply = respond(packet, SERVED, transport)
    if len(packet) < 12 or packet[2] & 0x80:
        assert reply is None
        return
    assert isinstance(reply, Reply)
    check(packet, transport)
    read_again(reply)
    assert reply.rcode != NOERROR or reply.wire[3] & 0xF == 0
    assert reply.rcode != NOTAUTH or not reply.wire[6:10].strip(b"\x00")
