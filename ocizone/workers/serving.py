"""What one worker does: answer, as it is told, and tell what it serves and counted.

Everything it is told is done before it is acknowledged; what cannot be done changes nothing. Its
supervisor's end is its own: it answers what came in, tells its last counts, and ends. Not here:
the process (workers.__main__).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from OpenSSL import SSL
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ocizone import limits
from ocizone.endpoint import Endpoint
from ocizone.errors import StoreError
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.plugins.errors import Errors
from ocizone.plugins.log import LogRule
from ocizone.plugins.tls import Tls
from ocizone.serve.certificate import CertificateError, Material, identity_of
from ocizone.serve.identities import Cell
from ocizone.serve.sockets import Bound
from ocizone.workers.orders import Message, Orders, Unpacker, read
from ocizone.workers.reports import Counted, Refuses, Serves, octets_of, pieces_of

log = Logger(namespace="ocizone")


class Says(Protocol):
    """The way to the supervisor."""

    def send(self, payload: bytes, sockets: Iterable[socket.socket] = ()) -> None:
        """Send a frame."""


class Answers(Protocol):
    """What answers, and watches itself doing so (ocizone.answering)."""

    @property
    def counters(self) -> Counters:
        """What it counts."""

    @property
    def tcp_connections(self) -> int:
        """Open TCP clients."""

    @property
    def lag_s(self) -> float:
        """The worst delay of the event loop of late."""

    def watch(self, rules: Mapping[str, tuple[LogRule, ...]], errors: Mapping[str, Errors]) -> None:
        """Log what blocks want logged."""

    def share_among(self, processes: int) -> None:
        """Have one of so many shares of the limits of a server."""

    def move_to(self, wanted: Iterable[Endpoint], bound: dict[Endpoint, Bound]) -> None:
        """Answer on these sockets, too, and on nothing that is not wanted."""

    def close(self) -> None:
        """Answer what came in, and nothing more."""


class Certificates:
    """What each ``tls`` address is served with."""

    def __init__(self) -> None:
        self._cells: dict[Endpoint, Cell] = {}

    def cell(self, endpoint: Endpoint) -> Cell:
        """Return what serves an address; it stays the same while its content changes."""
        return self._cells[endpoint]

    def move_to(self, wanted: Mapping[Endpoint, tuple[Tls, Material]]) -> None:
        """Serve these addresses with this.

        Raises:
            CertificateError: OpenSSL refuses one; nothing changed.
        """
        made = {
            endpoint: identity_of(tls, material)
            for endpoint, (tls, material) in wanted.items()
            if not self._serves(endpoint, material)
        }
        for endpoint, identity in made.items():
            self._cells.setdefault(endpoint, Cell(identity)).identity = identity
        self._cells = {endpoint: self._cells[endpoint] for endpoint in wanted}

    def _serves(self, endpoint: Endpoint, material: Material) -> bool:
        cell = self._cells.get(endpoint)
        return cell is not None and cell.identity.material == material


class Serving:
    """One worker's work. Reactor's thread."""

    def __init__(
        self,
        clock: IReactorTime,
        says: Says,
        answers: Answers,
        live: LiveZones,
        certificates: Certificates,
        unpacker: Unpacker,
    ) -> None:
        """Make it.

        Args:
            clock: for reports.
            says: to the supervisor.
            answers: on sockets.
            live: where the snapshot is put.
            certificates: that ``answers`` asks.
            unpacker: opens images.
        """
        self._clock = clock
        self._says = says
        self._answers = answers
        self._live = live
        self._certificates = certificates
        self._unpacker = unpacker
        self._adopted: dict[Endpoint, Bound] = {}
        self._timer: IDelayedCall | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._spent_s = 0.0
        self.report()

    def told(self, payload: bytes, sockets: list[socket.socket]) -> None:
        """Do what the supervisor says."""
        message: Message = read(payload)
        coming = iter(sockets)
        for endpoint, has_datagrams in message.adopted:
            datagram = next(coming) if has_datagrams else None
            self._adopted[endpoint] = Bound(datagram, next(coming))
        if message.orders is None:
            return
        try:
            self._obey(read(message.orders))
        except (StoreError, CertificateError, SSL.Error) as error:
            self._says.send(octets_of(Refuses(message.number, str(error))))
            return
        generation = self._live.snapshot.generation
        self._says.send(octets_of(Serves(message.number, generation)))

    def _obey(self, orders: Orders) -> None:
        snapshot = self._unpacker.unpack(orders.snapshot)
        self._certificates.move_to(orders.certificates)
        bound, self._adopted = self._adopted, {}
        self._answers.share_among(orders.processes)
        self._answers.watch(orders.log, orders.errors)
        self._live.snapshot = snapshot
        self._answers.move_to(orders.endpoints, bound)

    def report(self) -> None:
        """Tell what was counted, and go on telling now and then."""
        begun = self._clock.seconds()
        self._pieces = pieces_of(self._taken())
        self._spent_s = self._clock.seconds() - begun
        self._say()

    def end(self) -> None:
        """Answer what came in, and tell the last counts: nobody tells us anything any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._answers.close()
        for piece in (*self._pieces, *pieces_of(self._taken())):
            self._says.send(piece)

    def _taken(self) -> Counted:
        answers = self._answers
        return Counted(answers.counters.take(), answers.tcp_connections, answers.lag_s)

    def _say(self) -> None:
        """Send one piece; between two of them queries are answered."""
        begun = self._clock.seconds()
        piece = next(self._pieces, None)
        if piece is not None:
            self._says.send(piece)
        self._spent_s += self._clock.seconds() - begun
        if piece is not None:
            self._timer = self._clock.callLater(0, self._say)
            return
        wait_s = max(limits.WORKER_REPORT_S, self._spent_s / limits.WORKER_REPORT_SHARE)
        self._timer = self._clock.callLater(min(wait_s, limits.WORKER_REPORT_MOST_S), self.report)
