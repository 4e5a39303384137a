"""When looks are due: the grid of an interval, cron in UTC, the start, jitter, clocks that jump."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.types import Position
from ocizone.follow.schedule import (
    Cron,
    Every,
    Now,
    Once,
    Schedule,
    Tick,
    plain_schedule,
    schedule_of,
)
from ocizone.limits import WALL_SLEEP_S
from ocizone.plugins.artifact import Artifact, Startup
from ocizone.registry.reference import Reference

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC).timestamp()
IMMEDIATE, SKIP = Startup("immediate"), Startup("skip")


def never() -> float:
    return 0.0


class Sleeper:
    """Sleeps and wakes as follow.service does, on clocks that a test moves.

    ``looks`` are seconds since the start, on the monotonic clock.
    """

    def __init__(
        self,
        schedule: Schedule,
        startup: Startup = IMMEDIATE,
        *,
        restored: bool = True,
        wall: float = NOON,
        took: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        self.schedule = schedule
        self.start = self.monotonic = 1000.0
        self.offset = wall - self.monotonic
        self.took = took
        self.looks: list[float] = []
        self.slept: list[float] = []
        self.tick = schedule.first(startup, self.now, restored=restored)
        self.timer = 0.0
        self.arm()

    @property
    def now(self) -> Now:
        return Now(self.monotonic + self.offset, self.monotonic)

    def arm(self) -> None:
        """Set the timer; a clock that is set later does not move it."""
        if self.tick is not None:
            self.slept.append(self.tick.wait(self.now))
            self.timer = self.monotonic + self.slept[-1]

    def run(self, seconds: float) -> list[float]:
        """Let time pass; return when looks were made."""
        end = self.monotonic + seconds
        while self.tick is not None and self.timer <= end:
            self.monotonic = max(self.monotonic, self.timer)
            due, self.tick = self.schedule.wake(self.tick, self.now)
            self.arm()
            if due:
                self.looks.append(round(self.monotonic - self.start, 3))
                self.monotonic += self.took(self.looks[-1])
        self.monotonic = max(self.monotonic, end)
        return self.looks


def every(interval_s: float, jitter: float = 0.0, seed: int = 1) -> Every:
    return Every(interval_s, jitter, random.Random(seed).random)


def cron(expression: str, jitter: float = 0.0, seed: int = 1) -> Cron:
    return Cron(expression, jitter, random.Random(seed).random)


# --- interval ------------------------------------------------------------------------------------


def test_an_interval_is_a_grid():
    """What a look takes does not move the next one."""
    assert Sleeper(every(60), took=lambda _: 7.5).run(240) == [0, 60, 120, 180, 240]


def test_missed_ticks_become_one():
    """A look that takes three intervals is followed by one at the next point of the grid."""
    slow = Sleeper(every(60), took=lambda at: 200.0 if at == 60 else 0.0)
    assert slow.run(400) == [0, 60, 260, 300, 360]


def test_no_drift():
    """A million ticks later the grid is where it was."""
    schedule, tick = every(0.1), Tick(0.0, 0.0)
    for _ in range(1_000_000 // 100):
        due, following = schedule.wake(tick, Now(0.0, tick.at))
        assert due
        assert following is not None
        tick = following
    assert tick.at == pytest.approx(1000.0, abs=1e-6)


def test_the_wall_clock_does_not_matter_to_an_interval():
    """It may be set to anything."""
    sleeper = Sleeper(every(60))
    sleeper.run(90)
    sleeper.offset += 86_400
    sleeper.run(60)
    sleeper.offset -= 400_000
    assert sleeper.run(60) == [0, 60, 120, 180]


# --- cron ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "wall", "looks"),
    [
        ("*/5 * * * *", NOON, [300, 600, 900]),
        ("*/5 * * * *", NOON + 0.25, [299.75, 599.75, 899.75]),
        ("*/5 * * * *", NOON - 0.25, [0.25, 300.25, 600.25, 900.25]),
        ("7 12 * * *", NOON, [420]),
        ("0 0 * * *", NOON, []),
    ],
)
def test_cron(expression: str, wall: float, looks: list[float]):
    """Strictly after the start, at the second."""
    assert Sleeper(cron(expression), SKIP, wall=wall).run(1000) == looks


@pytest.mark.parametrize("month", [3, 10])
def test_summer_time_does_not_matter(month: int):
    """In UTC each night has one 02:30, also where clocks change."""
    start = datetime(2026, month, 20, tzinfo=UTC).timestamp()
    looks = Sleeper(cron("30 2 * * *"), SKIP, wall=start).run(11 * 86_400)
    assert looks == [9000 + 86_400 * day for day in range(11)]


def test_nobody_sleeps_long_towards_a_wall_clock():
    """At most an hour, and waking is not looking."""
    sleeper = Sleeper(cron("0 0 1 * *"), SKIP)
    assert sleeper.run(40 * 86_400) == [30.5 * 86_400]
    assert max(sleeper.slept) == WALL_SLEEP_S


def test_a_clock_set_forward():
    """What was passed over is one look, at most an hour late."""
    sleeper = Sleeper(cron("0 0 * * *"), SKIP)
    sleeper.run(600)
    sleeper.offset += 3 * 86_400
    assert len(sleeper.run(3600)) == 1
    assert sleeper.looks[0] <= 600 + 3600
    assert len(sleeper.run(43_200)) == 2


def test_a_clock_set_back():
    """The times that come again are looks again, not a day of waiting."""
    sleeper = Sleeper(cron("*/10 * * * *"), SKIP)
    assert sleeper.run(590) == []
    sleeper.offset -= 7200
    assert sleeper.run(1800) == [1200, 1800]
    sleeper = Sleeper(cron("*/10 * * * *", jitter=0.5), SKIP)
    sleeper.offset -= 7200
    assert len(sleeper.run(3600)) >= 4


def test_a_timer_that_is_early_is_due_once():
    """A clock that is corrected by a hair must not make two looks of one time."""
    schedule = cron("*/5 * * * *")
    tick = Tick(NOON, NOON, on_wall=True)
    due, following = schedule.wake(tick, Now(NOON - 0.0005, 0.0))
    assert due
    assert following == Tick(NOON + 300, NOON + 300, on_wall=True)
    assert schedule.wake(tick, Now(NOON - 0.5, 0.0)) == (False, tick)
    # A first tick is on the monotonic clock, which may have run for longer than the wall's epoch.
    assert schedule.wake(Tick(9e9, 9e9), Now(NOON, 9e9))[1] == following


# --- The start -----------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [every(300), cron("*/5 * * * *"), Once()], ids=repr)
@pytest.mark.parametrize("restored", [True, False])
def test_immediate(schedule: Schedule, *, restored: bool):
    """At once, whatever there is."""
    assert Sleeper(schedule, restored=restored).run(0) == [0]


@pytest.mark.parametrize("schedule", [every(300), cron("*/5 * * * *")], ids=repr)
def test_skip(schedule: Schedule):
    """The first regular time; without anything to serve it would be an outage: at once."""
    assert Sleeper(schedule, SKIP, restored=True).run(700) == [300, 600]
    assert Sleeper(schedule, SKIP, restored=False).run(700) == [0, 300, 600]


@pytest.mark.parametrize("make", [every, cron])
def test_jitter_at_the_start(make: Callable[..., Every | Cron]):
    """Somewhere in the first interval, or up to the next time, or in MAX; restored or not."""
    form: object = 300 if make is every else "*/5 * * * *"
    firsts = [
        Sleeper(make(form, seed=seed), Startup("jitter"), restored=bool(seed % 2)).run(300)[0]
        for seed in range(100)
    ]
    assert 0 <= min(firsts) < 30
    assert 270 < max(firsts) <= 300
    within = [Sleeper(make(form, seed=s), Startup("jitter", 10)).run(300)[0] for s in range(100)]
    assert max(within) <= 10
    assert Sleeper(make(form), Startup("jitter", 0)).run(10) == [0]


def test_a_fleet_that_starts_together_stays_apart():
    """The grid begins at the first look; the second ones are as far apart."""
    fleet = [Sleeper(every(300, seed=s), Startup("jitter")).run(600)[:2] for s in range(100)]
    assert all(second - first == pytest.approx(300, abs=0.01) for first, second in fleet)


def test_a_long_jitter_at_the_start_of_cron_is_kept():
    """Regular times before it are not looks."""
    sleeper = Sleeper(Cron("*/5 * * * *", 0.0, lambda: 0.9), Startup("jitter", 7200))
    assert sleeper.run(7000) == [6480, 6600, 6900]


def test_once():
    """Then only when asked."""
    assert Sleeper(Once(), SKIP).run(86_400) == [0]
    assert Once().wake(Tick(10.0, 10.0), Now(0.0, 0.0)) == (False, Tick(10.0, 10.0))


# --- Jitter --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [every, cron])
def test_jitter_spreads_a_fleet(make: Callable[..., Every | Cron]):
    """100 nodes with 10% of 300 s: spread over 20 s at least, never early, 30 s at most."""
    form: object = 300 if make is every else "*/5 * * * *"
    fleet = [Sleeper(make(form, 0.1, seed), SKIP).run(960) for seed in range(100)]
    for index, tick in enumerate((300, 600, 900)):
        at = [looks[index] for looks in fleet]
        assert min(at) >= tick
        assert max(at) <= tick + 30
        assert max(at) - min(at) >= 20


@settings(max_examples=60)
@given(
    st.floats(5, 1e6),
    st.floats(0, 0.5),
    st.integers(0, 99),
    st.lists(st.floats(0, 3), max_size=8),
)
def test_never_before_the_grid(interval_s: float, jitter: float, seed: int, took: list[float]):
    """Each look is at or after a point of the grid of its own, within the jitter or late."""
    durations = iter(took)
    sleeper = Sleeper(
        every(interval_s, jitter, seed), took=lambda _: next(durations, 0) * interval_s
    )
    looks = sleeper.run(20 * interval_s)
    points = [int((at + 0.002) // interval_s) for at in looks]
    assert points == sorted(set(points))
    assert looks[0] == 0
    assert looks == sorted(looks)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["*/5 * * * *", "0 * * * *", "17 3 * * 1-5", "0 0 1 * *"]),
    st.floats(0, 0.5),
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e5, 1e5)), max_size=6),
)
def test_any_clock(expression: str, jitter: float, moves: list[tuple[float, float]]):
    """However the clock is set: it goes on, sleeps at most an hour, and is late by jitter at most.

    A look comes not before its time by the clock as it is when the look is made.
    """
    sleeper = Sleeper(cron(expression, jitter), SKIP)
    for seconds, jump in moves:
        sleeper.run(seconds)
        sleeper.offset += jump
    made = len(sleeper.looks)
    assert any(len(sleeper.run(86_400)) > made for _ in range(47))  # a month, and half of a gap
    assert max(sleeper.slept) <= WALL_SLEEP_S


# --- What the service and its status need --------------------------------------------------------


def test_waiting():
    """Seconds on the tick's own clock; due a millisecond early, so that no timer spins."""
    now = Now(wall=NOON, monotonic=50.0)
    assert Tick(80.0, 80.0).wait(now) == 30
    assert Tick(50.0009, 50.0).wait(now) == 0
    assert Tick(20.0, 20.0).wait(now) == 0
    assert Tick(NOON + 30, NOON, on_wall=True).wait(now) == 30
    assert Tick(NOON + 9999, NOON, on_wall=True).wait(now) == WALL_SLEEP_S
    assert Tick(80.0, 80.0).wall(now) == NOON + 30
    assert Tick(NOON + 9999, NOON, on_wall=True).wall(now) == NOON + 9999


def test_of_an_artifact():
    """A cron expression wins where it is set; the parser lets only one be."""
    plain = Artifact(
        Reference.parse("h.example/r"), "/z", 60.0, insecure=False, credentials=None, ca_file=None,
        position=Position("Corefile", 1), jitter=0.1,
    )  # fmt: skip
    assert schedule_of(plain, never) == Every(60.0, 0.1, never)
    timed = Artifact(
        Reference.parse("h.example/r"), "/z", 3600.0, insecure=False, credentials=None,
        ca_file=None, position=Position("Corefile", 1), cron="0 * * * *",
    )  # fmt: skip
    assert schedule_of(timed, never) == Cron("0 * * * *", 0.0, never)
    assert plain_schedule(0) == Once()
    assert Sleeper(plain_schedule(60)).run(60) == [0, 60]
    assert every(60).wake(Tick(80.0, 80.0), Now(NOON, 50.0)) == (False, Tick(80.0, 80.0))
