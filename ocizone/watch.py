"""The ``reload`` directive: look at the Corefile now and then. Not here: taking a change up."""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ocizone.plugins.reload import Reload


class CorefileWatch:
    """Calls ``look`` every interval, plus or minus half the jitter (CoreDNS' ``reload``)."""

    def __init__(
        self,
        clock: IReactorTime,
        look: Callable[[], object],
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._look = look
        self._uniform = uniform
        self._timer: IDelayedCall | None = None

    def move_to(self, directive: Reload | None) -> None:
        """Watch as a directive says; None is not to watch."""
        self.stop()
        if directive is not None:
            half = directive.jitter_s / 2
            wait = directive.interval_s + self._uniform(-half, half)
            self._timer = self._clock.callLater(wait, self._tick, directive)

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, directive: Reload) -> None:
        self._timer = None
        # Before the look: taking a change up moves the watch to the new directive.
        self.move_to(directive)
        self._look()
