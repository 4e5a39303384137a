"""TCP framing, pipelining and limits, on a string transport and a fake clock (RFC 7766)."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.serve.tcp import TcpConnection, TcpFactory, TcpGate

LISTENER = "dns://127.0.0.1:5300"


class Answers:
    """Echoes packets in capitals; a packet starting with ``!`` deserves silence."""

    def __init__(self):
        self.seen: list[tuple[bytes, Transport]] = []

    def __call__(self, packet: bytes, transport: Transport) -> bytes | None:
        self.seen.append((packet, transport))
        return None if packet.startswith(b"!") else packet.upper()


class Stream(StringTransport):
    """A string transport with the TCP part of the interface."""

    noDelay = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.noDelay = enabled


class Client:
    """One connected client: what it sends, and what came back."""

    def __init__(self, clock: Clock, gate: TcpGate, answers: Answers, host: str = "192.0.2.1"):
        address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 4242)
        connection = TcpFactory(clock, gate, LISTENER, answers).buildProtocol(address)
        self.transport = Stream(peerAddress=address)
        self.connection = connection
        connection.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.connection.dataReceived(data)

    @property
    def received(self) -> list[bytes]:
        data, found = self.transport.value(), []
        while data:
            size = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + size])
            data = data[2 + size :]
        return found

    @property
    def closed(self) -> bool:
        return self.transport.disconnected or self.transport.disconnecting

    def lose(self) -> None:
        self.connection.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate() -> TcpGate:
    return TcpGate()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def client(clock, gate, answers) -> Client:
    return Client(clock, gate, answers)


def framed(*packets: bytes) -> bytes:
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_messages_are_cut_at_their_length_however_they_arrive(client, step):
    """RFC 1035 4.2.2: a length prefix; RFC 7766 8: whatever the segments are."""
    stream = framed(b"one", b"two two", b"", b"three")
    for at in range(0, len(stream), step):
        client.send(stream[at : at + step])
    assert client.received == [b"ONE", b"TWO TWO", b"", b"THREE"]


def test_the_pipeline_learns_who_asked(client, answers):
    """Policy decides on protocol, listener, address and port."""
    client.send(framed(b"x"))
    assert answers.seen == [(b"x", Transport("tcp", LISTENER, "192.0.2.1", 4242))]


def test_a_mapped_ipv4_client_is_an_ipv4_client(clock, gate, answers):
    """On a dual-stack socket an ACL must see 192.0.2.9, not ::ffff:192.0.2.9 (RFC 4291 2.5.5.2)."""
    Client(clock, gate, answers, "::ffff:192.0.2.9").send(framed(b"x"))
    assert answers.seen[0][1].client == "192.0.2.9"


def test_what_deserves_silence_ends_the_connection(client):
    """No reply over UDP is no connection over TCP; what follows is not read."""
    client.send(framed(b"a", b"!", b"b"))
    assert client.received == [b"A"]
    assert client.closed


def test_a_client_that_says_nothing_is_closed_soon(client, clock):
    """The first octet has TCP_FIRST_OCTET_S."""
    clock.advance(limits.TCP_FIRST_OCTET_S - 0.1)
    assert not client.closed
    clock.advance(0.2)
    assert client.closed


def test_an_idle_client_is_closed_later(client, clock):
    """RFC 7766 6.2.3: an idle connection may be closed; ours after TCP_IDLE_S."""
    client.send(framed(b"x"))
    clock.advance(limits.TCP_IDLE_S - 0.1)
    assert not client.closed
    clock.advance(0.2)
    assert client.closed


def test_half_a_message_has_less_time_than_none(client, clock):
    """A slow loris on the length octets is not idle: it has TCP_MESSAGE_S."""
    client.send(framed(b"x") + b"\x00")
    clock.advance(limits.TCP_MESSAGE_S + 0.1)
    assert client.closed


def test_a_client_that_does_not_read_is_not_answered_further(client, answers):
    """CVE-2024-0760: what a client does not read is not piled up for it."""
    client.connection.pauseProducing()
    client.send(framed(b"a", b"b"))
    assert not answers.seen
    client.connection.resumeProducing()
    assert client.received == [b"A", b"B"]


def test_a_client_that_closes_its_side_is_answered_first(client, answers, clock, gate):
    """RFC 7766 6.2.4: what was asked is answered, half a message is not waited for."""
    client.send(framed(b"a") + b"\x00")
    client.connection.readConnectionLost()
    assert client.received == [b"A"]
    assert client.transport.disconnecting
    client.lose()
    assert not gate
    assert clock.getDelayedCalls() == []


def test_a_client_that_closes_its_side_and_reads_slowly(client, clock):
    """What waits is answered when there is room for it; for TCP_WRITE_S in all."""
    client.connection.pauseProducing()
    client.send(framed(b"a"))
    client.connection.readConnectionLost()
    assert not client.closed
    client.connection.resumeProducing()
    assert client.received == [b"A"]
    assert client.transport.disconnecting
    clock.advance(limits.TCP_WRITE_S + 0.1)
    assert client.transport.disconnected


def test_a_client_that_can_no_longer_be_answered_is_closed(client):
    """Its other side may stay open for ever."""
    client.connection.writeConnectionLost()
    assert client.closed


def test_a_client_that_never_reads_is_closed(client, clock):
    """It has TCP_WRITE_S to read what it asked for."""
    client.connection.pauseProducing()
    clock.advance(limits.TCP_WRITE_S + 0.1)
    assert client.closed


def test_one_client_has_a_share_of_the_connections(clock, gate, answers):
    """TCP_CONNECTIONS_PER_CLIENT; other clients are not affected."""
    kept = [Client(clock, gate, answers) for _ in range(limits.TCP_CONNECTIONS_PER_CLIENT)]
    assert Client(clock, gate, answers).closed
    assert not Client(clock, gate, answers, "192.0.2.2").closed
    kept[0].lose()
    assert not Client(clock, gate, answers).closed


def test_at_the_cap_the_longest_idle_makes_room(clock, gate, answers, monkeypatch):
    """A newcomer is served; whoever was idle longest goes."""
    monkeypatch.setattr(limits, "TCP_CONNECTIONS", 3)
    gate = TcpGate()
    first, second, third = (
        Client(clock, gate, answers, f"192.0.2.{number}") for number in (1, 2, 3)
    )
    first.send(framed(b"x"))
    newcomer = Client(clock, gate, answers, "192.0.2.4")
    newcomer.send(framed(b"hello"))
    assert newcomer.received == [b"HELLO"]
    assert second.closed
    assert not first.closed
    assert not third.closed
    assert len(gate) == 3


def test_a_lost_connection_leaves_nothing_behind(client, gate, clock):
    """No timer, no place: a million connections cost as much as one."""
    client.send(framed(b"x"))
    client.lose()
    assert not gate
    assert clock.getDelayedCalls() == []


def test_the_server_closes_everybody(client, gate):
    """Stopping does not wait for clients."""
    gate.close_all()
    assert client.closed
    assert isinstance(client.connection, TcpConnection)


def test_few_descriptors_make_few_places(clock, answers):
    """Half of the descriptors are for pulls, images and the admin pages."""
    gate = TcpGate(descriptors=4)
    first, *others = (Client(clock, gate, answers, f"192.0.2.{number}") for number in (1, 2, 3))
    assert first.closed
    assert not any(other.closed for other in others)
