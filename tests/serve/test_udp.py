"""UDP: batches, silence, and replies that leave from the address that was asked."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from ocizone.answer.blocks import Snapshot, Transport
from ocizone.limits import FAST_BATCH, FAST_BATCHES
from ocizone.live import LiveZones
from ocizone.serve.sockets import bind
from ocizone.serve.udp import BATCH, UdpPort


class Readers:
    """The part of a reactor that polls, without polling."""

    def __init__(self):
        self.readers: list[object] = []

    def addReader(self, reader):
        self.readers.append(reader)

    def removeReader(self, reader):
        self.readers.remove(reader)


Reads = Callable[..., UdpPort]


def one_by_one(*arguments) -> UdpPort:
    return UdpPort(*arguments)


def in_batches(*arguments):
    """Return the port of the fast path; it has no zone, so that every query is for ``answer``."""
    replies = pytest.importorskip("ocizone.fastpath.replies")
    port = pytest.importorskip("ocizone.fastpath.port")
    live = LiveZones(Snapshot(1, {}))
    return port.BatchPort(
        *arguments,
        replies.FastReplies(
            live,
            pytest.fail,
            seconds=time.perf_counter,
            is_logged=lambda *_: False,
            count=pytest.fail,
            on_bug=pytest.fail,
        ),
    )


@pytest.fixture(params=[one_by_one, in_batches])
def kind(request: pytest.FixtureRequest) -> Reads:
    """Every rule is one of both ports."""
    if request.param is in_batches:
        pytest.importorskip("ocizone.fastpath")
    chosen: Reads = request.param
    return chosen


class Served:
    """A port that echoes in capitals, but for the id; silent to ``!``."""

    def __init__(self, kind: Reads, host: str):
        self.seen: list[tuple[bytes, Transport]] = []
        self.errors: list[OSError] = []
        self.socket = bind(socket.SOCK_DGRAM, host, 0)
        self.number: int = self.socket.getsockname()[1]
        self.readers = Readers()
        self.looks = 0
        self.port = kind(
            self.readers, self.socket, "listener", self.answer, self.errors.append, self._wall
        )
        self.port.start()

    def _wall(self) -> float:
        self.looks += 1
        return 1_800_000_000.9 + self.looks

    def answer(self, packet: bytes, transport: Transport) -> bytes | None:
        self.seen.append((packet, transport))
        return None if packet == b"id!" else packet[:2] + packet[2:].upper()

    def read(self) -> None:
        assert select.select([self.socket], [], [], 5)[0], "nothing arrived"
        self.port.doRead()


@pytest.fixture
def served(kind: Reads) -> Iterator[Served]:
    served = Served(kind, "127.0.0.1")
    yield served
    served.port.stop()


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.bind(("127.0.0.1", 0))
        yield sock


def test_a_datagram_is_answered_to_its_sender(served, client):
    """One reply, to the address and port it came from."""
    client.sendto(b"idhello", ("127.0.0.1", served.number))
    served.read()
    assert client.recvfrom(512) == (b"idHELLO", ("127.0.0.1", served.number))
    port = client.getsockname()[1]
    assert served.seen == [
        (b"idhello", Transport("udp", "listener", "127.0.0.1", port, 1_800_000_001))
    ]


def test_a_batch_looks_at_the_clock_once(served, client):
    """Queries of one batch came in within milliseconds: a look at the clock each is a waste."""
    for _ in range(5):
        client.sendto(b"idx", ("127.0.0.1", served.number))
    served.read()
    assert [seen[1].received for seen in served.seen] == [1_800_000_001] * 5


def test_silence_is_silence(served, client):
    """No reply goes out, and the next datagram is answered."""
    client.sendto(b"id!", ("127.0.0.1", served.number))
    client.sendto(b"idx", ("127.0.0.1", served.number))
    served.read()
    assert client.recv(512) == b"idX"
    assert len(served.seen) == 2


def test_a_flood_does_not_starve_the_reactor(served, client):
    """At most so much is taken before other descriptors have their turn."""
    most = BATCH if isinstance(served.port, UdpPort) else FAST_BATCH * FAST_BATCHES
    for _ in range(most + 10):
        client.sendto(b"idx", ("127.0.0.1", served.number))
    served.read()
    assert len(served.seen) == most
    served.read()
    assert len(served.seen) == most + 10


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.1.2.3"])
def test_a_wildcard_socket_replies_from_the_address_asked(kind, asked, client):
    """RFC 1123 2.3: a client ignores a reply from another address; routing would choose .1."""
    served = Served(kind, "")
    try:
        client.sendto(b"idx", (asked, served.number))
        served.read()
        assert client.recvfrom(512) == (b"idX", (asked, served.number))
        assert served.seen[0][1].client == "127.0.0.1"
    finally:
        served.port.stop()


def test_a_wildcard_socket_serves_both_families(kind):
    """One socket, IPv4 and IPv6."""
    served = Served(kind, "")
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.sendto(b"idx", ("::1", served.number))
            served.read()
            assert sock.recvfrom(512)[:1] == (b"idX",)
        assert served.seen[0][1].client == "::1"
    finally:
        served.port.stop()


def test_a_reply_that_cannot_be_sent_is_counted_not_raised(kind, served, client):
    """EMSGSIZE, EPERM, ENETUNREACH: the next query is answered all the same."""
    big = kind(
        served.readers,
        served.socket,
        "listener",
        # More than a datagram holds (RFC 768): 65,507.
        lambda *_: b"x" * 65_535,
        served.errors.append,
        lambda: 0.0,
    )
    client.sendto(b"idx", ("127.0.0.1", served.number))
    select.select([served.socket], [], [], 5)
    big.doRead()
    assert len(served.errors) == 1
    client.sendto(b"idagain", ("127.0.0.1", served.number))
    served.read()
    assert client.recv(512) == b"idAGAIN"


def test_stopping_closes_the_socket(kind):
    """The port is free afterwards."""
    other = Served(kind, "127.0.0.1")
    other.port.stop()
    assert other.readers.readers == []
    assert other.port.fileno() == -1
