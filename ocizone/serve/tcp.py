"""TCP and TLS: length-prefixed messages, pipelined, within limits (RFC 1035 4.2.2, RFC 7766).

A connection works in turns: a few queries answered, one message of a stream sent, everything in
one write; then others have their turn. So queries are answered between the messages of a
transfer (RFC 7766 6.2.1.1), and a client that does not read is not worked for. Not here: what
is answered; what TLS needs beyond a stream (serve.certificate).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.serve.gate import TcpGate
from ocizone.serve.outgoing import Answer, Outgoing
from ocizone.serve.turns import Turns


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class TcpConnection(Protocol):
    """One client's stream: reads messages, writes replies, is bounded throughout."""

    def __init__(self, factory: TcpFactory) -> None:
        self._factory = factory
        self._gate = factory.gate
        self._where: Transport | None = None
        self._buffer = bytearray()
        self._streams: deque[Outgoing] = deque()
        self._timer: IDelayedCall | None = None
        self._mid_message = False
        """The timer runs since the first octet of the message that is coming in."""
        self._queued = False
        self._reading = True
        self._blocked = False
        self._ended = False
        self._handshaking = factory.protocol_name == "tls"

    # --- Twisted's side ----------------------------------------------------------------------

    def connectionMade(self) -> None:  # noqa: N802 - the protocol interface
        """Admit the client, and give it a moment for its first octet.

        Over TLS this is before the handshake: who is not admitted costs no cryptography.
        """
        stream = self._stream
        client, port = _client(stream.getPeer())
        if not self._gate.admit(self, client):
            self.abort()
            return
        factory = self._factory
        self._where = Transport(
            factory.protocol_name,
            factory.listener,
            client,
            port,
            int(factory.wall()),
            factory.wall,
        )
        stream.setTcpNoDelay(True)
        stream.registerProducer(self, True)
        if self._handshaking:
            self._wait(limits.TLS_HANDSHAKE_S, "tls: no handshake")
        else:
            self._wait(limits.TCP_FIRST_OCTET_S, polite=True)

    def handshakeCompleted(self) -> None:  # noqa: N802 - IHandshakeListener
        """Expect the first octet of the first query."""
        self._handshaking = False
        if self._where is not None:
            self._wait(limits.TCP_FIRST_OCTET_S, polite=True)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - the protocol interface
        """Take octets; work on them now unless a turn is waited for already."""
        if self._where is None:
            return
        self._buffer += data
        if len(self._buffer) > limits.TCP_UNREAD_OCTETS:
            self.abort()
        elif not self._queued:
            self._work()

    def readConnectionLost(self) -> None:  # noqa: N802 - IHalfCloseableProtocol
        """Answer what a client asked before it closed its side, then close (RFC 7766 6.2.4)."""
        self._ended = True
        if not self._queued:
            self._work()

    def writeConnectionLost(self) -> None:  # noqa: N802 - IHalfCloseableProtocol
        """Close: nothing can be answered any more."""
        self.abort()

    def pauseProducing(self) -> None:  # noqa: N802 - IPushProducer: the client reads too slowly
        """Stop answering until the client has read what it asked for."""
        self._blocked = True
        self._read(False)
        self._wait(limits.TCP_WRITE_S, "tcp: does not read")

    def resumeProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Go on: the client has read."""
        self._blocked = False
        if not self._queued:
            self._work()

    def stopProducing(self) -> None:  # noqa: N802 - IPushProducer
        """Do nothing: connectionLost follows."""

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: ARG002, N802 - Twisted's own default argument is typed Failure
        """Forget the connection, its timer and what was being sent."""
        if self._handshaking and self._where is not None:
            self._gate.dropped("tls: no handshake")
        self._gate.leave(self)
        self._over()

    # --- The gate's side ---------------------------------------------------------------------

    def abort(self) -> None:
        """Close at once, without waiting for a client that may never read."""
        self._gate.leave(self)
        self._over()
        if self.transport is not None:
            self._stream.abortConnection()

    def close(self) -> None:
        """Close when what was written is sent; a transfer under way is cut off.

        It keeps its place until the client has read, or TCP_WRITE_S are over.
        """
        if self._streams or self._handshaking:
            self.abort()
            return
        self._over()
        self._finish()

    # --- Work --------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._queued = False
        self._work()

    def _work(self) -> None:
        """Do what one turn allows, and arrange for the next one."""
        if self._blocked or self._where is None:
            return
        out: list[bytes] = []
        answered = self._answer_some(out)
        if answered != "abort" and self._streams:
            self._pull_one(out)
        if out:
            # What deserves silence costs a connection, not the replies before it.
            self._gate.touch(self)
            self._stream.write(b"".join(out))
        if answered == "abort":
            self.abort()
        elif self._where is not None:
            self._arrange(some=bool(out))

    def _answer_some(self, out: list[bytes]) -> Literal["done", "abort"]:
        """Answer whole messages in the buffer, as many as a turn allows."""
        where = self._where_now()
        buffer, at, octets = self._buffer, 0, 0
        result: Literal["done", "abort"] = "done"
        for _ in range(limits.TCP_PIPELINED):
            if len(self._streams) >= limits.TRANSFERS_PER_CONNECTION:
                break
            start = at + 2
            end = start + (buffer[at] << 8 | buffer[at + 1]) if len(buffer) >= start else start
            if len(buffer) < end or octets > limits.TCP_WRITE_OCTETS:
                break
            at = end
            reply = self._factory.answer(bytes(buffer[start:end]), where)
            if reply is None:
                # What deserves silence over UDP deserves no connection over TCP.
                result = "abort"
                break
            if isinstance(reply, Outgoing):
                self._streams.append(reply)
                # Most zones fit in one message: those hold a place for no time at all.
                self._pull_one(out)
                continue
            octets += len(reply)
            out += (len(reply).to_bytes(2, "big"), reply)
        del buffer[:at]
        return result

    def _pull_one(self, out: list[bytes]) -> None:
        """Take one message of the stream whose turn it is."""
        stream = self._streams.popleft()
        message = stream.pull()
        if message:
            out.append(message)
        if stream.outcome is None:
            self._streams.append(stream)
        elif stream.outcome != "done":
            # Cut short, a transfer must not look complete (RFC 5936 2.2).
            self.abort()

    def _arrange(self, *, some: bool) -> None:
        """Arrange for the next turn, octet or end; ``some``: something was written in this one."""
        if self._blocked:
            # Our own write was one too many: pauseProducing has set the timer.
            return
        backlog = self._has_message()
        self._read(not backlog)
        if backlog or self._streams:
            self._cancel()
            self._queued = True
            self._factory.turns.later(self._turn)
        elif self._ended:
            # What is left is no whole message, and no more of it comes.
            self._finish()
        elif not self._buffer:
            self._wait(limits.TCP_IDLE_S, polite=True)
        elif some or not self._mid_message:
            # From its first octet on: one more octet a second buys no time.
            self._wait(limits.TCP_MESSAGE_S, "tcp: message too slow")
            self._mid_message = True

    def _has_message(self) -> bool:
        buffer = self._buffer
        return len(buffer) >= 2 and len(buffer) >= 2 + (buffer[0] << 8 | buffer[1])

    def _finish(self) -> None:
        self._wait(limits.TCP_WRITE_S)
        stream = self._stream
        stream.unregisterProducer()
        stream.loseConnection()

    def _over(self) -> None:
        """Let everything go: nothing is answered from here on."""
        self._cancel()
        self._where = None
        self._buffer.clear()
        while self._streams:
            self._streams.popleft().end("aborted")

    # --- Small things ------------------------------------------------------------------------

    @property
    def _stream(self) -> Connection:
        return cast("Connection", self.transport)

    def _where_now(self) -> Transport:
        """Return the transport of a query that came in just now."""
        was = self._where
        assert was is not None
        now = int(self._factory.wall())
        if now != was.received:
            was = self._where = replace(was, received=now)
        return was

    def _read(self, wanted: bool) -> None:  # noqa: FBT001 - a switch
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self._stream.resumeProducing()
            else:
                self._stream.pauseProducing()

    def _wait(self, seconds: float, why: str = "", *, polite: bool = False) -> None:
        """End the connection in so many seconds, and count why unless that is no fault."""
        self._cancel()
        self._timer = self._factory.clock.callLater(seconds, self._timed_out, why, polite)

    def _timed_out(self, why: str, polite: bool) -> None:  # noqa: FBT001 - called by the clock
        if why:
            self._gate.dropped(why)
        if polite:
            self.close()
        else:
            self.abort()

    def _cancel(self) -> None:
        self._mid_message = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class TcpFactory(Factory):
    """Makes a connection for each client of one listener."""

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        turns: Turns,
        gate: TcpGate,
        listener: str,
        answer: Answer,
        *,
        wall: Callable[[], float],
        protocol_name: Literal["tcp", "tls"] = "tcp",
    ) -> None:
        """Make it.

        Args:
            clock: for time limits.
            turns: shared by all connections of the server.
            gate: the same.
            listener: a key of Snapshot.listeners.
            answer: of the Door.
            wall: unix seconds.
            protocol_name: what queries say they came by; ``tls`` waits for a handshake.
        """
        self.clock = clock
        self.turns = turns
        self.gate = gate
        self.listener = listener
        self.answer = answer
        self.wall = wall
        self.protocol_name = protocol_name

    def buildProtocol(self, addr: IAddress | None) -> TcpConnection:  # noqa: ARG002, N802 - the factory interface
        """Return the protocol of a new connection."""
        return TcpConnection(self)


def _client(peer: object) -> tuple[str, int]:
    assert isinstance(peer, (IPv4Address, IPv6Address))
    return peer.host.removeprefix("::ffff:"), peer.port
