"""Waking up when a look is due: one timer over a schedule (follow.schedule), on both clocks."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from ocizone.follow.schedule import Now, Schedule, Tick
from ocizone.follow.tools import Tools
from ocizone.plugins.artifact import Startup


class Alarm:
    """The timer of one source."""

    def __init__(
        self, schedule: Schedule, startup: Startup, tools: Tools, due: Callable[[], None]
    ) -> None:
        """Make it; nothing is due before ``begin``.

        Args:
            schedule: when.
            startup: when first.
            tools: its clocks.
            due: is called each time.
        """
        self._schedule = schedule
        self._startup = startup
        self._tools = tools
        self._due = due
        self._tick: Tick | None = None
        self._timer: IDelayedCall | None = None

    @property
    def next_at(self) -> float | None:
        """When the next look is due, unix seconds; None when none is."""
        if self._tick is None or self._timer is None:
            return None
        return self._tick.wall(self._now())

    def begin(self, *, restored: bool) -> bool:
        """Start; tells whether the first look is due now, which is not called.

        Args:
            restored: something is served already.
        """
        now = self._now()
        self._tick = self._schedule.first(self._startup, now, restored=restored)
        due = False
        if self._tick is not None and not self._tick.wait(now):
            due, self._tick = self._schedule.wake(self._tick, now)
        self._sleep()
        return due

    def stop(self) -> None:
        """End; nothing is due any more."""
        self._tick = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> Now:
        return Now(self._tools.wall(), self._tools.clock.seconds())

    def _sleep(self) -> None:
        self._timer = None
        if self._tick is not None:
            self._timer = self._tools.clock.callLater(self._tick.wait(self._now()), self._wake)

    def _wake(self) -> None:
        assert self._tick is not None
        due, self._tick = self._schedule.wake(self._tick, self._now())
        self._sleep()
        if due:
            self._due()
