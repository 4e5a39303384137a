"""Work that may take its time: one piece each time round the reactor, in order.

Between two pieces the reactor looks at every socket, so that long answers to some clients are
no pause for the others (design section 1, invariant 3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime


class Turns:
    """A queue of pieces of work."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()

    def later(self, work: Callable[[], None]) -> None:
        """Call ``work`` when all that waits already has had its turn."""
        self._waiting.append(work)
        if len(self._waiting) == 1:
            self._clock.callLater(0, self._next)

    def _next(self) -> None:
        # It stays in the queue while it works: what it adds waits for the next turn.
        try:
            self._waiting[0]()
        finally:
            self._waiting.popleft()
            if self._waiting:
                self._clock.callLater(0, self._next)
