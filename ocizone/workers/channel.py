"""Frames of octets and sockets between two processes, over a pair of unix sockets (unix(7)).

A reader and writer on the reactor that never blocks: what the other side does not read waits
here. Not here: what the frames mean.

    frame = length of the payload, 4 octets | number of descriptors, 2 octets | payload
    descriptors come with the first octet of their frame (SCM_RIGHTS)
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from twisted.internet.interfaces import IReadWriteDescriptor, IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone.serve.udp import Polls

_HEADER: Final = struct.Struct("!IH")
_READ_OCTETS: Final = 256 * 1024
#: Of one sendmsg: SCM_MAX_FD of Linux is 253.
MOST_SOCKETS: Final = 250


class Reactor(Polls, Protocol):
    """The parts of a reactor that a channel needs."""

    def addWriter(self, writer: IWriteDescriptor) -> None:  # noqa: N802 - the reactor's name
        """Poll for writing."""

    def removeWriter(self, writer: IWriteDescriptor) -> None:  # noqa: N802 - the reactor's name
        """Stop that."""


@implementer(IReadWriteDescriptor)
class Channel:
    """One end of a pair."""

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        heard: Callable[[bytes, list[socket.socket]], None],
        ended: Callable[[], None],
        most_octets: int | None = None,
    ) -> None:
        """Make it; nothing is read before ``start``.

        Args:
            reactor: polls.
            sock: a connected stream, of which this is the owner from now on.
            heard: given each frame, and the sockets that came with it.
            ended: told once that nothing more comes.
            most_octets: of a payload; who sends more is not listened to any more. None for any.
        """
        sock.setblocking(False)
        self._reactor = reactor
        self._socket = sock
        self._heard = heard
        self._ended = ended
        self._most_octets = most_octets
        self._in = bytearray()
        self._came: deque[socket.socket] = deque()
        self._out: deque[tuple[memoryview, list[socket.socket]]] = deque()
        self._finished: Callable[[], None] | None = None
        self._heard_all = False
        self._over = False

    def start(self) -> None:
        """Begin to read."""
        self._reactor.addReader(self)

    def send(self, payload: bytes, sockets: Iterable[socket.socket] = ()) -> None:
        """Send a frame; sockets may be closed afterwards, the other side gets its own descriptors.

        Args:
            payload: any octets.
            sockets: at most MOST_SOCKETS.
        """
        if self._over or self._finished is not None:
            return
        given = [sock.dup() for sock in sockets]
        assert len(given) <= MOST_SOCKETS, "more descriptors than one message takes"
        header = _HEADER.pack(len(payload), len(given))
        self._out.append((memoryview(header), given))
        if payload:
            self._out.append((memoryview(payload), []))
        self._reactor.addWriter(self)

    def finish(self, done: Callable[[], None] = lambda: None) -> None:
        """Let the other side see the end when everything is sent, and call ``done`` then.

        It is called as well when the other side takes nothing more. We go on listening.
        """
        if self._over or self._finished is not None:
            done()
            return
        self._finished = done
        self._reactor.addWriter(self)

    def drain(self) -> None:
        """Hear what was sent already: the other side is gone."""
        while not self._heard_all and self._take():
            pass

    def close(self) -> None:
        """Send and hear nothing more."""
        if self._over:
            return
        self._over = self._heard_all = True
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        for _, sockets in self._out:
            _close(sockets)
        self._out.clear()
        _close(self._came)
        self._socket.close()
        if self._finished is not None:
            self._finished()

    # --- The reactor's side ------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor the reactor polls."""
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802 - the reactor's interface
        """Return what the reactor calls us."""
        return "workers"

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802 - the reactor's interface
        """Close, and tell of it."""
        self._end()
        self.close()

    def doRead(self) -> None:  # noqa: N802 - the reactor's interface
        """Take what is there, and give on the frames that are whole."""
        self._take()

    def _take(self) -> bool:
        """Return whether there may be more."""
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._socket, _READ_OCTETS, MOST_SOCKETS, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return False
        except OSError:
            data, descriptors = b"", []
        self._came.extend(socket.socket(fileno=descriptor) for descriptor in descriptors)
        if not data:
            self._end()
            return False
        self._in += data
        self._give_on()
        return True

    def doWrite(self) -> None:  # noqa: N802 - the reactor's interface
        """Send what the other side has room for."""
        while self._out:
            data, sockets = self._out[0]
            try:
                sent = _send(self._socket, data, sockets)
            except BlockingIOError:
                return
            except OSError:
                # The other side is gone: what it said before can still be heard.
                self._out.clear()
                break
            _close(sockets)
            if sent < len(data):
                self._out[0] = (data[sent:], [])
                return
            self._out.popleft()
        self._reactor.removeWriter(self)
        if self._finished is not None:
            done, self._finished = self._finished, lambda: None
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
            done()

    def _give_on(self) -> None:
        while not self._heard_all and len(self._in) >= _HEADER.size:
            length, count = _HEADER.unpack_from(self._in)
            if self._most_octets is not None and length > self._most_octets:
                self._end()
                return
            end = _HEADER.size + length
            if len(self._in) < end:
                return
            payload = bytes(self._in[_HEADER.size : end])
            del self._in[:end]
            self._heard(payload, [self._came.popleft() for _ in range(count)])

    def _end(self) -> None:
        """Hear nothing more, and tell of it once."""
        if not self._heard_all:
            self._heard_all = True
            self._reactor.removeReader(self)
            self._ended()


def _send(sock: socket.socket, data: memoryview, sockets: Sequence[socket.socket]) -> int:
    if not sockets:
        return sock.send(data)
    sent: int = socket.send_fds(sock, [data], [one.fileno() for one in sockets])
    return sent


def _close(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
