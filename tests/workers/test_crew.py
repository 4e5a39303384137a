"""The crew: everybody serves the newest order, and whoever does not is replaced."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from ocizone import limits
from ocizone.endpoint import Endpoint
from ocizone.observe.counters import Counters
from ocizone.serve.sockets import Bound
from ocizone.workers.crew import Crew
from ocizone.workers.orders import Message
from ocizone.workers.reports import Counted, Refuses, Serves, octets_of, pieces_of
from tests.workers.fakes import FakeWorker

ONE, TWO = Endpoint("dns", "127.0.0.1", 53), Endpoint("tls", "127.0.0.1", 853)


class Site:
    def __init__(self) -> None:
        self.clock = Clock()
        self.started: list[FakeWorker] = []
        self.counters = Counters()
        self.cannot_start = False
        self.refusals = 0
        self.crew = Crew(self.clock, self._start, self.counters.add, self._refused)
        self.sockets: list[socket.socket] = []
        self.events: list[LogEvent] = []

    def _start(
        self, number: int, heard: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> FakeWorker:
        if self.cannot_start:
            raise OSError("no more processes")
        made = FakeWorker(number, 100 + len(self.started), heard, ended)
        self.started.append(made)
        return made

    def _refused(self) -> None:
        self.refusals += 1

    def bound(self, count: int, *, tls: bool = False) -> tuple[Bound, ...]:
        found = []
        for _ in range(count):
            pair = [socket.socket() for _ in range(1 if tls else 2)]
            self.sockets += pair
            found.append(Bound(None, pair[0]) if tls else Bound(pair[0], pair[1]))
        return tuple(found)

    def serving(self, count: int = 2) -> tuple[FakeWorker, ...]:
        """Return workers that serve their first order."""
        self.crew.serve(b"first", {ONE: self.bound(count)}, count)
        for worker in self.started:
            worker.serves()
        return tuple(self.started)

    def later(self, seconds: float) -> None:
        """Let time pass; workers that live say so."""
        for _ in range(int(seconds)):
            self.clock.advance(1)

    @property
    def said(self) -> list[str]:
        return [f"{one['log_format']} {one.get('why', one.get('how', ''))}" for one in self.events]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    observer: ILogObserver = made.events.append  # type: ignore[assignment]  # any callable will do
    globalLogPublisher.addObserver(observer)
    yield made
    globalLogPublisher.removeObserver(observer)
    for sock in made.sockets:
        sock.close()


# --- Orders ----------------------------------------------------------------------------------


def test_each_worker_gets_its_own_sockets_and_the_same_orders(site):
    """The first member of each group is the first worker's."""
    groups = {ONE: site.bound(2), TWO: site.bound(2, tls=True)}
    site.crew.serve(b"orders", groups, 2)
    one, two = site.started
    assert one.told == [Message(1, ((ONE, True), (TWO, False)), b"orders")] == two.told
    assert one.bound == [groups[ONE][0], groups[TWO][0]]
    assert two.bound == [groups[ONE][1], groups[TWO][1]]


def test_sockets_it_has_are_not_sent_again(site):
    """Only those of new addresses; one that is bound anew is new."""
    groups = {ONE: site.bound(1)}
    site.crew.serve(b"a", groups, 1)
    site.crew.serve(b"b", {**groups, TWO: site.bound(1, tls=True)}, 1)
    site.crew.serve(b"c", {ONE: site.bound(1)}, 1)
    (one,) = site.started
    assert [message.adopted for message in one.told] == [
        ((ONE, True),),
        ((TWO, False),),
        ((ONE, True),),
    ]


def test_more_sockets_than_a_message_takes_come_in_several(site):
    """SCM_MAX_FD; the orders are in the last one."""
    groups = {Endpoint("dns", "127.0.0.1", port): site.bound(1) for port in range(1, 301)}
    site.crew.serve(b"orders", groups, 1)
    (one,) = site.started
    assert [message.orders for message in one.told] == [None, None, b"orders"]
    assert len({at for message in one.told for at, _ in message.adopted}) == 300


def test_a_worker_may_be_started_before_there_are_orders(site):
    """It loads its modules while images are verified."""
    site.crew.resize(1)
    (one,) = site.started
    assert one.told == []
    site.crew.serve(b"orders", {ONE: site.bound(1)}, 1)
    assert site.started == [one]
    assert len(one.told) == 1


# --- Reaching everybody ----------------------------------------------------------------------


def test_settled_when_every_worker_serves_it(site):
    """Not before, and not by serving something older."""
    one, two = site.serving()
    site.crew.serve(b"second", {}, 2)
    fired: list[object] = []
    site.crew.settled().addCallback(fired.append)
    one.serves(2)
    two.says(octets_of(Serves(1, 1)))
    assert not fired
    two.serves(2)
    assert fired
    assert [state.generation for state in site.crew.states] == [2, 2]


def test_settled_at_once_where_nothing_is_to_come(site):
    """Also without workers."""
    site.crew.settled().addErrback(pytest.fail)
    site.serving()
    fired: list[object] = []
    site.crew.settled().addCallback(fired.append)
    assert fired


def test_settled_after_a_time_limit(site):
    """Somebody else reports who is late."""
    one, _ = site.serving()
    site.crew.serve(b"second", {}, 2)
    fired: list[object] = []
    site.crew.settled(3).addCallback(fired.append)
    one.serves()
    site.later(2)
    assert not fired
    site.later(1)
    assert fired


def test_a_worker_cannot_serve_what_it_was_not_told(site):
    """A number from the future counts as the newest it knows."""
    one, two = site.serving()
    for worker in (one, two):
        worker.says(octets_of(Serves(99, 1)))
    site.crew.serve(b"second", {}, 2)
    fired: list[object] = []
    site.crew.settled().addCallback(fired.append)
    assert not fired


# --- Replacing -------------------------------------------------------------------------------


def test_one_that_ends_is_replaced_at_once_with_everything(site):
    """All sockets, the newest orders."""
    one, _ = site.serving()
    site.crew.serve(b"second", {ONE: site.bound(2), TWO: site.bound(2, tls=True)}, 2)
    one.ends("killed by SIGKILL")
    site.clock.advance(0)
    new = site.started[-1]
    assert (new.number, new.told[-1].orders) == (1, b"second")
    assert [at for at, _ in new.told[-1].adopted] == [ONE, TWO]
    assert site.said == ["a worker ended killed by SIGKILL"]
    state = site.crew.states[0]
    assert (state.pid, state.up, state.generation, state.restarts) == (new.pid, False, 0, 1)


def test_one_that_ends_again_and_again_waits_longer_each_time(site):
    """And no longer than WORKER_PAUSE_MOST_S."""
    site.serving(1)
    pauses = []
    for _ in range(10):
        count = len(site.started)
        site.started[-1].ends("exit status 1")
        begun = site.clock.seconds()
        while len(site.started) == count:
            site.clock.advance(0.25)
        pauses.append(site.clock.seconds() - begun)
        site.started[-1].lives()
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert max(pauses) == pauses[-1] == limits.WORKER_PAUSE_MOST_S
    assert site.crew.states[0].failures == 10


def test_one_that_was_steady_is_replaced_at_once_again(site):
    """It ended for another reason."""
    site.serving(1)
    site.started[-1].ends("x")
    site.clock.advance(0)
    for _ in range(int(limits.WORKER_STEADY_S)):
        site.clock.advance(1)
        site.started[-1].serves()
    site.started[-1].ends("x")
    site.clock.advance(0)
    assert len(site.started) == 3
    assert site.crew.states[0].restarts == 2


def test_one_that_cannot_be_started_is_tried_again(site):
    """No process table is full for ever."""
    site.cannot_start = True
    site.crew.serve(b"x", {ONE: site.bound(1)}, 1)
    assert "no more processes" in site.said[0]
    site.cannot_start = False
    site.later(3)
    site.started[-1].serves()
    assert site.crew.states[0].up


@pytest.mark.parametrize("tells", [True, False])
def test_one_that_is_silent_is_killed(site, tells):
    """Stopped, or busy for ever; one that says it lives is left alone."""
    (one,) = site.serving(1)
    for _ in range(int(limits.WORKER_SILENT_S) + 1):
        if tells:
            one.lives()
        site.clock.advance(1)
    assert one.killed is not tells
    assert bool(site.said) is not tells


def test_one_that_does_not_do_what_it_was_told_is_killed(site):
    """Also one that says it lives."""
    one, two = site.serving()
    site.crew.serve(b"second", {}, 2)
    two.serves(2)
    for _ in range(int(limits.WORKER_SILENT_S) + 1):
        one.lives()
        two.lives()
        site.clock.advance(1)
    assert one.killed
    assert not two.killed
    assert site.said[0].endswith("it did not serve what it was told within 10 s")


def test_one_that_starts_has_longer(site):
    """It opens every image, on a machine that may be busy."""
    site.crew.serve(b"x", {ONE: site.bound(1)}, 1)
    (one,) = site.started
    site.later(limits.WORKER_START_S)
    assert not one.killed
    site.later(1)
    assert one.killed


def test_a_machine_that_slept_has_missed_one_look(site):
    """Whoever had no chance to say that it lives is not dead."""
    (one,) = site.serving(1)
    site.clock.advance(3600)
    assert not one.killed


def test_one_that_cannot_serve_is_killed_and_replaced(site):
    """With its reason in the log; whoever can mend an image is told."""
    (one,) = site.serving(1)
    site.crew.serve(b"second", {}, 1)
    one.says(octets_of(Refuses(2, "cannot open the image /x")))
    assert one.killed
    assert "cannot open the image /x" in site.said[0]
    assert site.refusals == 1
    one.ends("killed by SIGKILL")
    site.clock.advance(0)
    assert site.started[-1].told[-1].orders == b"second"


def test_one_that_talks_nonsense_is_killed(site):
    """Nothing it says is believed."""
    (one,) = site.serving(1)
    one.says(b'{"serves": "all"}')
    assert one.killed


# --- Counts ----------------------------------------------------------------------------------


def test_counts_of_all_are_summed_and_outlive_their_worker(site):
    """They never go back."""
    one, two = site.serving()
    for worker in (one, two):
        counted = Counters()
        counted.query("dns://:53", "org.", "udp", "1", 1, 0, 40, 80, 0.1, dnssec_ok=False)
        for piece in pieces_of(Counted(counted, 3, 0.5)):
            worker.says(piece)
    assert site.counters.by_rcode() == {"NOERROR": 2}
    assert [state.tcp_connections for state in site.crew.states] == [3, 3]
    one.ends("x")
    assert site.counters.by_rcode() == {"NOERROR": 2}
    assert [state.tcp_connections for state in site.crew.states] == [0, 3]


# --- How many --------------------------------------------------------------------------------


def test_more_are_started_and_others_stay(site):
    """Nobody is disturbed."""
    one, two = site.serving()
    site.crew.serve(b"second", {ONE: site.bound(3)}, 3)
    assert [worker.number for worker in site.started] == [1, 2, 3]
    assert not one.finished
    assert not two.finished


def test_fewer_end_by_themselves_and_are_not_replaced(site):
    """They answer what came in first; the last ones go."""
    one, two = site.serving()
    site.crew.resize(1)
    assert (one.finished, two.finished) == (False, True)
    two.lives()
    two.ends("it ended")
    site.clock.advance(0)
    assert len(site.started) == 2
    assert site.said == []
    assert [state.number for state in site.crew.states] == [1]


def test_one_that_does_not_end_in_time_is_killed(site):
    """A stopped one, for instance."""
    site.serving(1)
    site.crew.resize(0)
    site.clock.advance(limits.WORKER_STOP_S)
    assert site.started[0].killed
    site.started[0].ends("killed by SIGKILL")
    assert site.clock.getDelayedCalls() == [] or site.crew.states == ()


def test_stopping_waits_for_all(site):
    """Their last counts are heard."""
    one, two = site.serving()
    fired: list[object] = []
    site.crew.stop().addCallback(fired.append)
    one.ends("it ended")
    assert not fired
    two.ends("it ended")
    assert fired
    assert site.clock.getDelayedCalls() == []


def test_stopping_a_crew_of_nobody_is_done_at_once(site):
    """Also one whose workers could not be started."""
    site.cannot_start = True
    site.crew.serve(b"x", {ONE: site.bound(1)}, 1)
    fired: list[object] = []
    site.crew.stop().addCallback(fired.append)
    assert fired
    assert site.clock.getDelayedCalls() == []
