"""Log lines and counters of what following does: one place where events become words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import assert_never

from prometheus_client.core import Metric
from twisted.logger import Logger

from ocizone.errors import Problem, Severity
from ocizone.follow.status import (
    Activated,
    AttemptFailed,
    Crashed,
    Decided,
    Disturbed,
    Event,
    Looked,
    Outcome,
)
from ocizone.observe.histogram import NETWORK_BUCKETS, Histogram, histogram_family

log = Logger(namespace="ocizone")


class FollowJournal:
    """Is told of every event of following; logs it, and counts it for ``/metrics``.

    Also a prometheus_client collector, of how long looks take.
    """

    def __init__(self) -> None:
        self.pulls: Counter[tuple[str, str]] = Counter()
        """Looks by (source name, outcome); ``crashed`` counts those a bug ended."""
        self._durations: dict[str, Histogram] = {}
        self._serving: set[str] = set()
        self._refused: dict[str, str] = {}
        """Digest last refused, by source: what is refused at every look is told once."""

    def __call__(self, event: Event) -> None:
        """Log and count one event."""
        match event:
            case AttemptFailed():
                log.warn(
                    "pull failed, will retry",
                    source=event.source,
                    attempt=event.attempt,
                    reason=event.failure.reason,
                    error=event.failure.message,
                    retry_in=f"{event.retry_in_s:g}s",
                )
            case Looked():
                self._looked(event)
            case Activated():
                self._serving.add(event.source)
                _activated(event)
            case Disturbed():
                log.warn(
                    f"{event.what} failed",
                    source=event.source,
                    reason=event.failure.reason if event.failure else "",
                    error=event.failure.message if event.failure else "",
                )
                log_problems(event.problems, source=event.source)
            case Decided():
                log.info(event.verb, source=event.source, digest=event.digest, reason=event.reason)
            case Crashed():
                self.pulls[event.source, "crashed"] += 1
                log.error("bug while following", source=event.source)
                for line in event.traceback.splitlines():
                    log.error("traceback", line=line)
            case _:
                assert_never(event)

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        yield histogram_family(
            "ocizone_pull_duration_seconds",
            "Time of a look, from its start to the swap.",
            ["result"],
            NETWORK_BUCKETS,
            {(result,): [(one.counts, one.total)] for result, one in self._durations.items()},
        )

    def _tell_refused(self, event: Looked) -> None:
        """Tell of a version that does not go live, once as long as nothing of it changes."""
        result, failure = event.result, event.result.failure
        reason = failure.reason if failure else ""
        text = "\n".join([result.digest, reason, *(str(problem) for problem in result.problems)])
        if self._refused.get(event.source) == text:
            log.debug("as before", source=event.source, digest=result.digest, reason=reason)
            return
        self._refused[event.source] = text
        held = result.outcome is Outcome.HELD
        say = log.warn if held else log.error
        say(
            "artifact held" if held else "artifact refused",
            source=event.source,
            digest=result.digest,
            reason=reason,
            error=failure.message.partition("\n")[0] if failure else "",
            served="the version before stays"
            if event.source in self._serving
            else "no version yet",
        )
        log_problems(result.problems, source=event.source)

    def _looked(self, event: Looked) -> None:
        result = event.result
        self.pulls[event.source, str(result.outcome)] += 1
        self._durations.setdefault(str(result.outcome), Histogram()).add(event.seconds)
        if result.outcome in {Outcome.UNCHANGED, Outcome.ACTIVATED}:
            self._refused.pop(event.source, None)
        match result.outcome:
            case Outcome.UNCHANGED:
                log.debug("unchanged", source=event.source, digest=result.digest)
            case Outcome.ACTIVATED | Outcome.CANCELLED | Outcome.SUSPENDED:
                pass
            case Outcome.REFUSED | Outcome.HELD:
                self._tell_refused(event)
            case Outcome.FAILED:
                log.error(
                    "pull failed until the next interval",
                    source=event.source,
                    reason=result.failure.reason if result.failure else "",
                    error=result.failure.message if result.failure else "",
                )
            case _:
                assert_never(result.outcome)


def _activated(event: Activated) -> None:
    log.info(
        "artifact restored" if event.restored else "artifact activated",
        source=event.source,
        digest=event.digest,
        generation=event.generation,
        zones=len(event.zones),
        records=sum(zone.records for zone in event.zones),
        serials=",".join(f"{zone.apex}={zone.serial}" for zone in event.zones[:8]),
        **dict(event.derived),
    )
    log_problems(event.problems, source=event.source)


def log_problems(problems: tuple[Problem, ...], source: str = "") -> None:
    """Log findings, each at its severity, and whose they are."""
    for problem in problems:
        say = log.error if problem.severity is Severity.ERROR else log.warn
        say(
            "finding",
            source=source,
            where=problem.where(),
            rule=problem.rule,
            what=problem.message,
            hint=problem.hint,
        )
