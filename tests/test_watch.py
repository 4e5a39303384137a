"""``reload``: when the Corefile is looked at (corefile.md 2.13)."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from ocizone.plugins.reload import Reload
from ocizone.watch import CorefileWatch


class Site:
    """A watch on a clock; ``draw`` is where in the jitter each wait falls, 0 to 1."""

    def __init__(self, draw: float = 0.5) -> None:
        self.clock = Clock()
        self.looks: list[float] = []
        self.watch = CorefileWatch(
            self.clock,
            lambda: self.looks.append(self.clock.seconds()),
            lambda low, high: low + (high - low) * draw,
        )

    def pass_time(self, seconds: int) -> None:
        self.clock.pump([1.0] * seconds)


@pytest.mark.parametrize(
    ("draw", "looks"),
    [(0.0, [25.0, 50.0, 75.0]), (0.5, [30.0, 60.0, 90.0]), (1.0, [35.0, 70.0])],
)
def test_the_interval_moves_by_half_the_jitter(draw, looks):
    """INTERVAL + uniform(-JITTER/2, +JITTER/2), again and again."""
    site = Site(draw)
    site.watch.move_to(Reload(30, 10))
    site.pass_time(99)
    assert site.looks == looks


def test_without_the_directive_nothing_is_looked_at():
    """And a reload that drops it ends the watch."""
    site = Site()
    site.watch.move_to(None)
    site.watch.move_to(Reload(30, 0))
    site.watch.move_to(None)
    assert site.clock.getDelayedCalls() == []


def test_a_changed_interval_replaces_the_old_one():
    """One timer, not two."""
    site = Site()
    site.watch.move_to(Reload(30, 0))
    site.watch.move_to(Reload(7, 0))
    site.pass_time(15)
    assert site.looks == [7.0, 14.0]
    assert len(site.clock.getDelayedCalls()) == 1


def test_a_look_may_move_the_watch():
    """The look took up a Corefile with another interval: that one counts from now."""
    clock = Clock()
    looks: list[float] = []

    def look() -> None:
        looks.append(clock.seconds())
        watch.move_to(Reload(5, 0))

    watch = CorefileWatch(clock, look, lambda _low, _high: 0.0)
    watch.move_to(Reload(30, 0))
    clock.pump([1.0] * 41)
    assert looks == [30.0, 35.0, 40.0]
    assert len(clock.getDelayedCalls()) == 1


def test_stop_twice():
    """Nothing is left on the clock."""
    site = Site()
    site.watch.move_to(Reload(30, 0))
    site.watch.stop()
    site.watch.stop()
    assert site.clock.getDelayedCalls() == []
