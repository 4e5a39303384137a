"""When the next look is due: every so often, or by cron; pure, clocks and chance are arguments.

``interval`` runs on the monotonic clock, on the grid of the first look: what takes long does not
move what comes later, and ticks that were missed become one. ``cron`` runs on the wall clock, in
UTC: a server of names has no time of day of its own, and no look is left out or made twice when
clocks change for summer. A wall clock may be set while a timer runs, so nobody sleeps for longer
than an hour towards it. ``jitter`` only ever makes a look later.

Not here: that looks do not overlap, and timers (follow.service). How it is used::

    now = Now(wall(), clock.seconds())
    tick = schedule.first(startup, now, restored=...)   # once what was served is served again
    clock.callLater(tick.wait(now), wake)               # None: never

    def wake():
        due, tick = schedule.wake(tick, now)            # now: both clocks, read again
        clock.callLater(tick.wait(now), wake)           # None: never again
        if due and nothing is under way: look
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, assert_never

from cronsim import CronSim

from ocizone.limits import WALL_SLEEP_S
from ocizone.plugins.artifact import Artifact, Startup

#: Returns a number from 0 to below 1, evenly spread.
Draw = Callable[[], float]

# Sums of floats, and kernels, wake a timer that much too soon: it counts as due.
_EARLY_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Now:
    """One moment, on both clocks; unix seconds, and seconds from anywhere."""

    wall: float
    monotonic: float


@dataclass(frozen=True, slots=True)
class Tick:
    """When to look next.

    Attributes:
        at: on its clock.
        base: on its clock, without jitter: what the one after it is counted from.
        on_wall: its clock is the wall clock.
    """

    at: float
    base: float
    on_wall: bool = False

    def wait(self, now: Now) -> float:
        """Return how many seconds to sleep before ``wake``; 0 when it is due."""
        left = self.at - (now.wall if self.on_wall else now.monotonic)
        if left <= _EARLY_S:
            return 0.0
        return min(left, WALL_SLEEP_S) if self.on_wall else left

    def wall(self, now: Now) -> float:
        """Return when it is due in unix seconds, for people."""
        return self.at if self.on_wall else now.wall + self.at - now.monotonic


@dataclass(frozen=True, slots=True)
class Once:
    """Look at the start, and then only when asked."""

    def first(self, _startup: Startup, now: Now, *, restored: bool) -> Tick | None:  # noqa: ARG002 - as the others
        """Return now."""
        return _at_once(now)

    def wake(self, tick: Tick, now: Now) -> tuple[bool, Tick | None]:
        """Return whether the tick is due, and the one to wait for from now on."""
        return (True, None) if not tick.wait(now) else (False, tick)


@dataclass(frozen=True, slots=True)
class Every:
    """Look every ``interval_s`` seconds, up to ``jitter`` of that later."""

    interval_s: float
    jitter: float
    draw: Draw = field(repr=False, compare=False)

    def first(self, startup: Startup, now: Now, *, restored: bool) -> Tick | None:
        """Return the first tick.

        Args:
            startup: what the operator wants.
            now: the start.
            restored: something is served already, so that ``skip`` may wait.
        """
        return _first(startup, now, self.draw, self.interval_s) or (
            self._tick(now.monotonic + self.interval_s) if restored else _at_once(now)
        )

    def wake(self, tick: Tick, now: Now) -> tuple[bool, Tick | None]:
        """Return whether the tick is due, and the one to wait for from now on."""
        if tick.wait(now):
            return False, tick
        # A look so shortly before a point of the grid counts for that point.
        missed = max(int((now.monotonic + _EARLY_S - tick.base) // self.interval_s), 0)
        return True, self._tick(tick.base + self.interval_s * (missed + 1))

    def _tick(self, base: float) -> Tick:
        return Tick(base + self.draw() * self.jitter * self.interval_s, base)


@dataclass(frozen=True, slots=True)
class Cron:
    """Look at the times of a checked expression of five fields, up to ``jitter`` of a gap later."""

    expression: str
    jitter: float
    draw: Draw = field(repr=False, compare=False)

    def first(self, startup: Startup, now: Now, *, restored: bool) -> Tick | None:
        """Return the first tick; see Every."""
        gap = self._after(now.wall) - now.wall
        return _first(startup, now, self.draw, gap) or (
            self._tick(self._after(now.wall)) if restored else _at_once(now)
        )

    def wake(self, tick: Tick, now: Now) -> tuple[bool, Tick | None]:
        """Return whether the tick is due, and the one to wait for from now on."""
        if not tick.wait(now):
            # It may have come early: not the same time again.
            return True, self._tick(self._after(max(now.wall, tick.base if tick.on_wall else 0.0)))
        if tick.on_wall and self._after(now.wall) < tick.base:
            # The clock was set back: there is a time before the one that was waited for.
            return False, self._tick(self._after(now.wall))
        return False, tick

    def _tick(self, base: float) -> Tick:
        late = self.draw() * self.jitter * (self._after(base) - base)
        return Tick(base + late, base, on_wall=True)

    def _after(self, wall: float) -> float:
        """Return the first time of the expression after a moment."""
        return next(CronSim(self.expression, datetime.fromtimestamp(wall, UTC))).timestamp()


Schedule = Once | Every | Cron


def schedule_of(artifact: Artifact, draw: Draw) -> Schedule:
    """Return when an artifact is looked at."""
    if artifact.cron:
        return Cron(artifact.cron, artifact.jitter, draw)
    return Every(artifact.interval_s, artifact.jitter, draw)


def plain_schedule(interval_s: float) -> Schedule:
    """Return a schedule without jitter; of 0 seconds to look once."""
    return Every(interval_s, 0.0, lambda: 0.0) if interval_s else Once()


def _at_once(now: Now) -> Tick:
    return Tick(now.monotonic, now.monotonic)


def _first(startup: Startup, now: Now, draw: Draw, gap_s: float) -> Tick | None:
    """Return a first tick that is no regular one; None to begin with those."""
    match startup.kind:
        case "immediate":
            return _at_once(now)
        case "jitter":
            # The grid begins there too: a fleet that starts together stays apart.
            most_s = gap_s if startup.most_s is None else startup.most_s
            at = now.monotonic + draw() * most_s
            return Tick(at, at)
        case "skip":
            return None
        case _:
            assert_never(startup.kind)
