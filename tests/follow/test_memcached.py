"""Manifests in memcached: a hit is the right bytes, everything else is a miss, and soon."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone import limits
from ocizone.follow.memcached import MemcachedManifests

RAW = b'{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(RAW).hexdigest()}"


class Server(StringTransport):
    """A memcached behind a transport; answers at the clock's next turn."""

    def __init__(self, clock: Clock, kept: dict[bytes, bytes]) -> None:
        super().__init__()
        self.clock = clock
        self.kept = kept
        self.silent = False
        self.canned: bytes | None = None
        self.protocol: Any = None
        self.aborted = False

    def write(self, data: bytes) -> None:
        super().write(data)
        whole = self.value()
        words = whole.split()
        if self.silent or not whole.endswith(b"\r\n"):
            return
        if words[0] == b"get":
            raw = self.kept.get(words[1])
            found = b"" if raw is None else b"VALUE %s 0 %d\r\n%s\r\n" % (words[1], len(raw), raw)
            answer = found + b"END\r\n"
        elif len(whole) > whole.index(b"\r\n") + 2:
            length = int(words[4])
            at = whole.index(b"\r\n") + 2
            self.kept[words[1]] = whole[at : at + length]
            answer = b"STORED\r\n"
        else:
            return
        self.clear()
        self.clock.callLater(0, self.answer, self.canned if self.canned is not None else answer)

    def answer(self, data: bytes) -> None:
        if not self.aborted:
            self.protocol.dataReceived(data)

    def abortConnection(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.protocol.connectionLost(Failure(ConnectionLost()))


@implementer(IStreamClientEndpoint)
class Endpoint:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: dict[bytes, bytes] = {}
        self.servers: list[Server] = []
        self.refuse = False
        self.hang = False
        self.cancelled = 0

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        if self.hang:
            return Deferred(lambda _: setattr(self, "cancelled", self.cancelled + 1))
        if self.refuse:
            return fail(ConnectError())
        server = Server(self.clock, self.kept)
        protocol = protocolFactory.buildProtocol(None)
        server.protocol = protocol
        protocol.makeConnection(server)
        self.servers.append(server)
        return succeed(protocol)


class Reactor(Clock):
    """A clock whose other thread is this one."""

    def callFromThread(self, function: Callable[..., object], *args: object) -> None:
        function(*args)
        self.advance(0)


class Case:
    def __init__(self) -> None:
        self.reactor = Reactor()
        self.endpoint = Endpoint(self.reactor)
        self.lookups: list[bool] = []
        self.failures: list[str] = []
        self.cache = MemcachedManifests(
            self.reactor, self.endpoint, self.lookups.append, self.failures.append
        )

    def connect(self) -> Server:
        """The first question finds no connection, and makes one."""
        assert self.cache.get(DIGEST) is None
        self.lookups.clear()
        return self.endpoint.servers[-1]

    def find(self) -> list[bytes | None]:
        found: list[bytes | None] = []
        self.cache.find(DIGEST).addCallback(found.append)
        return found


@pytest.fixture
def case() -> Case:
    return Case()


def test_put_and_get(case: Case) -> None:
    """From a pool thread; the key is a hash, whatever the digest."""
    case.connect()
    case.cache.put(DIGEST, RAW)
    assert case.cache.get(DIGEST) == RAW
    assert case.cache.get("sha256:other") is None
    assert case.lookups == [True, False]
    assert case.failures == []
    (key,) = case.endpoint.kept
    assert key == b"ocizone:manifest:" + hashlib.sha256(DIGEST.encode()).hexdigest().encode()


def test_nobody_waits_for_a_connection(case: Case) -> None:
    case.endpoint.hang = True
    assert case.cache.get(DIGEST) is None
    assert case.cache.get(DIGEST) is None
    case.cache.put(DIGEST, RAW)
    case.cache.stop()
    assert case.endpoint.cancelled == 1
    assert case.failures == []


def test_other_bytes_are_a_miss(case: Case) -> None:
    """Who may write to the cache may not choose manifests."""
    case.connect()
    case.cache.put(DIGEST, b"evil")
    assert case.cache.get(DIGEST) is None
    assert case.failures == ["wrong digest"]
    assert case.lookups == [False]


def test_a_slow_answer_is_a_miss(case: Case) -> None:
    """After 100 ms; and what comes later answers no other question."""
    server = case.connect()
    server.silent = True
    found = case.find()
    case.reactor.advance(limits.MEMCACHED_S - 0.001)
    assert found == []
    case.reactor.advance(0.001)
    assert found == [None]
    assert case.failures == ["TimeoutError"]
    assert server.aborted
    case.find()
    assert len(case.endpoint.servers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"ERROR\r\n",
        b"SERVER_ERROR out of memory\r\n",
        b"VALUE other 0 3\r\nabc\r\nEND\r\n",
        b"VALUE\r\n",
        b"VALUE x 0 -1\r\n",
        b"VALUE x 0 %d\r\n" % (limits.MANIFEST_OCTETS + 1),
        b"nonsense\r\n",
    ],
)
def test_odd_answers_are_misses(case: Case, answer: bytes) -> None:
    """Whatever the server says, the question is answered with nothing, and once."""
    server = case.connect()
    server.canned = answer
    found = case.find()
    case.reactor.advance(0)
    case.reactor.advance(limits.MEMCACHED_S)
    assert found == [None]
    assert case.failures
    server.canned = None
    case.find()
    assert len(case.endpoint.servers) == 2


def test_a_lost_connection(case: Case) -> None:
    """Noticed at the next question, which makes another."""
    case.connect().abortConnection()
    assert case.cache.get(DIGEST) is None
    case.cache.put(DIGEST, RAW)
    assert case.cache.get(DIGEST) == RAW
    assert len(case.endpoint.servers) == 2


def test_connecting_is_tried_later_and_later(case: Case) -> None:
    case.endpoint.refuse = True
    for _ in range(3):
        case.cache.get(DIGEST)
    assert case.failures == ["cannot connect"]
    for wait_s in (2, 4, 8, 16, 32, limits.MEMCACHED_REST_S, limits.MEMCACHED_REST_S):
        before = len(case.failures)
        case.reactor.advance(wait_s - 0.001)
        case.cache.get(DIGEST)
        assert len(case.failures) == before
        case.reactor.advance(0.001)
        case.cache.get(DIGEST)
        assert len(case.failures) == before + 1
    case.endpoint.refuse = False
    case.reactor.advance(limits.MEMCACHED_REST_S)
    case.connect()
    case.cache.put(DIGEST, RAW)
    assert case.cache.get(DIGEST) == RAW


def test_stop(case: Case) -> None:
    """No connection is made afterwards."""
    server = case.connect()
    case.cache.stop()
    assert server.aborted
    assert case.cache.get(DIGEST) is None
    assert len(case.endpoint.servers) == 1


def test_a_failed_put(case: Case) -> None:
    server = case.connect()
    server.silent = True
    case.cache.put(DIGEST, RAW)
    case.reactor.advance(limits.MEMCACHED_S)
    assert case.failures == ["TimeoutError"]
