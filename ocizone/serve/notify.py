"""NOTIFY: secondaries are told of new versions, again until they answer (RFC 1996).

Sent in the background at a bounded rate; what is told for the first time goes ahead of what is
told again, so that a dead secondary holds up no other. A newer version of a zone takes the
place of an older one that is not acknowledged yet. Not here: which zones changed, and the
messages (answer.announce).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from ipaddress import ip_address
from itertools import count
from typing import Any, Literal, Protocol

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from ocizone import limits
from ocizone.answer.announce import Announcement, acknowledged
from ocizone.wire.tsig import Verifier

log = Logger(namespace="ocizone")

#: ``rejected`` was answered with an error, ``superseded`` gave way to a newer version.
Result = Literal["acknowledged", "rejected", "unanswered", "superseded"]

#: Seconds between bursts: short beside what a NOTIFY takes to be noticed.
_BURST_S = 0.02
#: A secondary that is told of one change after another is complained about so often.
_TELL_S = 60.0
_PER_BURST = max(1, int(limits.NOTIFY_PER_S * _BURST_S))


#: Announcements taken in one turn of the reactor: 0.6 ms.
_TAKEN = 64


class _End(Enum):
    """Stands behind the last announcement of a source."""

    END = 0


_END = _End.END


class Reactor(Protocol):
    """The parts of a reactor that sending takes."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *args: Any) -> IDelayedCall:  # noqa: N802 - the reactor's name
        """Call later."""

    def seconds(self) -> float:
        """Return a time that only moves forward."""

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Any:  # noqa: N802 - the reactor's name
        """Open a datagram port."""


class Notifier:
    """Sends announcements until they are acknowledged or given up."""

    def __init__(
        self,
        reactor: Reactor,
        *,
        wall: Callable[[], float],
        random_id: Callable[[], int],
        counted: Callable[[Result], None],
    ) -> None:
        """Make it; nothing is opened before there is something to send.

        Args:
            reactor: of Twisted.
            wall: unix seconds; signatures carry them.
            random_id: a message id nobody can guess.
            counted: told of each result.
        """
        self._reactor = reactor
        self._wall = wall
        self._random_id = random_id
        self._counted = counted
        self._pending: dict[tuple[bytes, tuple[str, int]], _Told] = {}
        self._fresh: deque[_Told] = deque()
        self._again: list[tuple[float, int, _Told]] = []
        self._order = count()
        self._asked: dict[tuple[str, int, int], _Told] = {}
        self._waiting: Counter[tuple[str, int]] = Counter()
        self._failed: dict[tuple[str, int], _Failed] = {}
        self._ports: dict[str, Any] = {}
        self._timer: IDelayedCall | None = None
        self._sources: deque[Iterator[Announcement | None]] = deque()
        self._taking: IDelayedCall | None = None

    def announce(self, announcements: Iterable[Announcement | None]) -> None:
        """Tell secondaries; returns at once.

        Args:
            announcements: taken a few at a time; a None lets others have their turn.
        """
        self._sources.append(iter(announcements))
        if self._taking is None:
            self._take()

    def _take(self) -> None:
        """Take announcements from their sources, as many as nobody notices."""
        self._taking = None
        for _ in range(_TAKEN):
            if not self._sources:
                break
            announcement = next(self._sources[0], _END)
            if announcement is None:
                break
            if isinstance(announcement, _End):
                self._sources.popleft()
            else:
                self._add(_Told(announcement))
        if self._sources:
            self._taking = self._reactor.callLater(0, self._take)
        self._schedule(0.0)

    def _add(self, told: _Told) -> None:
        older = self._pending.get(told.key)
        if older is not None:
            self._end(older, "superseded")
        self._pending[told.key] = told
        self._waiting[told.announcement.to] += 1
        self._fresh.append(told)

    def stop(self) -> None:
        """Forget everything and close the ports."""
        for timer in (self._timer, self._taking):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._taking = None
        self._sources.clear()
        self._pending.clear()
        self._asked.clear()
        self._waiting.clear()
        self._close_ports()

    # --- Sending -------------------------------------------------------------------------------

    def _schedule(self, delay: float) -> None:
        """Send in ``delay`` seconds at the latest, while there is something to send."""
        if self._timer is None or not self._timer.active():
            if self._pending:
                self._timer = self._reactor.callLater(delay, self._burst)
        elif self._timer.getTime() > self._reactor.seconds() + delay:
            self._timer.reset(delay)

    def _burst(self) -> None:
        now = self._reactor.seconds()
        for _ in range(_PER_BURST):
            told = self._next(now)
            if told is None:
                break
            if told.tries == limits.NOTIFY_ATTEMPTS:
                self._fail(told, "unanswered", f"no answer to {told.tries}")
            else:
                self._send(told, now)
        if self._fresh:
            self._schedule(_BURST_S)
        elif self._again:
            self._schedule(max(_BURST_S, self._again[0][0] - now))

    def _next(self, now: float) -> _Told | None:
        """Return what to send next, the first tries ahead of others; None when nothing is due."""
        while self._fresh or (self._again and self._again[0][0] <= now):
            told = self._fresh.popleft() if self._fresh else heappop(self._again)[2]
            if self._pending.get(told.key) is told:
                return told
        return None

    def _send(self, told: _Told, now: float) -> None:
        host, port = told.announcement.to
        if told.ident is None:
            told.ident = self._new_id(host, port)
            self._asked[host, port, told.ident] = told
        wire, verifier = told.announcement.request(told.ident, int(self._wall()))
        if verifier is not None:
            told.verifiers.append(verifier)
        try:
            self._port(told.announcement).write(wire, (host, port))
        except (OSError, CannotListenError) as error:
            # No route now may be one in a second.
            told.error = str(error)
        wait = limits.NOTIFY_FIRST_WAIT_S * 2**told.tries
        told.tries += 1
        heappush(self._again, (now + wait, next(self._order), told))

    def _new_id(self, host: str, port: int) -> int:
        while True:
            ident = self._random_id()
            if (host, port, ident) not in self._asked:
                return ident

    def _port(self, announcement: Announcement) -> Any:
        """Return the transport to send through, opened now if need be."""
        interface = announcement.source or ("::" if ":" in announcement.to[0] else "")
        if interface not in self._ports:
            self._ports[interface] = self._reactor.listenUDP(
                0, _Answers(self._received), interface=interface
            )
        return self._ports[interface]

    def _close_ports(self) -> None:
        for port in self._ports.values():
            port.stopListening()
        self._ports.clear()

    # --- Answers -------------------------------------------------------------------------------

    def _received(self, packet: bytes, host: str, port: int) -> None:
        """Take an answer: from who was asked, with the id and the signature it must have."""
        answer = acknowledged(packet)
        if answer is None:
            return
        told = self._asked.get((str(ip_address(host.partition("%")[0])), port, answer.ident))
        if told is None:
            return
        if told.announcement.key is not None and not told.verified(packet, int(self._wall())):
            # Anybody may have sent it: it ends nothing, but tells more than silence would.
            told.error = f"answered {answer.error}, not signed with the key"
            return
        if answer.rcode:
            self._fail(told, "rejected", f"answered {answer.error}")
        else:
            self._end(told, "acknowledged")

    def _fail(self, told: _Told, result: Result, reason: str) -> None:
        to, now = told.announcement.to, self._reactor.seconds()
        failed = self._failed.get(to)
        if failed is None:
            failed = self._failed[to] = _Failed(now, told.announcement.zone, told.error or reason)
        failed.zones += 1
        self._end(told, result)
        if now - failed.since >= _TELL_S:
            self._tell_failures(to)

    def _end(self, told: _Told, result: Result) -> None:
        to = told.announcement.to
        del self._pending[told.key]
        if told.ident is not None:
            del self._asked[*to, told.ident]
        self._counted(result)
        self._waiting[to] -= 1
        if not self._waiting[to]:
            del self._waiting[to]
            self._tell_failures(to)
        if not self._pending:
            # Stale entries go with it, and the next burst leaves from another port.
            self._fresh.clear()
            self._again.clear()
            self._close_ports()

    def _tell_failures(self, to: tuple[str, int]) -> None:
        """Log what a secondary did not take, in one line whatever the number of zones."""
        failed = self._failed.pop(to, None)
        if failed is not None:
            log.warn(
                "secondary not notified",
                to=f"{to[0]} port {to[1]}",
                zones=failed.zones,
                first=failed.zone,
                reason=failed.reason,
            )


@dataclass(slots=True)
class _Failed:
    """What a secondary did not take since it was last told about."""

    since: float
    zone: str
    reason: str
    zones: int = 0


class _Told:
    """An announcement under way.

    Attributes:
        ident: its message id, once it was sent.
        tries: how often it was sent.
        verifiers: of each try, when it is signed: the answer to any of them will do.
        error: why it could not be sent, the last time.
    """

    __slots__ = ("announcement", "error", "ident", "tries", "verifiers")

    def __init__(self, announcement: Announcement) -> None:
        self.announcement = announcement
        self.ident: int | None = None
        self.tries = 0
        self.verifiers: list[Verifier] = []
        self.error = ""

    @property
    def key(self) -> tuple[bytes, tuple[str, int]]:
        """What a newer announcement replaces it by."""
        return self.announcement.apex, self.announcement.to

    def verified(self, packet: bytes, now: int) -> bool:
        """Tell whether an answer is signed with the key that was used."""
        return any(verifier.verify(packet, now) for verifier in self.verifiers)


class _Answers(DatagramProtocol):
    """Hands every datagram on."""

    def __init__(self, received: Callable[[bytes, str, int], None]) -> None:
        self._received = received

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:  # noqa: N802 - the protocol interface
        """Hand it on."""
        self._received(datagram, addr[0], addr[1])
