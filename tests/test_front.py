"""Who answers: this process or workers, and nobody notices when that changes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.interfaces import IListeningPort
from twisted.internet.tcp import Port as TcpPort

from ocizone.answer.blocks import Snapshot
from ocizone.answering import Answering
from ocizone.front import Front, Prepared, Told, processes_of, watched
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.plan import Plan
from ocizone.serve.sockets import BindError
from ocizone.workers.crew import Crew
from ocizone.workers.orders import Orders, Unpacker, read
from ocizone.workers.reports import Serves, octets_of
from tests.polling import PolledReactor
from tests.ports import free_port
from tests.test_plan import plan_of
from tests.workers.fakes import FakeWorker


class Reactor(PolledReactor):
    def adoptStreamPort(self, fd: int, family: int, factory: object) -> IListeningPort:
        port: IListeningPort = TcpPort._fromListeningDescriptor(self, fd, family, factory)
        port.startListening()
        return port


class Site:
    def __init__(self) -> None:
        self.reactor = Reactor()
        self.live = LiveZones(Snapshot(5, {}))
        self.started: list[FakeWorker] = []
        counters = Counters()
        self.answering = Answering(
            self.reactor,
            self.live,
            counters,
            query_line=lambda _: None,
            wall=lambda: 0.0,
            descriptors=None,
            certificate=lambda _: pytest.fail("no TLS here"),
        )
        self.crew = Crew(self.reactor, self._start, counters.add, pytest.fail)
        told = Told(places=dict, certificates=dict)
        self.front = Front(self.reactor, self.live, self.answering, self.crew, told, cpus=3)
        self.port = free_port()

    def _start(
        self, number: int, heard: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> FakeWorker:
        self.started.append(FakeWorker(number, 100 + len(self.started), heard, ended))
        return self.started[-1]

    def plan(self, line: str = "", port: int = 0) -> Plan:
        return plan_of(f"org:{port or self.port} {{\nbind 127.0.0.1\nwhoami\n{line}\n}}")

    def move(self, line: str = "", port: int = 0) -> Prepared:
        plan = self.plan(line, port)
        prepared = self.front.prepare(plan)
        self.front.move_to(plan, prepared)
        self.reactor.advance(0)
        return prepared

    def all_serve(self) -> None:
        for worker in self.started:
            worker.says(octets_of(Serves(worker.told[-1].number, 5)))

    @property
    def orders(self) -> list[Orders]:
        """What the first worker was told."""
        found = [one.orders for one in self.started[0].told]
        return [read(one) for one in found if one is not None]

    def in_group(self) -> bool:
        """Tell whether the port is held by a group, and by us at all."""
        (bound,) = self.front.open.values()
        stream = getattr(bound, "stream", None) or bound.bound.stream  # type: ignore[attr-defined]  # of a Listening
        return bool(stream.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.front.close()
    for worker in made.started:
        worker.ends("")
    made.reactor.settle()


@pytest.mark.parametrize(
    ("text", "processes"),
    [
        ("org {\nwhoami\n}", 1),
        ("org {\nmultisocket 1\n}", 1),
        ("org {\nmultisocket\n}", 3),
        ("org {\nmultisocket 2\n}\nnet {\nmultisocket 5\n}\ncom {\n}", 5),
    ],
)
def test_how_many_processes(text, processes):
    """The most that any block asks for; one a core without a number."""
    assert processes_of(plan_of(text), 3) == processes


def test_what_is_watched():
    """By block name; those without `errors` are left out."""
    rules, errors = watched(plan_of("org {\nlog\nerrors\n}\nnet {\n}"))
    assert [len(found) for found in rules.values()] == [1, 0]
    assert list(errors) == ["dns://org.:53"]


def test_one_process_answers_itself(site):
    """No worker, no group; every swap is reached at once."""
    site.move()
    assert site.started == []
    assert not site.in_group()
    assert [open_.port for open_ in site.front.open.values()] == [site.port]
    for fired in (site.front.swapped(), site.front.reached(), site.front.settled()):
        assert fired.called
    assert (site.front.workers, site.front.tcp_connections) == ((), 0)
    assert site.front.lag_s >= 0


def test_workers_are_told_once_of_all_that_happens_at_once(site):
    """A reload swaps several times in a row."""
    site.move("multisocket 2")
    site.all_serve()
    fired: list[int] = []
    for number in range(3):
        site.live.snapshot = Snapshot(6 + number, {})
        site.front.swapped().addCallback(lambda _, number=number: fired.append(number))
    assert len(site.orders) == 1
    site.reactor.advance(0)
    assert len(site.orders) == 2
    assert Unpacker(lambda _: {}).unpack(site.orders[1].snapshot).generation == 8
    assert fired == []
    site.all_serve()
    assert fired == [0, 1, 2]


def test_reached_tells_when_what_is_live_is_served(site):
    """Also of orders that are on their way; settled waits however long it takes."""
    site.move("multisocket 2")
    waiting = [site.front.reached(), site.front.settled()]
    site.reactor.advance(0)
    assert not any(one.called for one in waiting)
    site.all_serve()
    assert waiting[0].called
    site.reactor.advance(0)
    site.all_serve()
    assert waiting[1].called
    assert site.front.reached().called
    site.front.swapped()
    later = site.front.reached()
    assert not later.called
    site.reactor.advance(0)
    site.all_serve()
    assert later.called


def test_reached_gives_up_in_time(site):
    """Who is late is told of in the log."""
    site.move("multisocket 2")
    reached = site.front.reached()
    site.reactor.advance(60)
    assert reached.called


def test_workers_may_be_warm_before_they_are_needed(site):
    """Started when sockets are bound; one process needs none."""
    plan = site.plan("multisocket 2")
    prepared = site.front.prepare(plan)
    site.front.warm_up(prepared)
    assert len(site.started) == 2
    site.front.discard(prepared)
    other = site.front.prepare(site.plan("multisocket 1"))
    site.front.warm_up(other)
    assert len(site.started) == 2
    site.front.discard(other)


def test_one_process_steps_back_when_workers_answer(site):
    """Not before: the port is answered on all the time."""
    site.move()
    site.move("multisocket 2")
    assert site.in_group()
    assert site.answering.listeners.open
    site.all_serve()
    assert not site.answering.listeners.open
    assert [bound.port for bound in site.front.open.values()] == [site.port]


def test_workers_that_are_not_wanted_any_more_before_they_answer(site):
    """Back to one process: it goes on as if nothing had been."""
    site.move()
    site.move("multisocket 2")
    site.move()
    site.all_serve()
    assert site.answering.listeners.open
    assert [worker.finished for worker in site.started] == [True, True]


def test_one_process_takes_over_from_workers(site):
    """On the same sockets; nobody else may share the port then."""
    site.move("multisocket 2")
    site.all_serve()
    site.move()
    assert site.answering.listeners.open
    assert [worker.finished for worker in site.started] == [True, True]
    for worker in site.started:
        worker.ends("it ended")
    site.started.clear()
    assert not site.in_group()


def test_more_and_fewer_workers(site):
    """Each has a member of the group; who is let go loses it."""
    for count in (2, 4, 3):
        prepared = site.move(f"multisocket {count}")
        site.all_serve()
        assert [len(members) for members in prepared.groups.values()] == [count]
    assert [worker.number for worker in site.started] == [1, 2, 3, 4]
    assert [worker.finished for worker in site.started] == [False, False, False, True]
    assert site.orders[-1].processes == 3


def test_a_port_that_is_taken_changes_nothing(site):
    """Neither for one process nor for workers."""
    other = Site()
    other.move("multisocket 2")
    for line in ("", "multisocket 2"):
        site.move(line)
        with pytest.raises(BindError):
            site.front.prepare(site.plan(line, port=other.port))
        assert [bound.port for bound in site.front.open.values()] == [site.port]
    other.front.close()


@pytest.mark.parametrize(("before", "after"), [("", "multisocket 2"), ("multisocket 2", "")])
def test_what_is_discarded_leaves_all_as_it_was(site, before, after):
    """A reload that something else refuses."""
    site.move(before)
    site.all_serve()
    site.front.discard(site.front.prepare(site.plan(after, port=free_port())))
    site.front.discard(site.front.prepare(site.plan(after)))
    assert site.in_group() is bool(before)
    assert [bound.port for bound in site.front.open.values()] == [site.port]


def test_closing_tells_workers_to_end_and_waits(site):
    """Also when they were to be told of something."""
    site.move("multisocket 2")
    site.front.swapped()
    closed = site.front.close()
    assert not closed.called
    for worker in site.started:
        worker.ends("it ended")
    assert closed.called
    site.started.clear()
