"""What answers: this process, or as many workers as ``multisocket`` says (RFC 1035 clients see none).

A part of the composition root (ocizone.app), apart because it is one idea. With one process this
is a thin cover of ocizone.answering. With more, this one owns the sockets and answers nothing:
each swap becomes orders for the workers. A reload may go from one to several and back: whoever
is to answer does before the others stop. Not here: what a worker does (workers.serving).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from ocizone.answering import Answering
from ocizone.endpoint import Endpoint
from ocizone.limits import WORKER_SETTLED_S
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.observe.workers import WorkerState
from ocizone.plan import Plan
from ocizone.plugins.errors import Errors
from ocizone.plugins.log import LogRule
from ocizone.plugins.multisocket import MultiSocket
from ocizone.plugins.tls import Tls
from ocizone.process import child_environment
from ocizone.serve.certificate import Material
from ocizone.serve.groups import Groups, SocketGroups, alone
from ocizone.serve.identities import Identities
from ocizone.serve.listeners import Sockets
from ocizone.workers.crew import Crew
from ocizone.workers.orders import Orders, Place, pack, to_octets
from ocizone.workers.spawn import Spawner


class Open(Protocol):
    """An open address, as it is told of."""

    @property
    def port(self) -> int:
        """The one it has, or was given by the system."""


@dataclass(frozen=True, slots=True)
class Told:
    """What workers are told of beside the plan, asked for when they are.

    Attributes:
        places: where each reader of an image is, by its ``id``.
        certificates: what each ``tls`` address is served with.
    """

    places: Callable[[], Mapping[int, Place]]
    certificates: Callable[[], Mapping[Endpoint, tuple[Tls, Material]]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sockets that are bound, and not answered on yet.

    Attributes:
        processes: that are to answer; 1 is this one.
        sockets: for this process.
        groups: for workers.
    """

    processes: int
    sockets: Sockets = field(default_factory=dict)
    groups: Groups = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surface:
    """What answering is done with.

    Attributes:
        query_line: writes a line of the query log; must not block.
        wall: unix seconds.
        descriptors: a process may have; None when that is not known to be few.
        environ: of this process.
        debug: workers log at debug level.
    """

    query_line: Callable[[str], None]
    wall: Callable[[], float]
    descriptors: int | None
    environ: Mapping[str, str]
    debug: bool


class Front:
    """Answers on every open address, by whomever. Reactor's thread."""

    def __init__(
        self,
        clock: Any,
        live: LiveZones,
        answering: Answering,
        crew: Crew,
        told: Told,
        cpus: int | None = None,
    ) -> None:
        """Make it; nothing is bound or started.

        Args:
            clock: for telling once of what happens at once.
            live: holds what is served.
            answering: of this process.
            crew: of workers.
            told: see Told.
            cpus: workers wanted by a ``multisocket`` without a number; None for those we may use.
        """
        self._clock = clock
        self._live = live
        self._answering = answering
        self._crew = crew
        self._told = told
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self._groups = SocketGroups()
        self._plan: Plan | None = None
        self._processes = 1
        self._telling: IDelayedCall | None = None
        self._waiting: list[Deferred[None]] = []

    @property
    def open(self) -> Mapping[Endpoint, Open]:
        """The open addresses."""
        if self._processes == 1:
            return self._answering.listeners.open
        return {at: members[0] for at, members in self._groups.open.items()}

    @property
    def workers(self) -> tuple[WorkerState, ...]:
        """How each worker is; empty when this process answers."""
        return self._crew.states

    @property
    def tcp_connections(self) -> int:
        """Open TCP clients, of all processes."""
        of_workers = sum(worker.tcp_connections for worker in self._crew.states)
        return self._answering.tcp_connections + of_workers

    @property
    def lag_s(self) -> float:
        """The worst delay of an event loop of late, of all processes."""
        return max(self._answering.lag_s, *(worker.lag_s for worker in self._crew.states), 0.0)

    # --- Moving ------------------------------------------------------------------------------

    def prepare(self, plan: Plan) -> Prepared:
        """Bind what a plan wants and is not open; nothing is answered on it yet.

        Raises:
            BindError: an address cannot be bound; nothing changed.
        """
        processes = processes_of(plan, self._cpus)
        listeners = self._answering.listeners
        if processes == 1 and self._processes == 1:
            return Prepared(1, sockets=listeners.prepare(plan.endpoints))
        single = {at: listening.bound for at, listening in listeners.open.items()}
        groups = self._groups.prepare(plan.endpoints, processes, single)
        if processes > 1:
            return Prepared(processes, groups=groups)
        # Workers drop out: what they listened on goes on in this process.
        sockets = {at: one[0].duplicate() for at, one in groups.items() if at not in single}
        return Prepared(1, sockets, groups)

    def discard(self, prepared: Prepared) -> None:
        """Close what ``prepare`` bound: it is not wanted after all."""
        self._answering.listeners.discard(prepared.sockets)
        self._groups.discard(prepared.groups)

    def warm_up(self, prepared: Prepared) -> None:
        """Start workers that will be wanted: they need a moment before they can answer."""
        if prepared.processes > 1:
            self._crew.resize(prepared.processes)

    def move_to(self, plan: Plan, prepared: Prepared) -> None:
        """Answer on what ``prepare`` bound, by as many processes as the plan wants."""
        before, self._processes = self._processes, prepared.processes
        self._plan = plan
        self._answering.watch(*watched(plan))
        if prepared.processes == 1:
            self._answering.move_to(plan.endpoints, prepared.sockets)
            if before > 1:
                # New groups among them: the listeners have descriptors of their own.
                self._groups.move_to(prepared.groups)
                self._groups.move_to({})
                self._crew.stop().addCallback(lambda _: self._leave_groups())
            return
        self._groups.move_to(prepared.groups)
        told = self.swapped()
        if before == 1 and self._answering.listeners.open:
            # Connections that are open are answered here to their end.
            told.addCallback(lambda _: self._step_back())

    def _leave_groups(self) -> None:
        if self._processes == 1:
            for listening in self._answering.listeners.open.values():
                alone(listening.bound)

    def _step_back(self) -> None:
        if self._processes > 1:
            self._answering.move_to((), {})

    def swapped(self) -> Deferred[None]:
        """Serve what is live, and the certificates, of now.

        The Deferred fires when every worker does; or when it was told of that one does not.
        """
        if self._processes == 1:
            return succeed(None)
        if self._telling is None:
            # Restoring, and a reload, swap several times in a row.
            self._telling = self._clock.callLater(0, self._tell)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def reached(self) -> Deferred[None]:
        """Fire when every worker serves what is live; or when it was told of that one does not."""
        if self._telling is not None:
            return self.swapped()
        return succeed(None) if self._processes == 1 else self._crew.settled(WORKER_SETTLED_S)

    def settled(self) -> Deferred[None]:
        """Fire when every worker serves what is live, however long that takes."""
        if self._processes == 1:
            return succeed(None)
        return self.swapped().addCallback(lambda _: self._crew.settled())

    def close(self) -> Deferred[None]:
        """Answer what came in, and close everything; fires when every worker ended."""
        self._answering.close()
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        # Nothing more comes in that nobody would answer.
        self._groups.move_to({})
        return self._crew.stop()

    def _tell(self) -> None:
        self._telling = None
        waiting, self._waiting = self._waiting, []
        if self._processes > 1 and self._plan is not None:
            self._crew.serve(
                to_octets(self._orders(self._plan)), self._groups.open, self._processes
            )
            done = self._crew.settled(WORKER_SETTLED_S)
        else:
            done = succeed(None)
        done.addCallback(_fire, waiting)

    def _orders(self, plan: Plan) -> Orders:
        rules, errors = watched(plan)
        return Orders(
            snapshot=pack(self._live.snapshot, self._told.places()),
            endpoints=plan.endpoints,
            certificates=self._told.certificates(),
            processes=self._processes,
            log=rules,
            errors=errors,
        )


def _fire(_: None, waiting: list[Deferred[None]]) -> None:
    for one in waiting:
        one.callback(None)


def make_front(
    reactor: Any,
    live: LiveZones,
    counters: Counters,
    identities: Identities,
    places: Callable[[], Mapping[int, Place]],
    surface: Surface,
    on_refusal: Callable[[], object],
) -> Front:
    """Return what answers, put together; nothing is bound or started.

    Args:
        reactor: of Twisted; it has every interface at once, which no type says.
        live: holds what is served.
        counters: count what happens, in every process.
        identities: know certificates.
        places: where each reader of an image is, by its ``id``.
        surface: see Surface.
        on_refusal: as Crew's ``refused``.
    """
    answering = Answering(
        reactor,
        live,
        counters,
        query_line=surface.query_line,
        wall=surface.wall,
        descriptors=surface.descriptors,
        certificate=identities.cell,
    )
    answering.lag.start()
    spawner = Spawner(reactor, child_environment(surface.environ), debug=surface.debug)
    crew = Crew(reactor, spawner, counters.add, on_refusal)
    return Front(reactor, live, answering, crew, Told(places, lambda: identities.materials))


def processes_of(plan: Plan, cpus: int) -> int:
    """Return how many processes a plan wants to answer: the most that any block asks for.

    Args:
        plan: of the Corefile.
        cpus: what a ``multisocket`` without a number asks for.
    """
    asked = [one.workers or cpus for view in plan.views for one in view.block.all(MultiSocket)]
    return max(asked, default=1)


def watched(plan: Plan) -> tuple[dict[str, tuple[LogRule, ...]], dict[str, Errors]]:
    """Return the rules of the query log, and who wants errors logged, by block name."""
    rules = {view.name: view.block.all(LogRule) for view in plan.views}
    errors = {view.name: view.block.get(Errors) for view in plan.views}
    return rules, {name: one for name, one in errors.items() if one is not None}
