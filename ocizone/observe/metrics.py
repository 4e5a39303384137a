"""Every metric there is, in one tuple: what a scrape shows, in its order.

A scrape of many zones is written in another thread: ``AsOf`` is what that one reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ocizone.answer.blocks import Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.counters import Counters
from ocizone.observe.events import FollowJournal
from ocizone.observe.expiries import Expiries
from ocizone.observe.gauges import ConditionGauges, Gauges
from ocizone.observe.queries import QueryMetrics
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.observe.server import ServerFacts, ServerGauges
from ocizone.observe.workers import WorkerGauges, WorkerState


@runtime_checkable
class Sampled(Protocol):
    """A collector whose metrics take long to collect: what they tell of is taken first."""

    def sampled(self) -> Collector:
        """Return a collector of what is so now, which another thread may ask."""


class AsOf:
    """A collector of many collectors, as they were when it was made; any thread may ask it.

    Making it is quick; it collects those that are quick, and of the others takes what they tell of.
    """

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._parts = [
            each.sampled() if isinstance(each, Sampled) else tuple(each.collect())
            for each in collectors
        ]

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for part in self._parts:
            yield from part if isinstance(part, tuple) else part.collect()


def collectors(
    *,
    counters: Counters,
    journal: FollowJournal,
    registry: RegistryTimes,
    snapshot: Callable[[], Snapshot],
    statuses: Callable[[], Iterable[SourceStatus]],
    facts: ServerFacts,
    certificates: Callable[[], Mapping[str, float]],
    wall: Callable[[], float],
    workers: Callable[[], Iterable[WorkerState]] = tuple,
) -> tuple[Collector, ...]:
    """Return the collectors of a server.

    Args:
        counters: of queries.
        journal: of following.
        registry: is told how long registries take.
        snapshot: returns what is served.
        statuses: returns those of every source.
        facts: of the process.
        certificates: returns until when they are good, by listening address.
        wall: unix seconds.
        workers: returns how they are.
    """
    return (
        QueryMetrics(counters),
        Gauges(snapshot, statuses, journal.pulls),
        ConditionGauges(statuses, wall),
        journal,
        registry,
        ServerGauges(facts),
        Expiries(certificates),
        WorkerGauges(workers),
    )
