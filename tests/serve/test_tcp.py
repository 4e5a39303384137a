"""TCP framing, pipelining and limits, on a string transport and a fake clock (RFC 7766)."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.answer.sent import Sent
from ocizone.serve.gate import TcpGate
from ocizone.serve.outgoing import Outgoing
from ocizone.serve.tcp import TcpConnection, TcpFactory
from ocizone.serve.turns import Turns
from tests.rounds import RoundClock

LISTENER = "dns://127.0.0.1:5300"


NOW = 1_800_000_000


class Answers:
    """Echoes packets in capitals.

    A packet starting with ``!`` deserves silence; ``*N`` is answered with N messages, ``*N?``
    with a pause before each, ``*N!`` with N and then a bug.
    """

    def __init__(self):
        self.seen: list[tuple[bytes, Transport]] = []
        self.sent: list[Sent] = []
        self.bugs = 0
        self.made = 0
        self.size = 4

    def __call__(self, packet: bytes, transport: Transport) -> bytes | Outgoing | None:
        self.seen.append((packet, transport))
        if packet.startswith(b"!"):
            return None
        if not packet.startswith(b"*"):
            return packet.upper()
        messages = self.messages(packet[1:])
        return Outgoing(messages, ended=self.sent.append, on_bug=self.bug, seconds=lambda: 0.0)

    def messages(self, wanted: bytes) -> Iterator[bytes | None]:
        for number in range(int(wanted.rstrip(b"?!"))):
            if wanted.endswith(b"?"):
                yield None
            self.made += 1
            yield str(number).encode().ljust(self.size, b".")
        if wanted.endswith(b"!"):
            raise ZeroDivisionError

    def bug(self) -> None:
        self.bugs += 1


class Stream(StringTransport):
    """A string transport with the TCP part of the interface."""

    noDelay = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.noDelay = enabled


class Client:
    """One connected client: what it sends, and what came back."""

    def __init__(self, clock: Clock, gate: TcpGate, answers: Answers, host: str = "192.0.2.1"):
        address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 4242)
        factory = TcpFactory(clock, TURNS[clock], gate, LISTENER, answers, wall=lambda: NOW)
        connection = factory.buildProtocol(address)
        self.clock = clock
        self.transport = Stream(peerAddress=address)
        self.connection = connection
        connection.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.connection.dataReceived(data)

    def turns(self, count: int = 200) -> None:
        """Let the reactor go round; it reads only what is left unread."""
        for _ in range(count):
            self.clock.advance(0)

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


#: The turns of each clock: all clients of a server share them.
TURNS: WeakKeyDictionary[Clock, Turns] = WeakKeyDictionary()


@pytest.fixture
def clock() -> Clock:
    clock = RoundClock()
    TURNS[clock] = Turns(clock)
    return clock


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
    assert answers.seen == [(b"x", Transport("tcp", LISTENER, "192.0.2.1", 4242, NOW))]


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


def test_idling_ends_in_order(client, clock):
    """RFC 7766 6.2.4: FIN, so that a query on its way is not answered by RST; it has its limit."""
    client.send(framed(b"x"))
    clock.advance(limits.TCP_IDLE_S + 0.1)
    assert client.transport.disconnecting
    assert not client.transport.disconnected
    client.send(framed(b"late"))
    client.connection.readConnectionLost()
    assert client.received == [b"X"]
    clock.advance(limits.TCP_WRITE_S + 0.1)
    assert client.transport.disconnected


def test_who_is_not_admitted_is_not_answered(clock, gate, answers):
    """What comes in before the close is reported is nobody's."""
    for _ in range(limits.TCP_CONNECTIONS_PER_CLIENT):
        Client(clock, gate, answers)
    refused = Client(clock, gate, answers)
    refused.send(framed(b"x"))
    refused.connection.readConnectionLost()
    refused.lose()
    assert refused.received == []
    assert len(gate) == limits.TCP_CONNECTIONS_PER_CLIENT


def test_the_time_of_a_query_is_its_own(clock, gate, answers):
    """Cookies and TSIG compare it: a connection may be hours old."""
    now = [100.9]
    client = Client(clock, gate, answers)
    client.connection._factory.wall = lambda: now[0]
    client.send(framed(b"a"))
    now[0] = 161.2
    client.send(framed(b"b"))
    assert [where.received for _, where in answers.seen] == [100, 161]


# --- Many queries, and messages without end ---------------------------------------------------


def test_a_thousand_queries_in_one_segment(client, answers):
    """RFC 7766 6.2.1.1: pipelined; a few a turn, so that others are answered in between."""
    queries = [b"%d" % number for number in range(1000)]
    client.send(framed(*queries))
    assert len(client.received) == limits.TCP_PIPELINED
    assert client.transport.producerState == "paused"
    client.turns()
    assert client.received == queries
    assert client.transport.producerState == "producing"


def test_octet_by_octet(client):
    """RFC 7766 8: a segment may hold one octet."""
    for octet in framed(b"one", b"two") * 50:
        client.send(bytes((octet,)))
    assert client.received == [b"ONE", b"TWO"] * 50


def test_replies_of_a_turn_go_out_in_one_write(client):
    """A write each would be a segment each (RFC 7766 8)."""
    writes: list[bytes] = []
    client.transport.write = writes.append
    client.send(framed(b"a", b"b", b"c"))
    assert writes == [framed(b"A", b"B", b"C")]


def test_a_message_has_its_time_from_its_first_octet_on(client, clock):
    """One octet a second buys no more of it."""
    for _ in range(20):
        client.send(b"\x20")
        clock.advance(limits.TCP_MESSAGE_S / 4)
    assert client.closed


def test_a_new_message_has_its_own_time(client, clock):
    """The limit is for a message, not for a connection."""
    half = limits.TCP_MESSAGE_S * 0.75
    for _ in range(5):
        client.send(b"\x00\x02a")
        clock.advance(half)
        client.send(b"b")
    assert not client.closed
    assert client.received == [b"AB"] * 5


def test_dripping_octets_is_idling(clock, answers, monkeypatch):
    """Who sends octets and no message is closed before who asks."""
    monkeypatch.setattr(limits, "TCP_CONNECTIONS", 2)
    gate = TcpGate()
    dripping, asking = (Client(clock, gate, answers, f"192.0.2.{number}") for number in (1, 2))
    asking.send(framed(b"x"))
    dripping.send(b"\x00")
    Client(clock, gate, answers, "192.0.2.3")
    assert dripping.closed
    assert not asking.closed


def test_several_messages_answer_one_query(client, answers):
    """RFC 5936 2.2; ``done`` once, with what was sent."""
    client.send(framed(b"*3"))
    client.turns()
    assert client.received == [b"0...", b"1...", b"2..."]
    assert answers.sent == [Sent("done", b"0...", 3, 12)]


def test_a_turn_sends_one_message(client, answers):
    """A zone of a million records is no pause for others."""
    client.send(framed(b"*100"))
    before = answers.made
    client.turns(1)
    assert answers.made == before + 1


def test_a_message_that_is_not_ready_is_asked_for_again(client, answers):
    """None stands for work: others have their turn, then it goes on."""
    client.send(framed(b"*3?"))
    client.turns(1)
    assert client.received == [b"0..."]
    client.turns()
    assert client.received == [b"0...", b"1...", b"2..."]


def test_queries_are_answered_between_the_messages_of_a_transfer(client):
    """RFC 7766 6.2.1.1: replies go out as they are ready."""
    client.send(framed(b"*50", b"early"))
    client.turns(10)
    client.send(framed(b"late"))
    client.turns()
    received = client.received
    assert received[1] == b"EARLY"
    assert 5 < received.index(b"LATE") < 20
    assert len(received) == 52


def test_two_transfers_interleave(client):
    """Each has its share; both are whole."""
    client.send(framed(b"*20", b"*20"))
    client.turns(10)
    halfway = client.received
    client.turns()
    assert len(client.received) == 40
    assert halfway.count(b"3...") == 2


def test_more_transfers_wait_in_the_connection(client, answers):
    """The third is begun when one of two is over, and nothing is refused."""
    client.send(framed(b"*20", b"*20", b"*20", b"after"))
    client.turns(10)
    assert len(answers.seen) == limits.TRANSFERS_PER_CONNECTION
    client.turns()
    assert len(client.received) == 61
    assert client.received.index(b"AFTER") >= 40
    assert not client.closed


def test_a_client_that_does_not_read_is_not_worked_for(client, answers, clock):
    """Its transfer stands still, and is aborted after TCP_WRITE_S."""
    client.send(framed(*[b"*1000"] * 100))
    client.turns(3)
    client.connection.pauseProducing()
    made = answers.made
    client.turns()
    assert answers.made == made
    clock.advance(limits.TCP_WRITE_S + 0.1)
    assert client.closed
    assert [sent.outcome for sent in answers.sent] == ["aborted"] * limits.TRANSFERS_PER_CONNECTION


def test_a_transfer_goes_on_when_the_client_reads(client, answers):
    """Paused at any message, nothing is lost or sent twice."""
    client.send(framed(b"*20"))
    for _ in range(10):
        client.turns(1)
        client.connection.pauseProducing()
        client.turns(3)
        client.connection.resumeProducing()
    client.turns()
    assert client.received == [b"%d" % n + b"." * (3 if n < 10 else 2) for n in range(20)]


def test_a_lost_connection_lets_its_transfers_go(client, answers, clock):
    """Their images may be closed, their places are free."""
    client.send(framed(b"*100", b"*100"))
    client.lose()
    assert [sent.outcome for sent in answers.sent] == ["aborted", "aborted"]
    client.turns()
    assert clock.getDelayedCalls() == []


def test_a_bug_in_a_transfer_costs_one_connection(client, answers, clock, gate):
    """What was sent must not look whole: the connection ends there (RFC 5936 2.2)."""
    other = Client(clock, gate, answers, "192.0.2.2")
    client.send(framed(b"*2!"))
    client.turns()
    assert (answers.bugs, client.closed) == (1, True)
    assert answers.sent == [Sent("error", b"0...", 2, 8)]
    other.send(framed(b"x"))
    assert other.received == [b"X"]


def test_a_message_too_long_for_its_length_is_a_bug(client, answers):
    """RFC 1035 4.2.2: two octets of length."""
    answers.size = limits.TCP_MESSAGE_OCTETS + 1
    client.send(framed(b"*2"))
    assert (answers.bugs, client.closed) == (1, True)


def test_a_transfer_is_no_idling(client, clock):
    """While messages go out the client need not ask anything."""
    client.send(framed(b"*100?"))
    for _ in range(150):
        clock.advance(limits.TCP_IDLE_S / 4)
    assert not client.closed


def test_a_half_closed_client_gets_its_whole_transfer(client):
    """RFC 7766 6.2.4, for messages that take their time."""
    client.send(framed(b"*20"))
    client.connection.readConnectionLost()
    client.turns()
    assert len(client.received) == 20
    assert client.transport.disconnecting


def test_closing_cuts_transfers_off_and_lets_replies_out(client, clock, gate, answers):
    """The server stops: a client that waits for nothing sees an orderly end."""
    busy = Client(clock, gate, answers, "192.0.2.2")
    client.send(framed(b"x"))
    busy.send(framed(b"*100"))
    gate.close_all()
    assert client.transport.disconnecting
    assert not client.transport.disconnected
    assert busy.transport.disconnected
    assert answers.sent[0].outcome == "aborted"


def test_an_ipv6_site_is_one_client(clock, gate, answers):
    """RFC 6177: a site has a /56; its 2**72 addresses have one share."""
    for number in range(limits.TCP_CONNECTIONS_PER_CLIENT):
        Client(clock, gate, answers, f"2001:db8:0:1{number:02x}::1")
    assert Client(clock, gate, answers, "2001:db8:0:1ff::2").closed
    assert not Client(clock, gate, answers, "2001:db8:0:200::1").closed


def test_what_was_cut_off_is_counted(clock, answers):
    """In fixed words; idling is not counted."""
    dropped: list[str] = []
    gate = TcpGate(dropped=dropped.append)
    idle, slow, blind = (Client(clock, gate, answers, f"192.0.2.{number}") for number in (1, 2, 3))
    idle.send(framed(b"x"))
    slow.send(b"\x00")
    blind.connection.pauseProducing()
    for _ in range(60):
        clock.advance(1)
    assert sorted(dropped) == ["tcp: does not read", "tcp: message too slow"]
    assert idle.closed
