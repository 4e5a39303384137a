"""How late the reactor is: what a query waits for before anybody looks at it.

A timer that is due at every LAG_LOOK_S is late by as long as something held the reactor up. Not
here: the metric (observe.server).
"""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ocizone.limits import LAG_LOOK_S, LAG_WINDOW_S


class LoopLag:
    """Measures from ``start`` to ``stop``."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._due = 0.0
        self._timer: IDelayedCall | None = None
        self._lags: deque[float] = deque(maxlen=int(LAG_WINDOW_S / LAG_LOOK_S))

    @property
    def worst_s(self) -> float:
        """The longest delay of the last LAG_WINDOW_S, the one that lasts now included."""
        lasting = self._clock.seconds() - self._due if self._timer is not None else 0.0
        return max(0.0, lasting, *self._lags)

    def start(self) -> None:
        """Begin; may be called again."""
        if self._timer is None:
            self._wait()

    def stop(self) -> None:
        """End; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._due = self._clock.seconds() + LAG_LOOK_S
        self._timer = self._clock.callLater(LAG_LOOK_S, self._look)

    def _look(self) -> None:
        self._lags.append(max(0.0, self._clock.seconds() - self._due))
        self._wait()
