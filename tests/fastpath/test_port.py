"""The reader of batches over real sockets: the replies of ``respond``, however they are asked."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply, respond
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.observe.witness import Witness
from ocizone.quick import quick
from ocizone.serve.door import Door
from ocizone.serve.sockets import bind
from tests.wirecorpus import NOW, TABLE, Row, served

pytest.importorskip("ocizone.fastpath")

SERVED = served()


class Polls:
    """The part of a reactor that polls, without polling."""

    def addReader(self, reader):
        """Do nothing."""

    def removeReader(self, reader):
        """Do nothing."""


class Server:
    """A port of the fast path, with everything behind it."""

    def __init__(self, host: str = "127.0.0.1"):
        self.live = LiveZones(SERVED)
        self.counters = Counters()
        self.errors: list[OSError] = []
        self.bugs: list[bytes] = []
        witness = Witness(self.counters, pytest.fail, lambda *_: None)
        bug = lambda packet, _: self.bugs.append(packet)  # noqa: E731 # as in the corpus' test
        door = Door(
            self.live,
            seconds=time.perf_counter,
            witness=witness,
            streamed=lambda *_: pytest.fail("a stream"),
            on_bug=bug,
        )
        self.answer, make_port = quick(
            Polls(),
            self.live,
            door,
            witness,
            self.counters,
            seconds=time.perf_counter,
            wall=lambda: NOW,
            on_bug=bug,
            on_send_error=self.errors.append,
        )
        assert make_port is not None
        self.socket = bind(socket.SOCK_DGRAM, host, 0)
        self.port: Any = make_port(self.socket, "main")
        self.number: int = self.socket.getsockname()[1]

    def replies(self, client: socket.socket, packets: list[bytes], to: str) -> list[bytes]:
        """Return what comes back for packets that are sent together."""
        for packet in packets:
            client.sendto(packet, (to, self.number))
        assert select.select([self.socket], [], [], 5)[0]
        self.port.doRead()
        found = []
        while select.select([client], [], [], 0)[0]:
            found.append(client.recv(65_535))
        return found


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.port.stop()


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def expected(packets: list[bytes], port: int, host: str = "127.0.0.1") -> list[bytes]:
    where = Transport("udp", "main", host, port, NOW)
    replies = (respond(packet, SERVED, where) for packet in packets)
    return [reply.wire for reply in replies if isinstance(reply, Reply)]


@pytest.mark.parametrize("row", TABLE, ids=lambda one: one.why)
def test_every_bad_message_gets_its_reply(server: Server, client: socket.socket, row: Row):
    """The table of messages of every bad kind, some of each, three times."""
    packets = [one for one in islice(row.packets(), 0, None, 97) if 0 < len(one) < 60_000][:50]
    port = client.getsockname()[1]
    for _ in range(3):
        for packet in packets:
            assert server.replies(client, [packet], "127.0.0.1") == expected([packet], port)
    assert not server.bugs
    assert not server.errors


def plain(name: bytes, number: int) -> bytes:
    return number.to_bytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + name + b"\x07example\0\0\1\0\1"


def test_a_batch_is_answered_each(server: Server, client: socket.socket):
    """Replies of several sizes, known and new, silence among them: each to its id."""
    names = [b"\3www", b"\2nx", b"\3nxx", b"", b"\2ns", b"\3www"]
    packets = [plain(name, number) for number, name in enumerate(names * 8)]
    packets[5::7] = [b"too short"] * len(packets[5::7])
    for _ in range(4):
        got = server.replies(client, packets, "127.0.0.1")
        assert got == expected(packets, client.getsockname()[1])
    assert server.counters.by_rcode().total() == 4 * len(got)


def test_a_flood_of_new_names_and_what_was_known_before(server: Server, client: socket.socket):
    """The memo is not asked while most names are new; what it has is said all the same."""
    known = plain(b"\3www", 7)
    for _ in range(3):
        server.replies(client, [known], "127.0.0.1")
    for start in range(0, 400, 20):
        packets = [plain(b"\3%03d" % number, number) for number in range(start, start + 20)]
        packets.append(known)
        got = server.replies(client, packets, "127.0.0.1")
        assert got == expected(packets, client.getsockname()[1])


def test_a_large_datagram_is_read_whole(server: Server, client: socket.socket):
    """What stands behind the first octets of a batch counts, too."""
    trailing = plain(b"\3www", 7) + b"x" * 5000
    packets = [trailing, plain(b"\3www", 8), trailing]
    for _ in range(3):
        got = server.replies(client, packets, "127.0.0.1")
        assert got == expected(packets, client.getsockname()[1])


@pytest.mark.parametrize(
    ("family", "bound", "to", "label"),
    [
        (socket.AF_INET, "", "127.0.0.2", "1"),
        (socket.AF_INET6, "", "::1", "2"),
        (socket.AF_INET6, "::1", "::1", "2"),
        (socket.AF_INET, "0.0.0.0", "127.0.0.3", "1"),
    ],
)
def test_families_are_told_apart(family: socket.AddressFamily, bound: str, to: str, label: str):
    """A socket of every address: replies leave from where they were asked, and are counted so."""
    server = Server(bound)
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for number in range(4):
            client.sendto(plain(b"\3www", number), (to, server.number))
            select.select([server.socket], [], [], 5)
            server.port.doRead()
            reply, sender = client.recvfrom(512)
            assert sender[0] == to
            assert reply[:2] == number.to_bytes(2)
    server.port.stop()
    families = {key[3]: tally.count for key, tally in server.counters.tallies()}
    assert families == {label: 4}


def test_streams_get_the_same(server: Server):
    """TCP asks the same tables, with its own sizes."""
    where = Transport("tcp", "main", "192.0.2.53", 40000, NOW)
    packets = [plain(name, 9) for name in (b"\3www", b"\2nx", b"\2ny", b"\3www", b"\3www", b"")]
    for packet in packets * 2:
        reply = respond(packet, SERVED, where)
        assert isinstance(reply, Reply)
        assert server.answer(packet, where) == reply.wire
    assert server.counters.by_rcode().total() == 2 * len(packets)


def test_another_snapshot_is_answered_from_at_once(server: Server, client: socket.socket):
    """A swap takes memo and templates with it, and loses no count."""
    packet = plain(b"\3www", 1)
    for _ in range(4):
        server.replies(client, [packet], "127.0.0.1")
    server.live.snapshot = type(SERVED)(2, {})
    (refused,) = server.replies(client, [packet], "127.0.0.1")
    assert refused[3] & 15 == 5
    assert server.counters.by_rcode() == {"NOERROR": 4, "REFUSED": 1}


def test_a_bug_in_a_table_costs_no_reply(
    server: Server, client: socket.socket, monkeypatch: pytest.MonkeyPatch
):
    """The pipeline answers, and the bug is told of."""
    table = pytest.importorskip("ocizone.fastpath.table")
    monkeypatch.setattr(table.FastTable, "direct", lambda *_: 1 / 0)
    packet = plain(b"\3www", 1)
    assert server.replies(client, [packet], "127.0.0.1") == expected(
        [packet], client.getsockname()[1]
    )
    assert server.bugs == [packet]
