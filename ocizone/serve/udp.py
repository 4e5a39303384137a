"""UDP: one reader on the reactor, which takes a batch of datagrams and answers each.

Its own reader instead of a DatagramProtocol, because a reply must leave from the address that
was asked (IP_PKTINFO), which Twisted's port cannot say. Not here: what is answered.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone.answer.blocks import Transport
from ocizone.limits import TCP_MESSAGE_OCTETS
from ocizone.serve.outgoing import Answer
from ocizone.serve.sockets import IP_PKTINFO

#: Datagrams answered before the reactor looks at its other descriptors: a flood must not
#: starve TCP and timers; 64 costs about 2 ms.
BATCH = 64
#: Batches answered before a socket is closed: what a receive buffer holds at most.
_LAST_BATCHES = 1024
#: Room for one IPv4 or IPv6 packet-info message.
_ANCILLARY = socket.CMSG_SPACE(20)
_MAPPED = "::ffff:"


class Polls(Protocol):
    """The part of a reactor that polls descriptors."""

    def addReader(self, reader: IReadDescriptor) -> None:  # noqa: N802 - the reactor's name
        """Poll a descriptor."""

    def removeReader(self, reader: IReadDescriptor) -> None:  # noqa: N802 - the reactor's name
        """Stop polling a descriptor."""


@implementer(IReadDescriptor)
class DatagramPort:
    """Reads a bound datagram socket; what reads and answers a batch is ``_batch`` of a subclass."""

    #: Datagrams of a batch: one that had fewer was the last for now.
    batch: int

    def __init__(
        self,
        reactor: Polls,
        sock: socket.socket,
        listener: str,
        answer: Answer,
        on_send_error: Callable[[OSError], None],
        wall: Callable[[], float],
    ) -> None:
        """Make it.

        Args:
            reactor: polls.
            sock: bound, non-blocking.
            listener: a key of Snapshot.listeners.
            answer: of the Door.
            on_send_error: told of replies that could not be sent.
            wall: unix seconds.
        """
        self._reactor = reactor
        self._socket = sock
        self._listener = listener
        self._answer = answer
        self._on_send_error = on_send_error
        self._wall = wall

    def start(self) -> None:
        """Begin to read."""
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Answer what has come in already, then stop reading and close the socket."""
        self._reactor.removeReader(self)
        for _ in range(_LAST_BATCHES):
            if self._batch() < self.batch:
                break
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor the reactor polls."""
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802 - the reactor's interface
        """Return what the reactor calls us."""
        return "udp"

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802 - the reactor's interface
        """Close the socket: the reactor is going away."""
        self._socket.close()

    def doRead(self) -> None:  # noqa: N802 - the reactor's interface
        """Answer the datagrams that are there, at most a batch."""
        self._batch()

    def _batch(self) -> int:
        """Answer a batch; return how many datagrams were there."""
        raise NotImplementedError


class UdpPort(DatagramPort):
    """Takes datagrams one by one and sends what ``answer`` gives back."""

    batch = BATCH

    def _batch(self) -> int:
        """Return how many datagrams were there."""
        sock = self._socket
        # Once a batch: its datagrams came in within two milliseconds.
        now = int(self._wall())
        for number in range(BATCH):
            try:
                packet, ancillary, _flags, sender = sock.recvmsg(TCP_MESSAGE_OCTETS, _ANCILLARY)
            except BlockingIOError:
                return number
            except OSError as error:
                # An ICMP error of an earlier reply surfaces here; the socket is fine.
                self._on_send_error(error)
                continue
            self._one(packet, ancillary, sender, now)
        return BATCH

    def _one(self, packet: bytes, ancillary: list[Any], sender: tuple[Any, ...], now: int) -> None:
        client, port = sender[0], sender[1]
        client = client.removeprefix(_MAPPED)
        if not port:
            # Nothing can listen there: a reply would be reflection.
            return
        reply = self._answer(packet, Transport("udp", self._listener, client, port, now))
        if not isinstance(reply, bytes):
            return
        try:
            self._socket.sendmsg([reply], _reply_from(ancillary), 0, sender)
        except OSError as error:
            self._on_send_error(error)


def _reply_from(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Return the control message that makes a reply leave from the address that was asked."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            # struct in6_pktinfo: address, then interface; 0 lets routing choose the interface
            # except for link-local addresses, which mean nothing without it (RFC 4007 6).
            interface = data[16:20] if data[:2] == b"\xfe\x80" else bytes(4)
            return [(level, kind, data[:16] + interface)]
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            # struct in_pktinfo: interface, local address to send from, header destination.
            return [(level, kind, bytes(4) + data[8:12] + bytes(4))]
    return []
