"""One attempt at a registry: its deadline, its abort switch, and sockets that obey both.

The deadline stands under HTTP and TLS, at each receive and send, because a slow peer can spend
for ever inside one header line or one chunk size, where no loop of ours looks at a clock.
Knows nothing of HTTP or of registries.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from ocizone import limits
from ocizone.errors import FetchReason, Transient

# How often a wait for another thread is left to see whether we should go on.
_POLL_S = 0.2


class Attempt:
    """The time a caller has left, and the sockets to cut when it wants no more.

    ``start`` and the sockets belong to one thread at a time; ``abort`` may come from any.
    """

    def __init__(self, where: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._where = where
        self._monotonic = monotonic
        self._deadline = math.inf
        self._seconds = math.inf
        self._aborted = threading.Event()
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def start(self, seconds: float) -> None:
        """Give everything until the next start ``seconds``; forget an earlier abort."""
        self._seconds = seconds
        self._deadline = self._monotonic() + seconds
        self._aborted.clear()

    def remaining(self, most: float) -> float:
        """Return the seconds the next wait may take, at most ``most``.

        Raises:
            Transient: aborted, or no time is left.
        """
        if self._aborted.is_set():
            raise Transient(f"{self._where}: stopped on request", reason=FetchReason.NETWORK)
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise Transient(
                f"{self._where}: not done after {self._seconds:g} s; the next attempt starts again",
                reason=FetchReason.TIMEOUT,
            )
        return min(left, most)

    def sleep(self, seconds: float) -> None:
        """Wait, unless there is no time for that.

        Raises:
            Transient: aborted, or the deadline comes first.
        """
        if self.remaining(seconds) < seconds or self._aborted.wait(seconds):
            self.remaining(0.0)
            raise Transient(
                f"{self._where}: no time left to wait {seconds:.1f} s", reason=FetchReason.TIMEOUT
            )

    def wait(self, event: threading.Event) -> None:
        """Wait for what another thread will set.

        Raises:
            Transient: aborted, or no time is left.
        """
        while not event.wait(self.remaining(_POLL_S)):
            pass

    @contextlib.contextmanager
    def share(self, parts: int) -> Iterator[None]:
        """Give what is done in here one of so many equal parts of the time that is left."""
        whole = self._deadline
        self._deadline = min(whole, self._monotonic() + (whole - self._monotonic()) / parts)
        try:
            yield
        finally:
            self._deadline = whole

    def watch(self, sock: socket.socket) -> None:
        """Cut this socket on abort."""
        with self._lock:
            self._sockets.add(sock)

    def abort(self) -> None:
        """End every wait under way: each watched socket is shut down, from any thread."""
        self._aborted.set()
        with self._lock:
            watched = list(self._sockets)
        for sock in watched:
            # The plain socket's method even for TLS: SSLSocket.shutdown drops the TLS state
            # under the feet of the thread that is reading. ENOTCONN and EBADF mean it is over.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class AttemptSocket(socket.socket):
    """A TCP socket whose every wait is bounded by its attempt."""

    def __init__(self, attempt: Attempt, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._attempt = attempt
        attempt.watch(self)

    def recv_into(self, *args: Any) -> int:
        """Receive, waiting no longer than the attempt allows."""
        self.settimeout(self._attempt.remaining(limits.READ_S))
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        """Send, waiting no longer than the attempt allows."""
        self.settimeout(self._attempt.remaining(limits.READ_S))
        super().sendall(*args)


def tls_socket_class(attempt: Attempt) -> type[ssl.SSLSocket]:
    """Return the class for ``SSLContext.sslsocket_class`` that obeys this attempt.

    A class per attempt: the ssl module builds its sockets itself, and the handshake, which
    happens inside that, must be bounded too.
    """

    class AttemptTLSSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl's signature
            attempt.watch(self)
            self.settimeout(attempt.remaining(limits.CONNECT_S))
            super().do_handshake(block)

        def recv_into(self, *args: Any) -> int:
            self.settimeout(attempt.remaining(limits.READ_S))
            return super().recv_into(*args)

        def send(self, *args: Any) -> int:
            self.settimeout(attempt.remaining(limits.READ_S))
            return super().send(*args)

    return AttemptTLSSocket
