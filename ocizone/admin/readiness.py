"""What ``/health`` and ``/ready`` say: alive is one thing, every configured zone served another.

Readiness never depends on the registry: a last good version that is served is ready (CoreDNS
issues 2534 and 2951 argue both halves). Pure, but for the latch of ``until-ready``.

A missing zone is told with what became of its source:

    example.org.: no version of r.test/zones:prod yet (NotFound: r.test/zones:prod: no such tag)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ocizone.admin.pages import TEXT, Page
from ocizone.answer.blocks import NotReady, Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.workers import WorkerState
from ocizone.plan import Plan
from ocizone.wire.name import from_text, to_text


class Reasons:
    """Why zones have no version yet, by what became of their sources."""

    def __init__(self, plan: Plan | None = None, statuses: Iterable[SourceStatus] = ()) -> None:
        """Make it; without a plan nothing is known.

        Args:
            plan: says which sources a zone may come from.
            statuses: of the sources.
        """
        by_key = {status.key: status for status in statuses}
        self._of_zone: dict[tuple[str, bytes], list[str]] = {}
        self._of_block: dict[str, list[str]] = {}
        for view in plan.views if plan is not None else ():
            for key, rule in view.rules:
                status = by_key.get(key)
                why = _why(status) if status is not None else ""
                if not why:
                    continue
                if rule.kind != "file":
                    self._of_block.setdefault(view.name, []).append(why)
                for origin in rule.origins if rule.kind == "file" else ():
                    self._of_zone.setdefault((view.name, from_text(origin)), []).append(why)

    def of_zone(self, view: str, apex: bytes) -> str:
        """Return why a zone named by ``file`` is missing, in parentheses; "" for unknown."""
        return _in_parentheses(self._of_zone.get((view, apex), []))

    def of_block(self, view: str) -> str:
        """Return why a block's zones are not known, in parentheses; "" for unknown."""
        return _in_parentheses(self._of_block.get(view, []))


def _in_parentheses(whys: list[str]) -> str:
    return f" ({'; '.join(dict.fromkeys(whys))})" if whys else ""


def _why(status: SourceStatus) -> str:
    """Return why a source has no version, "" where it has one and nothing is wrong."""
    if status.last_error is not None:
        return f"{status.last_error.reason}: {status.last_error.message.partition(chr(10))[0]}"
    if status.held is not None:
        return f"{status.held.condition}: waits for ocizone approve"
    if status.digest:
        return ""
    if status.suspension is not None or status.state == "suspended":
        return "Suspended: no looks until resume"
    if status.state in {"looking", "waiting", "deploying"}:
        return f"{status.state}, attempt {status.attempts}"
    return "not looked at yet" if status.last_check is None else ""


_UNKNOWN = Reasons()


def missing(
    snapshot: Snapshot, views: Iterable[str] | None = None, reasons: Reasons = _UNKNOWN
) -> list[str]:
    """Return what keeps a snapshot from being ready, a line each, sorted.

    Args:
        snapshot: what is served.
        views: only these blocks count; None for all.
        reasons: why zones are missing, as far as that is known.
    """
    wanted = None if views is None else frozenset(views)
    found = []
    for name, block in snapshot.blocks.items():
        if wanted is not None and name not in wanted:
            continue
        found += [
            f"{to_text(apex)}: {zone.reason}{reasons.of_zone(name, apex)}"
            for apex, zone in block.zones.items()
            if isinstance(zone, NotReady)
        ]
        if block.pending:
            # The block's own zones may all be there, from another source: it is not whole yet.
            absent = [to_text(zone) for zone in block.keys if zone not in block.zones]
            why = f"{block.pending}{reasons.of_block(name)}"
            found += [f"{zone}: {why}" for zone in absent or [block.name]]
    return sorted(found)


def ailing(workers: Iterable[WorkerState]) -> list[str]:
    """Return a line for each worker that does not answer, and whose successor did not either.

    One that was replaced just now is no news: its queries wait for the next one.
    """
    return [
        f"worker {one.number}: does not answer, it ended {one.failures} times in a row"
        for one in workers
        if not one.up and one.failures > 1
    ]


def health() -> Page:
    """Return that we are alive: whoever can say so is."""
    return Page(200, TEXT, b"OK")


class Readiness:
    """Answers ``/ready`` for some blocks."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        stopping: Callable[[], bool],
        views: Iterable[str],
        *,
        latch: bool,
        reasons: Callable[[], Reasons] = Reasons,
        workers: Callable[[], Iterable[WorkerState]] = tuple,
    ) -> None:
        """Make the answerer.

        Args:
            snapshot: returns what is served now.
            stopping: tells whether the server is shutting down.
            views: names of the blocks that count.
            latch: once ready stays ready (``monitor until-ready``).
            reasons: returns why zones are missing now.
            workers: returns how they are.
        """
        self._workers = workers
        self._snapshot = snapshot
        self._stopping = stopping
        self._views = tuple(views)
        self._latch = latch
        self._reasons = reasons
        self._was_ready = False

    def page(self) -> Page:
        """Return 200 OK, or 503 and what is missing."""
        if self._stopping():
            return Page(503, TEXT, b"Shutting down")
        if self._latch and self._was_ready:
            return Page(200, TEXT, b"OK")
        snapshot = self._snapshot()
        lines = ailing(self._workers())
        if missing(snapshot, self._views):
            lines += missing(snapshot, self._views, self._reasons())
        if lines:
            return Page(503, TEXT, "\n".join(lines).encode())
        self._was_ready = True
        return Page(200, TEXT, b"OK")
