"""A page that takes long to make: made in a thread, and once for all who ask within a second.

With 10,000 zones the status document and the metrics are megabytes: made on the reactor's thread
every query would wait for them, as often as somebody asks, and nobody has to show a token for it.
What a page tells of is taken on the reactor's thread, as values that do not change; the text is
made of it elsewhere. Small pages are made anew for everybody: what costs nothing is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, execute, succeed
from twisted.python.failure import Failure

from ocizone.admin.pages import Page
from ocizone.limits import PAGE_KEPT_OCTETS, PAGE_KEPT_S

#: Runs work in a thread; the Deferred is of what it returns or raises.
InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]


def at_once(work: Callable[[], Any]) -> Deferred[Any]:
    """Run work here and now, where there is no thread to run it in."""
    return execute(work)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a page is made of.

    Attributes:
        make: returns the page; called in another thread.
        tag: a page made of this may stand for one made of what has an equal tag.
    """

    make: Callable[[], Page]
    tag: object = None


@dataclass(slots=True, eq=False)
class _Making:
    tag: object
    at: float
    page: Page | None = None
    waiting: list[Deferred[Page]] = field(default_factory=list)


class SharedPage:
    """Makes the page. Reactor's thread."""

    def __init__(
        self, take: Callable[[], Taken], in_thread: InThread, seconds: Callable[[], float]
    ) -> None:
        """Make it.

        Args:
            take: quick; its result is made a page of in a thread.
            in_thread: see InThread; one at a time.
            seconds: monotonic.
        """
        self._take = take
        self._in_thread = in_thread
        self._seconds = seconds
        self._known: _Making | None = None

    def __call__(self) -> Deferred[Page]:
        """Return the page; fails with whatever making it raises."""
        taken, now, known = self._take(), self._seconds(), self._known
        if known is None or known.tag != taken.tag or now - known.at >= PAGE_KEPT_S:
            known = self._known = _Making(taken.tag, now)
            made = self._in_thread(taken.make)
            made.addCallbacks(self._made, self._failed, (known,), errbackArgs=(known,))
        if known.page is not None:
            return succeed(known.page)
        asked: Deferred[Page] = Deferred()
        known.waiting.append(asked)
        return asked

    def _made(self, page: Page, making: _Making) -> None:
        making.page = page
        if len(page.body) < PAGE_KEPT_OCTETS:
            self._forget(making)
        for asked in making.waiting:
            asked.callback(page)

    def _failed(self, failure: Failure, making: _Making) -> None:
        self._forget(making)
        for asked in making.waiting:
            asked.errback(failure)

    def _forget(self, making: _Making) -> None:
        if self._known is making:
            self._known = None


def text_of(document: dict[str, Any]) -> bytes:
    """Return a document as JSON, written a piece at a time.

    json.dumps holds the interpreter until it is done: of megabytes that is as long in a thread as
    on the reactor's. Here each element of a list at the top is one such time.
    """
    return (
        "{" + ", ".join(f"{json.dumps(name)}: {_text(document[name])}" for name in document) + "}"
    ).encode()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join([json.dumps(one) for one in value]) + "]"
    return json.dumps(value)
