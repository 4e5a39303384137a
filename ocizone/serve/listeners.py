"""The listening addresses that are open, and moving from one set of them to another.

A reload keeps every listener that did not change, opens new ones before it closes old ones, and
changes nothing when one cannot be opened. Not here: what is answered on them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
)
from twisted.protocols.tls import TLSMemoryBIOFactory

from ocizone.endpoint import Endpoint
from ocizone.serve.gate import TcpGate
from ocizone.serve.outgoing import Answer
from ocizone.serve.sockets import BACKLOG, Bound, bind_endpoint, sharing
from ocizone.serve.tcp import TcpFactory
from ocizone.serve.turns import Turns
from ocizone.serve.udp import Polls, UdpPort


class Reactor(Polls, Protocol):
    """The parts of a reactor that listening needs."""

    def adoptStreamPort(  # noqa: N802 - the reactor's name
        self,
        fileDescriptor: int,  # noqa: N803 - as above
        addressFamily: int,  # noqa: N803 - as above
        factory: object,
    ) -> IListeningPort:
        """Accept on a bound socket."""


class Datagrams(Protocol):
    """Reads a datagram socket and answers on it."""

    def start(self) -> None:
        """Begin to read."""

    def stop(self) -> None:
        """Answer what has come in already, then stop reading and close the socket."""


#: Makes it of a bound socket and its listener's name.
MakePort = Callable[[socket.socket, str], Datagrams]


#: Bound and not yet answered on.
Sockets = dict[Endpoint, Bound]
#: What new TLS connections of an address are served with.
Certificates = Callable[[Endpoint], IOpenSSLServerConnectionCreator]


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """One open address: its transports, their sockets, and the port the system gave."""

    udp: Datagrams | None
    tcp: IListeningPort
    bound: Bound
    port: int


class Listeners:
    """Owns every open DNS address."""

    def __init__(
        self,
        reactor: Reactor,
        answer: Answer,
        on_send_error: Callable[[OSError], None],
        descriptors: int | None = None,
        *,
        wall: Callable[[], float],
        dropped: Callable[[str], None],
        certificate: Certificates,
        make_port: MakePort | None = None,
    ) -> None:
        """Make it; nothing is opened.

        Args:
            reactor: polls, and keeps time.
            answer: of the Door.
            on_send_error: told of replies over UDP that could not be sent.
            descriptors: the process may have; None when that is not known to be few.
            wall: unix seconds.
            dropped: told why a connection was refused or ended early, in fixed words.
            certificate: of a ``tls`` endpoint; asked when it is opened.
            make_port: another reader of datagrams than UdpPort.
        """
        self._reactor = reactor
        self._make_port = make_port or self._udp_port
        self._answer = answer
        self._on_send_error = on_send_error
        self._wall = wall
        self._certificate = certificate
        self._gate = TcpGate(descriptors, dropped)
        self._turns = Turns(reactor)  # type: ignore[arg-type]  # a structural part of IReactorTime
        self._open: dict[Endpoint, Listening] = {}

    @property
    def open(self) -> dict[Endpoint, Listening]:
        """The open addresses; a copy."""
        return dict(self._open)

    def share_among(self, processes: int) -> None:
        """Have one of so many shares of the TCP clients a server may have."""
        self._gate.share_among(processes)

    @property
    def tcp_connections(self) -> int:
        """How many TCP clients there are."""
        return len(self._gate)

    def prepare(self, wanted: Iterable[Endpoint]) -> Sockets:
        """Bind what is wanted and not open; nothing is answered on it yet.

        An address may overlap one that is about to be closed (every address, and one of them):
        then both hold the port until ``move_to``.

        Raises:
            BindError: one cannot be bound; none is left open.
        """
        bound: Sockets = {}
        kept = dict.fromkeys(wanted)
        try:
            for endpoint in kept:
                if endpoint in self._open:
                    continue
                leaving = [
                    sock
                    for other, listening in self._open.items()
                    if other not in kept and listening.port == endpoint.port
                    for sock in listening.bound.all
                ]
                with sharing(leaving):
                    bound[endpoint] = bind_endpoint(endpoint, share=bool(leaving))
        except BaseException:
            self.discard(bound)
            raise
        return bound

    @staticmethod
    def discard(bound: Sockets) -> None:
        """Close what ``prepare`` bound: it is not wanted after all."""
        for one in bound.values():
            one.close()

    def move_to(self, wanted: Iterable[Endpoint], bound: Sockets) -> None:
        """Answer on what ``prepare`` bound, and close what is no longer wanted."""
        for endpoint, sockets in bound.items():
            self._open[endpoint] = self._listen(endpoint, sockets)
        for endpoint in set(self._open) - set(wanted):
            self._close(self._open.pop(endpoint))

    def close(self) -> None:
        """Close everything, connections included."""
        for listening in self._open.values():
            self._close(listening)
        self._open.clear()
        self._gate.close_all()

    def _listen(self, endpoint: Endpoint, bound: Bound) -> Listening:
        name = str(endpoint)
        udp = None
        if bound.datagram is not None:
            udp = self._make_port(bound.datagram, name)
            udp.start()
        stream = bound.stream
        tcp = self._reactor.adoptStreamPort(stream.fileno(), stream.family, self._factory(endpoint))
        # The adopted port is a duplicate, and has set the backlog to Twisted's 50.
        stream.listen(BACKLOG)
        return Listening(udp, tcp, bound, stream.getsockname()[1])

    def _udp_port(self, sock: socket.socket, name: str) -> UdpPort:
        answer, failed = self._answer, self._on_send_error
        return UdpPort(self._reactor, sock, name, answer, failed, self._wall)

    def _factory(self, endpoint: Endpoint) -> IProtocolFactory:
        secure = endpoint.scheme == "tls"
        factory = TcpFactory(
            self._reactor,  # type: ignore[arg-type]  # a structural part of IReactorTime
            self._turns,
            self._gate,
            str(endpoint),
            self._answer,
            wall=self._wall,
            protocol_name="tls" if secure else "tcp",
        )
        if not secure:
            return factory
        return TLSMemoryBIOFactory(self._certificate(endpoint), False, factory, self._reactor)  # type: ignore[arg-type]  # as above

    @staticmethod
    def _close(listening: Listening) -> None:
        if listening.udp is not None:
            listening.udp.stop()
        listening.tcp.stopListening()
        listening.bound.close()
