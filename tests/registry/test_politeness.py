"""Politeness: how fast a host is asked, and what becomes of that when it complains."""

from __future__ import annotations

import threading
import time

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.credentials import user
from ocizone.registry.politeness import Politeness
from ocizone.registry.reference import Reference
from ocizone.registry.sharing import Kind, Sharing

HOST = "registry.example:443"
REPOSITORY = "zones/example.org"
WHERE = f"registry.example/{REPOSITORY}"
OTHER = "registry.example/zones/example.net"


class Case:
    """Politeness on a clock that only sleeping and the test move."""

    def __init__(self, rate: float = 10.0, burst: int = 10) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.politeness = Politeness(
            rate=rate, burst=burst, monotonic=lambda: self.now, now=lambda: self.now + 10**9
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def enter(self, host: str = HOST, where: str = WHERE) -> None:
        self.politeness.enter(host, where, self.sleep)

    def refused(self, host: str = HOST, where: str = WHERE) -> float:
        with pytest.raises(Transient) as caught:
            self.enter(host, where)
        assert caught.value.reason is FetchReason.RATE_LIMITED
        assert caught.value.retry_after_s is not None
        return caught.value.retry_after_s

    def answer(self, status: int, header: str | None = None, began: float | None = None) -> None:
        began = self.now if began is None else began
        self.politeness.answered(HOST, WHERE, status, header, began)

    @property
    def rate(self) -> float:
        return self.politeness.rates()[HOST]


# --- The bucket ------------------------------------------------------------------------------


def test_burst_then_rate() -> None:
    """Ten at once, then ten a second; a silence saves up ten, not more."""
    case = Case()
    for _ in range(10):
        case.enter()
    assert case.slept == []
    for _ in range(20):
        case.enter()
    assert case.slept == pytest.approx([0.1] * 20)
    case.now += 3600
    case.slept.clear()
    for _ in range(11):
        case.enter()
    assert len(case.slept) == 1


def test_never_above_the_rate() -> None:
    """In any second there are at most burst + rate requests, however clients crowd in."""
    case, times = Case(), []
    for step in range(300):
        case.enter()
        times.append(case.now)
        case.now += (0.0, 0.02, 0.3)[step % 3]
    for start in times:
        assert sum(start <= moment < start + 1 - 1e-6 for moment in times) <= 20


def test_hosts_do_not_share_a_bucket() -> None:
    case = Case()
    for _ in range(10):
        case.enter()
    case.enter("other.example:443")
    assert case.slept == []


def test_waiters_queue_up() -> None:
    """Places are given out in order: threads that wait together do not go together."""
    waits: list[float] = []
    case = Case()
    for _ in range(13):
        case.politeness.enter(HOST, WHERE, waits.append)
    assert waits == pytest.approx([0.1, 0.2, 0.3])


def test_long_waits_are_not_slept() -> None:
    """The thread is freed, told when to come back, and costs no place in the queue."""
    case = Case(rate=0.1, burst=1)
    case.enter()
    assert case.refused() == pytest.approx(10)
    assert case.slept == []
    case.now += 10
    case.enter()


def test_who_is_sent_away_comes_back_one_by_one() -> None:
    """200 blocks that were told the same moment would be refused again together."""
    case = Case(rate=0.1, burst=1)
    case.enter()
    assert [case.refused() for _ in range(3)] == pytest.approx([10, 20, 30])
    for _ in range(1000):
        last_s = case.refused()
    assert last_s == pytest.approx(10 + limits.PAUSE_MOST_S)


def test_hosts_are_forgotten() -> None:
    """Redirects name hosts, as many as a registry likes."""
    case = Case()
    for number in range(limits.HOSTS_REMEMBERED + 5):
        case.enter(f"h{number}")
    assert len(case.politeness.rates()) == limits.HOSTS_REMEMBERED
    assert "h0" not in case.politeness.rates()


# --- Complaints ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        ("7", 7),
        ("Sun, 09 Sep 2001 02:03:27 GMT", 7),
        (None, limits.PAUSE_S),
        ("soon", limits.PAUSE_S),
        ("999999999", limits.PAUSE_MOST_S),
    ],
)
def test_pause(status: int, header: str | None, pause_s: float) -> None:
    """RFC 9110 10.2.3: seconds or a date; without it a pause of ours; never for ever."""
    case = Case()
    case.enter()
    case.answer(status, header)
    assert case.refused() == pytest.approx(pause_s)
    case.now += pause_s
    case.enter()
    assert case.slept == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_pause_is_of_one_repository(status: int) -> None:
    """Which has a quota of its own; its neighbours are asked on, half as often."""
    case = Case()
    case.enter()
    case.answer(status, "3600")
    assert case.refused() == pytest.approx(3600)
    case.enter(where=OTHER)
    assert case.slept == []
    assert case.rate == 5
    # Those who wait for the host are not sent away behind the long pause.
    slow = Case(rate=0.1, burst=1)
    slow.answer(status, "3600")
    slow.enter(where=OTHER)
    assert slow.refused(where=OTHER) < 30
    # Nor does another host hear of it: where a mirror or a token service is.
    case.enter("other.example:443")
    case.now += 3600
    case.enter()


def test_a_short_pause_is_of_the_host() -> None:
    """It is about how fast the host is asked, by whomever."""
    case = Case()
    case.enter()
    case.answer(429, str(int(limits.HOST_PAUSE_MOST_S)))
    assert case.refused(where=OTHER) == pytest.approx(limits.HOST_PAUSE_MOST_S)


def test_a_later_shorter_pause_does_not_end_a_longer_one() -> None:
    case = Case()
    case.answer(429, "3000")
    case.answer(429, "100")
    assert case.refused() == pytest.approx(3000)


def test_the_error_tells_of_the_repository() -> None:
    """Who waits, whom for, and how long."""
    case = Case()
    case.answer(429, "3000")
    with pytest.raises(Transient) as caught:
        case.enter()
    told = f"{WHERE}: {HOST} is not asked for this repository for another 3000.0 s"
    assert str(caught.value).startswith(told)
    assert caught.value.status == 429


def test_pauses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redirects name hosts."""
    monkeypatch.setattr(limits, "PAUSES_REMEMBERED", 2)
    case = Case()
    for number in range(3):
        case.politeness.answered(f"h{number}", WHERE, 429, "3000", case.now)
    case.enter("h0")
    assert case.refused("h1") == pytest.approx(3000)


def test_short_pause_is_slept() -> None:
    case = Case()
    case.enter()
    case.answer(429, "2")
    case.enter()
    assert case.slept == pytest.approx([2])


@pytest.mark.parametrize("header", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_pause_that_is_over(header: str) -> None:
    case = Case()
    case.enter()
    case.answer(429, header)
    case.enter()
    assert case.slept == []
    assert case.rate == 5


def test_one_burst_halves_once() -> None:
    """Sixteen threads were under way: their complaints are about the old rate."""
    case = Case()
    began = case.now
    for _ in range(16):
        case.now += 0.01
        case.answer(429, "7", began)
    assert case.rate == 5
    assert case.refused() == pytest.approx(7)
    case.now += 8
    case.enter()
    case.answer(429, "7")
    assert case.rate == 2.5


def test_the_floor() -> None:
    case = Case()
    for _ in range(50):
        case.now += 10
        case.answer(503)
    assert case.rate == limits.REQUESTS_LEAST_PER_S


def test_savings_are_not_spent_on_who_complains() -> None:
    case = Case()
    case.enter()
    case.answer(429, "0")
    case.enter()
    assert case.slept == []
    case.enter()
    assert case.slept == pytest.approx([0.2])


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502])
def test_other_statuses_say_nothing(status: int) -> None:
    case = Case()
    case.enter()
    case.answer(status)
    case.enter()
    assert case.rate == 10


def test_recovery() -> None:
    """By half again each success, but not soon after the last cut, and never above the rate."""
    case = Case()
    case.answer(429, "0")
    case.now += 1
    case.answer(429, "0")
    assert case.rate == 2.5
    case.now += limits.RATE_KEPT_S - 1
    case.answer(200)
    assert case.rate == 2.5
    case.now += 1
    case.answer(404)
    assert case.rate == 2.5
    rates = []
    for _ in range(5):
        case.answer(200)
        rates.append(case.rate)
    assert rates == pytest.approx([3.75, 5.625, 8.4375, 10, 10])


# --- In the client ---------------------------------------------------------------------------


class Observed:
    def __init__(self) -> None:
        self.seen: list[tuple[Kind, bool]] = []
        self.seconds: list[float] = []

    def __call__(self, kind: Kind, success: bool, seconds: float) -> None:
        self.seen.append((kind, success))
        self.seconds.append(seconds)


def client_of(
    lab: LabRegistry,
    politeness: Politeness | None,
    observed: Observed,
    repository: str = REPOSITORY,
) -> Client:
    client = Client(
        Reference(lab.host, repository, "v1", None),
        insecure=True,
        sharing=Sharing(politeness=politeness, on_request=observed),
    )
    client.start_attempt(20)
    return client


def test_clients_share_one_bucket(lab_registry: LabRegistry) -> None:
    """Two blocks on one registry have one rate between them."""
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    politeness = Politeness(rate=0.01, burst=2)
    clients = [client_of(lab_registry, politeness, Observed()) for _ in range(3)]
    clients[0].resolve()
    clients[1].resolve()
    with pytest.raises(Transient) as caught:
        clients[2].resolve()
    assert caught.value.reason is FetchReason.RATE_LIMITED
    assert len(lab_registry.requests) == 2


def test_a_complaint_stops_the_others(lab_registry: LabRegistry) -> None:
    """429 with Retry-After; nobody asks again before, and the caller knows when."""
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    politeness = Politeness()
    lab_registry.faults.fail_next("manifest", 429, retry_after=60)
    with pytest.raises(Transient) as caught:
        client_of(lab_registry, politeness, Observed()).resolve()
    assert caught.value.retry_after_s == 60
    with pytest.raises(Transient) as caught:
        client_of(lab_registry, politeness, Observed()).resolve()
    assert caught.value.retry_after_s == pytest.approx(60, abs=1)
    assert len(lab_registry.requests) == 1
    assert politeness.rates() == {lab_registry.host: limits.REQUESTS_PER_S / 2}


def test_a_quota_stops_one_repository(lab_registry: LabRegistry) -> None:
    """The attack: one repository answered 429 with an hour; every other block went silent."""
    for repository in (REPOSITORY, "zones/other"):
        lab_registry.push_files(repository, "v1", {"db": b"zone"})
    politeness = Politeness()
    lab_registry.faults.fail_next("manifest", 429, retry_after=3600)
    blocked = client_of(lab_registry, politeness, Observed())
    for _ in range(2):
        with pytest.raises(Transient) as caught:
            blocked.resolve()
        assert caught.value.retry_after_s == pytest.approx(3600, abs=1)
    other = client_of(lab_registry, politeness, Observed(), "zones/other")
    assert other.resolve().digest
    assert len(lab_registry.requests) == 2


def test_redirect_hosts_and_token_services_count_for_themselves(
    lab_registry: LabRegistry,
) -> None:
    politeness = Politeness()
    with LabRegistry(access=Access.BEARER) as lab:
        lab.realm = f"http://127.0.0.1:{lab_registry.port}/token"
        lab_registry.gate = lab.gate
        digest = lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
        lab_registry.gate.access = Access.BEARER
        client = client_of(lab, politeness, Observed())
        layer = client.manifest(digest).layers[0]
        assert set(politeness.rates()) == {lab.host, lab_registry.host}
        assert client.small(layer, 10) == b"zone"


def test_abort_ends_a_wait(lab_registry: LabRegistry) -> None:
    """A thread that sleeps for politeness is free within a second of being told."""
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    client = client_of(lab_registry, Politeness(rate=0.4, burst=1), Observed())
    client.resolve()
    timer = threading.Timer(0.1, client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    assert time.monotonic() - start < 1
    timer.join()


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    attempt = Attempt("here", lambda: 0.0)
    attempt.start(1)
    with pytest.raises(Transient, match="no time left") as caught:
        attempt.sleep(2)
    assert caught.value.reason is FetchReason.TIMEOUT


def test_requests_are_observed(lab_registry: LabRegistry) -> None:
    """By kind and success: 404 is an answer, a challenge is no failure, a refusal is."""
    with LabRegistry(access=Access.BEARER, users={"alice": "canary"}) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        observed = Observed()
        client = Client(
            Reference(lab.host, REPOSITORY, "v1", None),
            insecure=True,
            login=user("alice", lambda: "canary"),
            sharing=Sharing(on_request=observed),
        )
        manifest = client.manifest(client.resolve().digest)
        client.small(manifest.layers[0], 10)
        client.tags()
        client.referrers(manifest.digest)
        client.tagged("absent")
        assert observed.seen == [
            ("tags", True),
            ("token", True),
            ("tags", True),
            ("metadata", True),
            ("blob", True),
            ("tags", True),
            ("metadata", True),
            ("tags", True),
        ]
        assert all(0 <= seconds < 5 for seconds in observed.seconds)
        observed.seen.clear()
        for status in (500, 429, 403):
            lab.faults.fail_next("manifest", status)
            with pytest.raises((Transient, Permanent)):
                client.resolve()
        lab.faults.drop_next("manifest", times=2)
        with pytest.raises(Transient):
            client.resolve()
        assert observed.seen[0] == ("tags", False)
        assert [success for _, success in observed.seen].count(False) >= 4
