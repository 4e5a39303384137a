"""Frames and sockets over a pair: whole, in order, and never waiting for the other side."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from twisted.python.failure import Failure

from ocizone.workers.channel import Channel
from tests.polling import PolledReactor


class End:
    """One end of a pair, and what it heard."""

    def __init__(
        self, reactor: PolledReactor, sock: socket.socket, most_octets: int | None = None
    ) -> None:
        self.heard: list[bytes] = []
        self.sockets: list[socket.socket] = []
        self.ended = 0
        self.channel = Channel(reactor, sock, self._heard, self._ended, most_octets)
        self.channel.start()

    def _heard(self, payload: bytes, sockets: list[socket.socket]) -> None:
        self.heard.append(payload)
        self.sockets += sockets

    def _ended(self) -> None:
        self.ended += 1


class Pair:
    def __init__(self, most_octets: int | None = None) -> None:
        self.reactor = PolledReactor()
        one, other = socket.socketpair()
        self.one, self.other = End(self.reactor, one), End(self.reactor, other, most_octets)

    def settle(self) -> None:
        for _ in range(200):
            self.reactor.turn(0)

    def close(self) -> None:
        for end in (self.one, self.other):
            end.channel.close()
            for sock in end.sockets:
                sock.close()


@contextmanager
def paired(most_octets: int | None = None) -> Iterator[Pair]:
    made = Pair(most_octets)
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    with paired() as made:
        yield made


def test_frames_arrive_whole_and_in_order(pair):
    """Of any size, in both directions."""
    frames = [b"", b"a", os.urandom(3_000_000), b"z"]
    for frame in frames:
        pair.one.channel.send(frame)
    pair.other.channel.send(b"back")
    pair.settle()
    assert pair.other.heard == frames
    assert pair.one.heard == [b"back"]


def test_sockets_come_with_their_frame(pair):
    """As descriptors of one's own: the sender may close its own at once."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    name = udp.getsockname()
    pair.one.channel.send(b"first")
    pair.one.channel.send(b"", [udp])
    pair.one.channel.send(b"last")
    udp.close()
    pair.settle()
    assert pair.other.heard == [b"first", b"", b"last"]
    (got,) = pair.other.sockets
    assert (got.getsockname(), got.type) == (name, socket.SOCK_DGRAM)


def test_many_sockets_fit_in_a_frame(pair):
    """As many as the kernel takes at once."""
    some = [socket.socket() for _ in range(250)]
    pair.one.channel.send(b"x", some)
    for sock in some:
        sock.close()
    pair.settle()
    assert len(pair.other.sockets) == 250


def test_who_does_not_read_is_waited_for_without_blocking(pair):
    """What it does not take stays here."""
    pair.reactor.removeReader(pair.other.channel)
    for _ in range(100):
        pair.one.channel.send(bytes(100_000))
    pair.settle()
    assert pair.other.heard == []
    pair.reactor.addReader(pair.other.channel)
    pair.settle()
    assert len(pair.other.heard) == 100


def test_the_end_is_seen_when_everything_is_sent(pair):
    """And the one that ended still hears."""
    done = []
    pair.one.channel.send(bytes(1_000_000))
    pair.one.channel.finish(lambda: done.append(True))
    pair.settle()
    assert (len(pair.other.heard), pair.other.ended, done) == (1, 1, [True])
    pair.other.channel.send(b"my last")
    pair.settle()
    assert pair.one.heard == [b"my last"]


def test_finishing_twice_or_when_all_is_over_is_done_at_once(pair):
    """Nobody waits for what was done before."""
    done = []
    pair.one.channel.finish()
    pair.one.channel.finish(lambda: done.append(1))
    pair.one.channel.send(b"too late")
    pair.settle()
    pair.one.channel.close()
    pair.one.channel.finish(lambda: done.append(2))
    pair.one.channel.send(b"too late")
    assert done == [1, 2]
    assert pair.other.heard == []


def test_a_side_that_is_gone_is_noticed_once(pair):
    """Whatever is still to be sent to it goes nowhere; finishing ends."""
    done = []
    pair.other.channel.close()
    pair.one.channel.send(bytes(1_000_000))
    pair.one.channel.finish(lambda: done.append(True))
    pair.settle()
    assert (pair.one.ended, done) == (1, [True])
    assert pair.other.ended == 0


def test_closing_ends_what_waits_to_be_finished(pair):
    """A process that is told to end does not wait for who never reads."""
    done = []
    pair.one.channel.send(bytes(10_000_000))
    pair.one.channel.finish(lambda: done.append(True))
    pair.one.channel.close()
    pair.one.channel.close()
    assert done == [True]


def test_what_was_sent_by_a_process_that_is_gone_is_heard():
    """Its last counts; by ``drain``, without the reactor."""
    with paired() as pair:
        pair.other.channel.send(b"last")
        pair.other.channel.doWrite()
        pair.other.channel.close()
        pair.one.channel.drain()
        assert pair.one.heard == [b"last"]


def test_too_much_is_not_listened_to():
    """A worker that went mad must not fill the supervisor's memory."""
    with paired(most_octets=100) as pair:
        pair.one.channel.send(bytes(100))
        pair.one.channel.send(bytes(101))
        pair.one.channel.send(b"more")
        pair.settle()
        assert (len(pair.other.heard), pair.other.ended) == (1, 1)


def test_a_listener_that_closes_hears_no_more(pair):
    """Also of what came with the same octets."""
    heard = []

    def once(payload: bytes, _: list[socket.socket]) -> None:
        heard.append(payload)
        other.close()

    pair.other.channel.close()
    one, sock = socket.socketpair()
    other = Channel(pair.reactor, sock, once, lambda: None)
    other.start()
    one.sendall(bytes((0, 0, 0, 1, 0, 0)) * 1 + b"a" + bytes((0, 0, 0, 1, 0, 0)) + b"b")
    pair.settle()
    one.close()
    assert heard == [b"a"]


def test_the_reactor_going_away_ends_it(pair):
    """As any descriptor it polled."""
    pair.one.channel.connectionLost(Failure(ValueError("x")))
    assert (pair.one.ended, pair.one.channel.fileno()) == (1, -1)
    assert pair.one.channel.logPrefix() == "workers"
