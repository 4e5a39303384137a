"""The pool of daemon threads: results, cancelling, and a stop that waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone.follow.pool import DaemonPool


@implementer(IReactorFromThreads)
class Inbox:
    """Takes calls from threads; the test runs them."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002 - Twisted's names
        self._calls.put(lambda: callable(*args, **kwargs))

    def run_one(self) -> None:
        self._calls.get(timeout=10)()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def test_result_comes_in_the_reactor_thread(inbox: Inbox) -> None:
    """Work runs in a daemon thread, its result is delivered by the reactor."""
    pool = DaemonPool("test", 1, inbox)
    results: list[threading.Thread] = []
    pool.call(threading.current_thread).addCallback(results.append)
    assert results == []
    inbox.run_one()
    assert results[0].daemon
    assert results[0].name == "test-1"
    pool.stop()


def test_exception_comes_as_failure(inbox: Inbox) -> None:
    """What work raises reaches the Deferred; the thread goes on."""
    pool = DaemonPool("test", 1, inbox)
    failures: list[Failure] = []
    broken: Deferred[object] = pool.call(lambda: 1 // 0)
    broken.addErrback(failures.append)
    inbox.run_one()
    assert failures[0].check(ZeroDivisionError)
    results: list[int] = []
    pool.call(lambda: 7).addCallback(results.append)
    inbox.run_one()
    assert results == [7]
    pool.stop()


def test_threads_are_bounded(inbox: Inbox) -> None:
    """No more threads than asked for; the rest waits its turn."""
    pool = DaemonPool("test", 2, inbox)
    names: list[str] = []
    for _ in range(20):
        pool.call(lambda: threading.current_thread().name).addCallback(names.append)
    for _ in range(20):
        inbox.run_one()
    assert set(names) <= {"test-1", "test-2"}
    pool.stop()


def test_cancelled_before_it_began_never_begins(inbox: Inbox) -> None:
    """Cancelled work that waits for a thread is not done."""
    pool = DaemonPool("test", 1, inbox)
    gate = threading.Event()
    pool.call(gate.wait)
    done: list[str] = []
    waiting = pool.call(lambda: done.append("cancelled one"))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    gate.set()
    inbox.run_one()
    pool.call(lambda: done.append("next one"))
    inbox.run_one()
    assert done == ["next one"]
    pool.stop()


@pytest.mark.parametrize("work", [lambda: "late", lambda: 1 // 0])
def test_result_after_cancel_is_dropped(inbox: Inbox, work: Callable[[], object]) -> None:
    """Cancelling work under way fires at once; what it comes to later is nobody's."""
    pool = DaemonPool("test", 1, inbox)
    begun, gate = threading.Event(), threading.Event()

    def slow() -> object:
        begun.set()
        gate.wait(10)
        return work()

    failures: list[object] = []
    running: Deferred[object] = pool.call(slow)
    running.addErrback(failures.append)
    begun.wait(10)
    running.cancel()
    assert len(failures) == 1
    gate.set()
    inbox.run_one()
    assert len(failures) == 1
    pool.stop()


def test_stop_does_not_wait_for_a_hung_thread(inbox: Inbox) -> None:
    """A thread that never returns is left behind; idle ones end."""
    pool = DaemonPool("hung", 2, inbox)
    gate = threading.Event()
    begun = threading.Event()

    def hang() -> None:
        begun.set()
        gate.wait(10)

    pool.call(hang)
    begun.wait(10)
    pool.call(lambda: None)
    inbox.run_one()
    pool.stop()
    gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("hung-"):
            thread.join(10)
            assert not thread.is_alive()
