"""The only retry there is: three attempts, 30 s apart by default, on the injected clock.

Any failed pull gets them, a 404 too: an artifact may be pushed a moment after the server that
follows it has started. Content that was pulled and refused does not come here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ocizone.errors import RegistryError, StoreError

T = TypeVar("T")

#: Called before a wait: how many attempts were made, why the last failed, seconds to wait.
Failed = Callable[[int, RegistryError | StoreError, float], None]


class Pause:
    """The wait between two attempts, which somebody may cut short."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._end: Callable[[], None] | None = None
        #: When the wait under way ends, on the clock; None when there is none.
        self.until: float | None = None

    def wait(self, seconds: float) -> Deferred[None]:
        """Return a Deferred that fires after so many seconds, or when ``cut`` is called."""
        ended: Deferred[None] = Deferred(lambda _: self._leave(call))
        call = self._clock.callLater(seconds, lambda: self._finish(ended))
        self.until = call.getTime()

        def end() -> None:
            call.cancel()
            self._finish(ended)

        self._end = end
        return ended

    def cut(self) -> None:
        """End the wait under way, if there is one."""
        if self._end is not None:
            self._end()

    def _finish(self, ended: Deferred[None]) -> None:
        self._end = self.until = None
        ended.callback(None)

    def _leave(self, call: IDelayedCall) -> None:
        self._end = self.until = None
        call.cancel()


class Patience(Protocol):
    """How often, and how far apart: an ``oci`` directive says so."""

    @property
    def attempts(self) -> int:
        """Of one look."""

    @property
    def backoff_s(self) -> float:
        """Between two of them."""

    @property
    def interval_s(self) -> float:
        """A Retry-After counts up to this: the next look would come then anyway."""


async def retrying(
    pause: Pause, attempt: Callable[[], Awaitable[T]], patience: Patience, *, failed: Failed
) -> T:
    """Return what the first successful attempt returns.

    Args:
        pause: what the waits go through.
        attempt: one attempt.
        patience: see Patience.
        failed: is told of every failure that is followed by another attempt.

    Raises:
        RegistryError, StoreError: the last attempt's.
        CancelledError: cancelled, in an attempt or in a wait; never tried again.
    """

    def wait(state: RetryCallState) -> float:
        asked = getattr(_error(state), "retry_after_s", None) or 0.0
        return max(patience.backoff_s, min(asked, patience.interval_s))

    def before_sleep(state: RetryCallState) -> None:
        failed(state.attempt_number, _error(state), state.upcoming_sleep)

    async def one() -> T:
        # tenacity takes a returned Deferred for a result; it has to be awaited here.
        return await attempt()

    policy = AsyncRetrying(
        sleep=pause.wait,
        stop=stop_after_attempt(patience.attempts),
        wait=wait,
        # By type, because CancelledError is an Exception too and would be retried.
        retry=retry_if_exception_type((RegistryError, StoreError)),
        before_sleep=before_sleep,
        reraise=True,
    )
    return await policy(one)


def _error(state: RetryCallState) -> RegistryError | StoreError:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, RegistryError | StoreError)
    return error
