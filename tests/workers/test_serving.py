"""What one worker does when it is told, and what it says."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from twisted.internet.task import Clock

from ocizone import limits
from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.endpoint import Endpoint
from ocizone.errors import StoreError
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.plugins.tls import Tls
from ocizone.serve.certificate import Material, read_identity
from ocizone.serve.sockets import Bound
from ocizone.workers.orders import Message, Orders, Unpacker, pack, to_octets
from ocizone.workers.reports import Counted, Refuses, Serves, read
from ocizone.workers.serving import Certificates, Serving
from tests.certificates import self_signed
from tests.servedzones import FakeImage
from tests.zonebuilder import block
from tests.zonebuilder import snapshot as snapshot_of

ONE, SECURE = Endpoint("dns", "127.0.0.1", 53), Endpoint("tls", "127.0.0.1", 853)


class FakeAnswers:
    """What answers, as far as a worker moves it."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.tcp_connections = 3
        self.lag_s = 0.5
        self.open: dict[Endpoint, Bound] = {}
        self.watched: tuple[Any, Any] | None = None
        self.processes = 0
        self.closed = False

    def watch(self, rules: Mapping[str, Any], errors: Mapping[str, Any]) -> None:
        self.watched = (rules, errors)

    def share_among(self, processes: int) -> None:
        self.processes = processes

    def move_to(self, wanted: Iterable[Endpoint], bound: dict[Endpoint, Bound]) -> None:
        self.open.update(bound)
        self.open = {at: self.open[at] for at in wanted}

    def close(self) -> None:
        self.closed = True


class Site:
    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[Any] = []
        self.answers = FakeAnswers()
        self.live = LiveZones(Snapshot(0, {}))
        self.certificates = Certificates()
        self.fails = ""
        self.serving = Serving(
            self.clock, self, self.answers, self.live, self.certificates, Unpacker(self._open)
        )
        # The first sign of life.
        self.clock.pump([0] * 3)

    def _open(self, path: str) -> Any:
        raise StoreError(f"no image {path}")

    def send(self, payload: bytes, sockets: Iterable[socket.socket] = ()) -> None:
        assert not tuple(sockets)
        self.sent.append(read(payload))

    @property
    def replies(self) -> list[Any]:
        return [one for one in self.sent if not isinstance(one, Counted)]

    def tell(self, number: int, orders: Orders | None, *sockets: tuple[Endpoint, Bound]) -> None:
        adopted = tuple((at, bound.datagram is not None) for at, bound in sockets)
        message = Message(number, adopted, None if orders is None else to_octets(orders))
        self.serving.told(to_octets(message), [sock for _, bound in sockets for sock in bound.all])

    @property
    def queries(self) -> int:
        """How many queries were told of."""
        told = [one for one in self.sent if isinstance(one, Counted)]
        return sum(one.counters.by_rcode().total() for one in told)

    def ask(self, times: int = 1, zone: str = "org.") -> None:
        for _ in range(times):
            self.answers.counters.query(
                "dns://:53", zone, "udp", "1", 1, 0, 40, 80, 0.1, dnssec_ok=False
            )


def orders(generation: int, *endpoints: Endpoint, **more: Any) -> Orders:
    snapshot = pack(more.pop("snapshot", Snapshot(generation, {})), more.pop("places", {}))
    return Orders(snapshot, endpoints, more.pop("tls", {}), 2, {"b": ()}, {})


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def bound() -> Iterator[Bound]:
    made = Bound(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket())
    yield made
    made.close()


def test_it_serves_what_it_is_told_and_says_so(site, bound):
    """The snapshot, the addresses, what to log, its share: and then the number."""
    site.tell(4, orders(9, ONE), (ONE, bound))
    assert site.replies == [Serves(4, 9)]
    assert site.live.snapshot.generation == 9
    assert site.answers.open[ONE].all == bound.all
    assert site.answers.watched == ({"b": ()}, {})
    assert site.answers.processes == 2


def test_sockets_may_come_before_the_orders(site, bound):
    """In several messages; they are answered on when it is told to."""
    site.tell(1, None, (ONE, bound))
    assert site.answers.open == {}
    assert site.replies == []
    site.tell(1, orders(1, ONE))
    assert site.answers.open[ONE].all == bound.all


def test_what_it_cannot_serve_changes_nothing(site):
    """It says why."""
    site.tell(1, orders(1))
    image = FakeImage(("v", "org."))
    ((key, reader),) = image.zones().items()
    there = snapshot_of(block("org.", {"org.": Loaded(reader)}))
    site.tell(2, orders(2, snapshot=there, places={id(reader): ("/x", *key)}))
    assert site.replies == [Serves(1, 1), Refuses(2, "no image /x")]
    assert site.live.snapshot.generation == 1


def material(tls: Tls) -> Material:
    identity = read_identity(tls)
    assert identity is not None
    return identity.material


def test_certificates_come_with_the_orders(site, tmp_path, bound):
    """No file is read; what did not change is kept, and a changed one replaces it in its place."""
    tls = self_signed(tmp_path)
    first = material(tls)
    site.tell(1, orders(1, SECURE, tls={SECURE: (tls, first)}), (SECURE, Bound(None, bound.stream)))
    cell = site.certificates.cell(SECURE)
    identity = cell.identity
    assert identity.material == first
    site.tell(2, orders(2, SECURE, tls={SECURE: (tls, first)}))
    assert cell.identity is identity
    self_signed(tmp_path)
    second = material(tls)
    site.tell(3, orders(3, SECURE, tls={SECURE: (tls, second)}))
    assert site.certificates.cell(SECURE) is cell
    assert cell.identity.material == second
    site.tell(4, orders(4))
    with pytest.raises(KeyError):
        site.certificates.cell(SECURE)


def test_a_certificate_that_is_none_is_refused(site, tmp_path):
    """What was served is served."""
    tls = self_signed(tmp_path)
    site.tell(1, orders(1, SECURE, tls={SECURE: (tls, Material(b"x", b"y"))}))
    (reply,) = site.replies
    assert isinstance(reply, Refuses)
    assert "no certificate" in reply.reason


def test_counts_are_told_now_and_then(site):
    """Each once; with connections and lag; also when there is nothing to tell."""
    site.ask(3)
    site.clock.advance(limits.WORKER_REPORT_S)
    site.clock.pump([0] * 5)
    assert site.queries == 3
    site.clock.advance(limits.WORKER_REPORT_S)
    site.clock.pump([0] * 5)
    assert site.queries == 3
    last = site.sent[-1]
    assert (last.tcp_connections, last.lag_s) == (3, 0.5)


def test_many_counts_are_told_between_other_work(site):
    """One piece each time round the reactor."""
    for number in range(3 * limits.WORKER_TALLIES):
        site.ask(zone=f"zone{number}.")
    seen: list[int] = []

    def other() -> None:
        seen.append(site.queries)
        if len(seen) < 6:
            site.clock.callLater(0, other)

    site.clock.callLater(limits.WORKER_REPORT_S, other)
    site.clock.advance(limits.WORKER_REPORT_S)
    assert seen == [0, 100, 200, 300, 300, 300]


def test_at_the_end_everything_is_told(site):
    """Also what was on its way; and nothing is answered any more."""
    for number in range(3 * limits.WORKER_TALLIES):
        site.ask(zone=f"zone{number}.")

    def end() -> None:
        assert site.queries == 0
        site.ask(5)
        site.serving.end()

    # Right after the first piece of a report.
    site.clock.callLater(limits.WORKER_REPORT_S, end)
    site.clock.advance(limits.WORKER_REPORT_S)
    assert site.answers.closed
    assert site.queries == 3 * limits.WORKER_TALLIES + 5
    assert site.clock.getDelayedCalls() == []


def test_telling_takes_a_hundredth_of_its_time(site):
    """One that takes long is told less often, but a sign of life comes all the same."""

    def slow() -> Counters:
        site.clock.rightNow += 0.03
        return Counters()

    site.answers.counters.take = slow
    site.clock.advance(limits.WORKER_REPORT_S)
    site.clock.pump([0] * 3)
    before = len(site.sent)
    site.clock.advance(2.9)
    assert len(site.sent) == before
    site.clock.advance(0.2)
    assert len(site.sent) > before
