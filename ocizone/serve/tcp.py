"""TCP: length-prefixed messages, pipelined, within limits (RFC 1035 4.2.2, RFC 7766).

Limits are per server (TcpGate), so that slow clients cost each other and not UDP: at the cap
the connection idle longest is closed for the new one. Not here: what is answered; TLS.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone import limits
from ocizone.answer.blocks import Transport

Answer = Callable[[bytes, Transport], bytes | None]


class TcpGate:
    """Which connections there are, for the caps: in all, and from one client."""

    def __init__(self, descriptors: int | None = None) -> None:
        """Make it.

        Args:
            descriptors: the process may have; None when that is not known to be few.
        """
        self._room = limits.TCP_CONNECTIONS
        if descriptors is not None:
            self._room = min(self._room, int(descriptors * limits.TCP_DESCRIPTORS))
        self._open: OrderedDict[TcpConnection, str] = OrderedDict()
        self._clients: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: TcpConnection, client: str) -> bool:
        """Tell whether the connection may stay; makes room by closing the longest idle."""
        if self._clients[client] >= limits.TCP_CONNECTIONS_PER_CLIENT:
            return False
        if len(self._open) >= self._room:
            idle = next(iter(self._open))
            # Taken off at once: the close is reported later, the place is needed now.
            self.leave(idle)
            idle.abort()
        self._open[connection] = client
        self._clients[client] += 1
        return True

    def touch(self, connection: TcpConnection) -> None:
        """Note that the connection did something: it is idle least now."""
        self._open.move_to_end(connection)

    def leave(self, connection: TcpConnection) -> None:
        """Forget a connection; one not admitted, or left already, is none."""
        client = self._open.pop(connection, None)
        if client is not None:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    def close_all(self) -> None:
        """Close every connection: the server stops."""
        for connection in list(self._open):
            connection.abort()


@implementer(IHalfCloseableProtocol)
class TcpConnection(Protocol):
    """One client's stream: reads messages, writes replies in order, is bounded throughout."""

    def __init__(self, clock: IReactorTime, gate: TcpGate, listener: str, answer: Answer) -> None:
        self._clock = clock
        self._gate = gate
        self._listener = listener
        self._answer = answer
        self._buffer = bytearray()
        self._timer: IDelayedCall | None = None
        self._blocked = False
        self._ended = False
        self._where: Transport | None = None

    def connectionMade(self) -> None:  # noqa: N802 - the protocol interface
        """Admit the client, and give it a moment for its first octet."""
        stream = cast("Connection", self.transport)
        client, port = _client(stream.getPeer())
        if not self._gate.admit(self, client):
            self.abort()
            return
        self._where = Transport("tcp", self._listener, client, port)
        stream.setTcpNoDelay(True)
        stream.registerProducer(self, True)
        self._wait(limits.TCP_FIRST_OCTET_S)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - the protocol interface
        """Answer every whole message; keep the rest."""
        if self._where is None:
            return
        self._buffer += data
        self._gate.touch(self)
        self._drain()

    def _drain(self) -> None:
        buffer = self._buffer
        at = 0
        while not self._blocked and len(buffer) - at >= 2:
            size = buffer[at] << 8 | buffer[at + 1]
            if len(buffer) - at < 2 + size:
                break
            packet = bytes(buffer[at + 2 : at + 2 + size])
            at += 2 + size
            if not self._message(packet):
                return
        del buffer[:at]
        if len(buffer) > limits.TCP_UNREAD_OCTETS:
            self.abort()
        elif self._ended and not self._blocked:
            # What is left is no whole message, and no more of it comes.
            self._wait(limits.TCP_WRITE_S)
            stream = cast("Connection", self.transport)
            stream.unregisterProducer()
            stream.loseConnection()
        elif not self._blocked:
            self._wait(limits.TCP_MESSAGE_S if buffer else limits.TCP_IDLE_S)

    def _message(self, packet: bytes) -> bool:
        """Answer one message; False when the connection is over."""
        assert self._where is not None
        reply = self._answer(packet, self._where)
        if reply is None:
            # What deserves silence over UDP deserves no connection over TCP.
            self.abort()
            return False
        assert self.transport is not None
        self.transport.write(len(reply).to_bytes(2, "big") + reply)
        return True

    def readConnectionLost(self) -> None:  # noqa: N802 - IHalfCloseableProtocol
        """Answer what a client asked before it closed its side, then close (RFC 7766 6.2.4)."""
        self._ended = True
        if self._where is None:
            self.abort()
        elif not self._blocked:
            self._drain()

    def writeConnectionLost(self) -> None:  # noqa: N802 - IHalfCloseableProtocol
        """Close: nothing can be answered any more."""
        self.abort()

    def pauseProducing(self) -> None:  # noqa: N802 - IPushProducer: the client reads too slowly
        """Stop answering until the client has read what it asked for."""
        self._blocked = True
        cast("Connection", self.transport).pauseProducing()
        self._wait(limits.TCP_WRITE_S)

    def resumeProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Go on: the client has read."""
        self._blocked = False
        cast("Connection", self.transport).resumeProducing()
        self._drain()

    def stopProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Do nothing: connectionLost follows."""

    def abort(self) -> None:
        """Close at once, without waiting for a client that may never read."""
        if self.transport is not None:
            cast("Connection", self.transport).abortConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: ARG002, N802 - Twisted's own default argument is typed Failure
        """Forget the connection and its timer."""
        self._gate.leave(self)
        self._cancel()

    def _wait(self, seconds: float) -> None:
        self._cancel()
        self._timer = self._clock.callLater(seconds, self.abort)

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class TcpFactory(Factory):
    """Makes a connection for each client of one listener."""

    noisy = False

    def __init__(self, clock: IReactorTime, gate: TcpGate, listener: str, answer: Answer) -> None:
        self._clock = clock
        self._gate = gate
        self._listener = listener
        self._answer = answer

    def buildProtocol(self, addr: IAddress | None) -> TcpConnection:  # noqa: ARG002, N802 - the factory interface
        """Return the protocol of a new connection."""
        return TcpConnection(self._clock, self._gate, self._listener, self._answer)


def _client(peer: object) -> tuple[str, int]:
    assert isinstance(peer, (IPv4Address, IPv6Address))
    return peer.host.removeprefix("::ffff:"), peer.port
