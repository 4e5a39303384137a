"""Starting a worker process: ``python -m ocizone.workers``, with one end of a pair of sockets.

A new process, not a fork: nothing of a running reactor, its threads and its images is in it. What
it writes goes where our own output goes. Not here: when one is started (workers.crew).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.serve.sockets import Bound
from ocizone.workers.channel import Channel

#: The worker's end of the pair.
CHANNEL_DESCRIPTOR: Final = 3
#: Signals that a terminal or a service manager sends to every process of a server.
NOT_FOR_WORKERS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})


class Spawner:
    """Starts workers; an instance is a ``crew.Start``."""

    def __init__(
        self,
        reactor: Any,
        environment: Mapping[str, str],
        *,
        debug: bool = False,
        command: tuple[str, ...] = (sys.executable, "-P", "-m", "ocizone.workers"),
    ) -> None:
        """Make it.

        Args:
            reactor: of Twisted; it has every interface at once, which no type says.
            environment: of the worker (ocizone.process.child_environment).
            debug: it logs at debug level.
            command: program and arguments; our process id and the worker's number are added.
        """
        self._reactor = reactor
        self._environment = dict(environment)
        self._debug = debug
        self._command = command

    def __call__(
        self, number: int, heard: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> WorkerProcess:
        """Start a worker.

        Raises:
            OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                return self._spawn(number, heard, ended, ours, theirs)
            except BaseException:
                ours.close()
                raise

    def _spawn(
        self,
        number: int,
        heard: Callable[[bytes], None],
        ended: Callable[[str], None],
        ours: socket.socket,
        theirs: socket.socket,
    ) -> WorkerProcess:
        process = WorkerProcess(self._reactor, ours, heard, ended)
        command = (*self._command, str(os.getpid()), str(number))
        if self._debug:
            command = (*command, "--debug")
        nothing = os.open(os.devnull, os.O_RDONLY)
        # A worker ignores these, and inherits that they are blocked until it does.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NOT_FOR_WORKERS)
        try:
            self._reactor.spawnProcess(
                process,
                command[0],
                command,
                env=self._environment,
                childFDs={0: nothing, 1: 1, 2: 2, CHANNEL_DESCRIPTOR: theirs.fileno()},
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(nothing)
        return process


class WorkerProcess(ProcessProtocol):
    """One worker that was started; a ``crew.Process``."""

    def __init__(
        self,
        reactor: Any,
        sock: socket.socket,
        heard: Callable[[bytes], None],
        ended: Callable[[str], None],
    ) -> None:
        self._ended = ended
        self._channel = Channel(
            reactor,
            sock,
            lambda payload, _sockets: heard(payload),
            # One that closes its side and lives is silent: whoever waits for it sees to that.
            lambda: None,
            limits.WORKER_REPORT_OCTETS,
        )

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Listen to it: it runs."""
        self._channel.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.transport is not None
        return int(self.transport.pid)

    def send(self, payload: bytes, bound: Iterable[Bound] = ()) -> None:
        """Send a frame, with sockets."""
        self._channel.send(payload, [sock for one in bound for sock in one.all])

    def finish(self) -> None:
        """Let it end by itself: it hears no more."""
        self._channel.finish()

    def kill(self) -> None:
        """End it now."""
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        """Hear the last it said, and tell how it ended."""
        self._channel.drain()
        self._channel.close()
        self._ended(_how(reason.value))


def _how(reason: BaseException | None) -> str:
    if isinstance(reason, ProcessTerminated):
        if reason.signal is not None:
            return f"killed by {signal.Signals(reason.signal).name}"
        return f"exit status {reason.exitCode}"
    return "it ended"
