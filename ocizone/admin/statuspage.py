"""The status document as a page: made in a thread, of what was so at one moment (admin.shared).

Not here: what it says (admin.status).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from twisted.internet.defer import Deferred

from ocizone.admin.pages import JSON, Page
from ocizone.admin.shared import InThread, SharedPage, Taken, text_of
from ocizone.admin.status import Facts, document
from ocizone.answer.blocks import Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.conditionbook import ConditionBook
from ocizone.plan import Plan


@dataclass(frozen=True, slots=True)
class Moment:
    """What the document is made of (admin.status.document), none of which changes."""

    facts: Facts
    plan: Plan
    snapshot: Snapshot
    statuses: tuple[SourceStatus, ...]


class StatusPage:
    """Answers ``/v1/status``. Reactor's thread."""

    def __init__(
        self,
        moment: Callable[[], Moment],
        book: ConditionBook,
        in_thread: InThread,
        seconds: Callable[[], float],
    ) -> None:
        """Make it.

        Args:
            moment: returns what is so now.
            book: knows since when conditions are as they are.
            in_thread: see admin.shared.
            seconds: monotonic.
        """
        self._moment = moment
        self._book = book
        self._page = SharedPage(self._take, in_thread, seconds)

    def __call__(self) -> Deferred[Page]:
        """Return the page. What changed since is told at once; counts may be a second old."""
        return self._page()

    def _take(self) -> Taken:
        now = self._moment()

        def make() -> Page:
            shown = document(now.facts, now.plan, now.snapshot, now.statuses, self._book)
            return Page(HTTPStatus.OK, JSON, text_of(shown))

        return Taken(make, _tag(now))


def _tag(now: Moment) -> tuple[object, ...]:
    serving = tuple((one.number, one.up, one.generation) for one in now.facts.workers)
    return (now.plan.corefile.fingerprint, now.snapshot, now.statuses, serving)
