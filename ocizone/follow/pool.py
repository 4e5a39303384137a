"""A bounded pool of daemon threads, whose stop never waits for a thread.

Twisted's ThreadPool joins its threads when it stops: one registry that accepts and never
answers would keep the process from ending. These threads die with the process.

Pulls and disk work get a pool each: pulls of dead registries must not keep the state of other
sources from being restored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Pool(Protocol):
    """Runs blocking work elsewhere."""

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        """Return a Deferred of what ``work`` returns or raises.

        Cancelling it forgets the work: not begun, it never is; begun, its result is dropped.
        """


class Overdue(Exception):  # noqa: N818 - what it is, not an error of ours
    """Work took longer than it may; its thread may still be at it."""


async def call_within(pool: Pool, clock: IReactorTime, seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, if it takes at most ``seconds`` once it has begun.

    Waiting for a thread does not count: that is the fault of other registries.

    Raises:
        Overdue: it took longer.
        CancelledError: cancelled.
    """
    begun: list[float] = []
    late = False
    timer: IDelayedCall

    def timed() -> T:
        begun.append(clock.seconds())
        return work()

    def check() -> None:
        nonlocal timer, late
        left = begun[0] + seconds - clock.seconds() if begun else seconds
        if left > 0:
            timer = clock.callLater(left, check)
        else:
            late = True
            result.cancel()

    result = pool.call(timed)
    timer = clock.callLater(seconds, check)
    try:
        return await result
    except CancelledError as error:
        if late:
            raise Overdue from error
        raise
    finally:
        if timer.active():
            timer.cancel()


class DaemonPool:
    """The pool of production."""

    def __init__(self, name: str, threads: int, reactor: IReactorFromThreads) -> None:
        self._name = name
        self._threads = threads
        self._reactor = reactor
        self._started = 0
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` in one of the threads; see Pool. Reactor thread only."""
        result: Deferred[T] = Deferred()

        def run() -> None:
            if result.called:
                return
            try:
                value = work()
            except BaseException:  # noqa: BLE001 - the border: everything goes to the Deferred
                self._reactor.callFromThread(_fail, result, Failure())
            else:
                self._reactor.callFromThread(_succeed, result, value)

        self._work.put(run)
        if self._started < self._threads:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        return result

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()

    def stop(self) -> None:
        """Let idle threads end, and busy ones when they are done; waits for none."""
        for _ in range(self._started):
            self._work.put(None)


def _succeed(result: Deferred[T], value: T) -> None:
    if not result.called:
        result.callback(value)


def _fail(result: Deferred[T], failure: Failure) -> None:
    if not result.called:
        result.errback(failure)
