"""Worker processes, started for real and polled by hand."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ocizone.serve.sockets import Bound
from ocizone.workers.channel import Channel
from ocizone.workers.spawn import NOT_FOR_WORKERS, Spawner, WorkerProcess
from tests.polling import PolledReactor


class FakeTransport:
    pid = 4711

    def __init__(self) -> None:
        self.signals: list[str] = []
        self.gone = False

    def signalProcess(self, name: str) -> None:
        if self.gone:
            raise ProcessExitedAlready
        self.signals.append(name)


class Reactor(PolledReactor):
    """Starts no process; keeps what one would have got."""

    def __init__(self) -> None:
        super().__init__()
        self.theirs: list[socket.socket] = []
        self.commands: list[tuple[str, ...]] = []
        self.masks: list[set[int]] = []
        self.fails = False

    def spawnProcess(
        self,
        protocol: ProcessProtocol,
        executable: str,
        arguments: tuple[str, ...],
        env: dict[str, str],
        childFDs: dict[int, int],
    ) -> None:
        if self.fails:
            raise OSError("no more processes")
        assert (executable, env) == (sys.executable, {"A": "b"})
        assert {number: childFDs[number] for number in (1, 2)} == {1: 1, 2: 2}
        self.commands.append(arguments)
        self.masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        self.theirs.append(socket.socket(fileno=socket.dup(childFDs[3])))
        transport: Any = FakeTransport()
        protocol.makeConnection(transport)


class Site:
    def __init__(self) -> None:
        self.reactor = Reactor()
        self.heard: list[bytes] = []
        self.ended: list[str] = []
        self.spawner = Spawner(self.reactor, {"A": "b"}, debug=True)

    def start(self) -> WorkerProcess:
        return self.spawner(2, self.heard.append, self.ended.append)

    def turn(self) -> None:
        for _ in range(5):
            self.reactor.turn(0)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    for sock in made.reactor.theirs:
        sock.close()


def test_it_is_told_whose_it_is_and_which(site):
    """Our process id and its number; signals meant for the server wait until it ignores them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    process = site.start()
    (command,) = site.reactor.commands
    assert command[1:4] == ("-P", "-m", "ocizone.workers")
    assert command[-2:] == ("2", "--debug")
    assert site.reactor.masks[0] >= NOT_FOR_WORKERS
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert process.pid == 4711
    process.processEnded(Failure(ProcessDone(0)))


def test_one_that_cannot_be_started_leaves_nothing(site):
    """No socket, no mask."""
    site.reactor.fails = True
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(OSError, match="no more processes"):
        site.start()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_frames_and_sockets_reach_it_and_what_it_says_is_heard(site):
    """Both ways, over descriptor 3."""
    process = site.start()
    came: list[tuple[bytes, int]] = []

    def told(payload: bytes, sockets: list[socket.socket]) -> None:
        came.append((payload, len(sockets)))
        for sock in sockets:
            sock.close()

    theirs = Channel(site.reactor, site.reactor.theirs.pop(), told, lambda: None)
    theirs.start()
    bound = Bound(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket())
    process.send(b"serve", [bound])
    bound.close()
    theirs.send(b"ok")
    site.turn()
    assert came == [(b"serve", 2)]
    assert site.heard == [b"ok"]
    process.finish()
    theirs.send(b"last")
    theirs.doWrite()
    theirs.close()
    process.processEnded(Failure(ProcessDone(0)))
    assert site.heard == [b"ok", b"last"]
    assert site.ended == ["it ended"]


@pytest.mark.parametrize(
    ("why", "how"),
    [
        (ProcessTerminated(signal=signal.SIGKILL), "killed by SIGKILL"),
        (ProcessTerminated(exitCode=3), "exit status 3"),
    ],
)
def test_how_it_ended_is_told(site, why, how):
    """By whose hand."""
    site.start().processEnded(Failure(why))
    assert site.ended == [how]


def test_killing_one_that_is_gone_is_nothing(site):
    """It ended by itself meanwhile."""
    process = site.start()
    transport: Any = process.transport
    process.kill()
    transport.gone = True
    process.kill()
    assert transport.signals == ["KILL"]
    process.processEnded(Failure(ProcessDone(0)))
