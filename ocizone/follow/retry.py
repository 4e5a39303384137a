"""The only retry there is: three attempts, 30 s apart, on the injected clock.

Any failed pull gets them, a 404 too: an artifact may be pushed a moment after the server that
follows it has started. Content that was pulled and refused does not come here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ocizone import limits
from ocizone.errors import RegistryError, StoreError

T = TypeVar("T")

#: Called before a wait: how many attempts were made, why the last failed, seconds to wait.
Failed = Callable[[int, RegistryError | StoreError, float], None]


async def retrying(
    clock: IReactorTime, attempt: Callable[[], Awaitable[T]], *, interval_s: float, failed: Failed
) -> T:
    """Return what the first successful attempt returns.

    Args:
        clock: waits run on it.
        attempt: one attempt.
        interval_s: a Retry-After counts up to this: the next look would come then anyway.
        failed: is told of every failure that is followed by another attempt.

    Raises:
        RegistryError, StoreError: the last attempt's.
        CancelledError: cancelled, in an attempt or in a wait; never tried again.
    """

    def wait(state: RetryCallState) -> float:
        asked = getattr(_error(state), "retry_after_s", None) or 0.0
        return max(limits.BACKOFF_S, min(asked, interval_s))

    def before_sleep(state: RetryCallState) -> None:
        failed(state.attempt_number, _error(state), state.upcoming_sleep)

    def sleep(seconds: float) -> Awaitable[None]:
        return deferLater(clock, seconds)

    async def one() -> T:
        # tenacity takes a returned Deferred for a result; it has to be awaited here.
        return await attempt()

    policy = AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(limits.ATTEMPTS),
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
