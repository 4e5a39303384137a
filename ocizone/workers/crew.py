"""As many workers as are wanted, each serving the newest order: started, watched, replaced.

A worker that ends is started again at once, one that ends again and again after ever longer
pauses. One that does not do what it was told in time, or gives no sign of life, is killed: its
sockets are ours, and what the kernel queues in them waits for the next one. Not here: how a
process is started (workers.spawn), and what it is told (workers.orders).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ocizone import limits
from ocizone.endpoint import Endpoint
from ocizone.observe.counters import Counters
from ocizone.observe.workers import WorkerState
from ocizone.serve.sockets import Bound
from ocizone.workers.channel import MOST_SOCKETS
from ocizone.workers.orders import Message, to_octets
from ocizone.workers.reports import Counted, Refuses, Serves, read

log = Logger(namespace="ocizone")


class Process(Protocol):
    """A worker that was started."""

    @property
    def pid(self) -> int:
        """Its number."""

    def send(self, payload: bytes, bound: Iterable[Bound] = ()) -> None:
        """Send a frame, with sockets."""

    def finish(self) -> None:
        """Let it end by itself."""

    def kill(self) -> None:
        """End it now."""


#: Starts the worker of a number, and tells what it says and, once, how it ended; raises OSError.
Start = Callable[[int, Callable[[bytes], None], Callable[[str], None]], Process]


@dataclass(slots=True, eq=False)
class _Worker:
    """One place in the crew, whoever is in it."""

    number: int
    process: Process | None = None
    started: float = 0.0
    has: dict[Endpoint, Bound] = field(default_factory=dict)
    told: int = 0
    does: int = 0
    generation: int = 0
    looks_silent: int = 0
    looks_late: int = 0
    failures: int = 0
    restarts: int = 0
    leaving: bool = False
    pause: IDelayedCall | None = None
    last: Counted = field(default_factory=Counted)
    gone: list[Deferred[None]] = field(default_factory=list)


class Crew:
    """The workers of one server. Reactor's thread."""

    def __init__(
        self,
        clock: IReactorTime,
        start: Start,
        counted: Callable[[Counters], None],
        refused: Callable[[], object],
    ) -> None:
        """Make it; nobody is started before ``resize``.

        Args:
            clock: for pauses and limits.
            start: see Start.
            counted: given what workers counted, each count once.
            refused: told when a worker cannot serve what it was told: an image is gone from the
                disk, or damaged. Whoever is started next is told the same.
        """
        self._clock = clock
        self._start = start
        self._counted = counted
        self._refused = refused
        self._workers: dict[int, _Worker] = {}
        self._leaving: set[_Worker] = set()
        self._order = 0
        self._orders = b""
        self._groups: Mapping[Endpoint, tuple[Bound, ...]] = {}
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._looking: IDelayedCall | None = None

    @property
    def states(self) -> tuple[WorkerState, ...]:
        """How each worker is, by number."""
        return tuple(
            WorkerState(
                number=one.number,
                pid=None if one.process is None else one.process.pid,
                generation=one.generation,
                up=one.process is not None and one.does > 0,
                restarts=one.restarts,
                failures=one.failures,
                tcp_connections=one.last.tcp_connections,
                lag_s=one.last.lag_s,
            )
            for one in self._workers.values()
        )

    def resize(self, count: int) -> None:
        """Have so many workers; those that are too many answer what came in, and end."""
        for number in [number for number in self._workers if number > count]:
            self._let_go(self._workers.pop(number))
        for number in range(1, count + 1):
            if number not in self._workers:
                self._workers[number] = _Worker(number)
                self._fill(self._workers[number])
        if self._looking is None and self._workers:
            self._looking = self._clock.callLater(limits.WORKER_LOOK_S, self._look)
        self._settle()

    def serve(
        self, orders: bytes, groups: Mapping[Endpoint, tuple[Bound, ...]], count: int
    ) -> None:
        """Have so many workers, and every one serve this.

        Args:
            orders: packed (workers.orders.Orders).
            groups: the sockets of each address, a member for each worker. They stay the
                caller's, and open as long as workers may be started.
            count: of workers.
        """
        self._order += 1
        self._orders, self._groups = orders, groups
        self.resize(count)
        for worker in self._workers.values():
            self._tell(worker)

    def settled(self, limit_s: float | None = None) -> Deferred[None]:
        """Fire when every worker serves what was told last, or after so many seconds."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((self._order, waiting))
        self._settle()
        if limit_s is not None:
            waiting.addTimeout(limit_s, self._clock, lambda *_: None)
        return waiting

    def stop(self) -> Deferred[None]:
        """Have every worker answer what came in, and end; fire when all have."""
        self.resize(0)
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        ended: list[Deferred[None]] = []
        for worker in self._leaving:
            gone: Deferred[None] = Deferred()
            worker.gone.append(gone)
            ended.append(gone)
        return DeferredList(ended).addCallback(lambda _: None) if ended else succeed(None)

    # --- One worker --------------------------------------------------------------------------

    def _fill(self, worker: _Worker) -> None:
        worker.pause = None
        worker.has, worker.told, worker.does = {}, 0, 0
        worker.looks_silent = worker.looks_late = worker.generation = 0
        worker.started = self._clock.seconds()
        try:
            worker.process = self._start(
                worker.number,
                lambda said: self._heard(worker, said),
                lambda how: self._ended(worker, how),
            )
        except OSError as error:
            self._ended(worker, f"it cannot be started: {error}")
            return
        self._tell(worker)

    def _tell(self, worker: _Worker) -> None:
        if worker.process is None or not self._order or worker.told == self._order:
            return
        mine = {at: members[worker.number - 1] for at, members in self._groups.items()}
        new = [(at, bound) for at, bound in mine.items() if worker.has.get(at) is not bound]
        *first, last = _pieces(new)
        for piece in first:
            self._send(worker.process, piece, None)
        self._send(worker.process, last, self._orders)
        worker.has, worker.told = mine, self._order
        worker.looks_late = 0

    def _send(
        self, process: Process, piece: Sequence[tuple[Endpoint, Bound]], orders: bytes | None
    ) -> None:
        adopted = tuple((at, bound.datagram is not None) for at, bound in piece)
        message = Message(self._order, adopted, orders)
        process.send(to_octets(message), [bound for _, bound in piece])

    def _heard(self, worker: _Worker, said: bytes) -> None:
        worker.looks_silent = 0
        try:
            report = read(said)
        except ValueError as error:
            self._kill(worker, str(error))
            return
        match report:
            case Serves():
                worker.does = max(worker.does, min(report.order, worker.told))
                worker.generation = report.generation
                self._settle()
            case Refuses():
                self._kill(worker, f"it cannot serve: {report.reason}")
                self._refused()
            case Counted():
                worker.last = report
                self._counted(report.counters)

    def _ended(self, worker: _Worker, how: str) -> None:
        worker.process = None
        worker.last = Counted()
        if worker.leaving:
            self._leaving.discard(worker)
            if worker.pause is not None:
                worker.pause.cancel()
            for gone in worker.gone:
                gone.callback(None)
            return
        steady = self._clock.seconds() - worker.started >= limits.WORKER_STEADY_S
        worker.failures = 0 if steady else worker.failures
        pause_s = 0.0
        if worker.failures:
            pause_s = limits.WORKER_PAUSE_S * 2.0 ** min(worker.failures - 1, 16)
            pause_s = min(pause_s, limits.WORKER_PAUSE_MOST_S)
        worker.failures += 1
        worker.restarts += 1
        log.error("a worker ended", worker=worker.number, how=how, again_in=f"{pause_s:g}s")
        # Never from here: starting may fail at once, again and again.
        worker.pause = self._clock.callLater(pause_s, self._fill, worker)

    def _kill(self, worker: _Worker, why: str) -> None:
        if worker.process is not None:
            log.error("a worker is killed", worker=worker.number, why=why)
            worker.process.kill()

    def _let_go(self, worker: _Worker) -> None:
        if worker.process is None:
            if worker.pause is not None:
                worker.pause.cancel()
            return
        worker.leaving = True
        self._leaving.add(worker)
        worker.pause = self._clock.callLater(limits.WORKER_STOP_S, self._too_late, worker)
        worker.process.finish()

    def _too_late(self, worker: _Worker) -> None:
        worker.pause = None
        self._kill(worker, f"it did not end within {limits.WORKER_STOP_S:g} s")

    # --- All of them -------------------------------------------------------------------------

    def _look(self) -> None:
        self._looking = self._clock.callLater(limits.WORKER_LOOK_S, self._look)
        for worker in self._workers.values():
            if worker.process is None:
                continue
            worker.looks_silent += 1
            worker.looks_late += worker.does < worker.told
            fresh = not worker.does
            most_s = limits.WORKER_START_S if fresh else limits.WORKER_SILENT_S
            if worker.looks_late * limits.WORKER_LOOK_S > most_s:
                self._kill(worker, f"it did not serve what it was told within {most_s:g} s")
            elif worker.looks_silent * limits.WORKER_LOOK_S > most_s:
                self._kill(worker, f"it gave no sign of life for {most_s:g} s")

    def _settle(self) -> None:
        done = min((one.does for one in self._workers.values()), default=self._order)
        fired = [waiting for order, waiting in self._waiting if order <= done]
        self._waiting = [one for one in self._waiting if one[0] > done and not one[1].called]
        for waiting in fired:
            if not waiting.called:
                waiting.callback(None)


def _pieces(
    new: Sequence[tuple[Endpoint, Bound]],
) -> Iterator[Sequence[tuple[Endpoint, Bound]]]:
    """Yield as many addresses at a time as one message has room for; at least once."""
    step = MOST_SOCKETS // 2
    for start in range(0, len(new), step) if new else (0,):
        yield new[start : start + step]
