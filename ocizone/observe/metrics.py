"""Every metric there is, in one tuple: what a scrape shows, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.registry import Collector

from ocizone.answer.blocks import Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.counters import Counters
from ocizone.observe.events import FollowJournal
from ocizone.observe.expiries import Expiries
from ocizone.observe.gauges import ConditionGauges, Gauges
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.observe.server import ServerFacts, ServerGauges


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
    """
    return (
        counters,
        Gauges(snapshot, statuses, journal.pulls),
        ConditionGauges(statuses, wall),
        journal,
        registry,
        ServerGauges(facts),
        Expiries(certificates),
    )
