"""What is served and followed, as metrics: read at scrape time, so that no series outlives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.limits import METRIC_GAUGE_ZONES
from ocizone.observe.conditionbook import sources_of_zones
from ocizone.observe.conditions import SOURCE_TYPES, ConditionType, conditions_of
from ocizone.observe.queries import OTHER_ZONES
from ocizone.wire.name import to_text

#: Metric, its help, and the field of SourceStatus it shows; unix seconds.
_TIMES = (
    ("ocizone_pull_last_success_timestamp_seconds", "Last look that succeeded.", "last_success"),
    ("ocizone_pull_last_check_timestamp_seconds", "Last look.", "last_check"),
    ("ocizone_pull_next_timestamp_seconds", "Next look.", "next_check"),
)


class Gauges:
    """A prometheus_client collector over the live snapshot and the sources."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        statuses: Callable[[], Iterable[SourceStatus]],
        pulls: Mapping[tuple[str, str], int],
    ) -> None:
        self._snapshot = snapshot
        self._statuses = statuses
        self._pulls = pulls

    def sampled(self) -> Gauges:
        """Return the gauges of now, for another thread."""
        snapshot, statuses = self._snapshot(), tuple(self._statuses())
        return Gauges(lambda: snapshot, lambda: statuses, dict(self._pulls))

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        snapshot = self._snapshot()
        yield GaugeMetricFamily("ocizone_generation", "Snapshots swapped in.", snapshot.generation)
        statuses = list(self._statuses())
        yield from _zones(snapshot, statuses)
        yield from self._sources(statuses)

    def _sources(self, statuses: list[SourceStatus]) -> Iterator[Metric]:
        pulls = CounterMetricFamily("ocizone_pull", "Looks.", labels=["source", "result"])
        followed = {status.name for status in statuses}
        for (source, result), count in self._pulls.items():
            if source in followed:
                pulls.add_metric([source, result], count)
        yield pulls
        octets = CounterMetricFamily(
            "ocizone_pull_bytes", "Fetched since the start.", labels=["source"]
        )
        for status in statuses:
            octets.add_metric([status.name], status.octets)
        yield octets
        info = GaugeMetricFamily("ocizone_artifact_info", "Served.", labels=["ref", "digest"])
        failing = GaugeMetricFamily("ocizone_pull_failing", "1 while.", labels=["source", "reason"])
        for status in statuses:
            if status.digest:
                info.add_metric([status.reference, status.digest], 1)
            if status.last_error:
                failing.add_metric([status.name, status.last_error.reason], 1)
        yield info
        yield failing
        for name, documentation, field in _TIMES:
            times = GaugeMetricFamily(name, documentation, labels=["source"])
            for status in statuses:
                value = getattr(status, field)
                if value is not None:
                    times.add_metric([status.name], value)
            yield times


class ConditionGauges:
    """A prometheus_client collector: every condition of every source, 1 while it is so, else 0."""

    def __init__(
        self, statuses: Callable[[], Iterable[SourceStatus]], wall: Callable[[], float]
    ) -> None:
        """Make it.

        Args:
            statuses: of every source.
            wall: unix seconds.
        """
        self._statuses = statuses
        self._wall = wall

    def collect(self) -> Iterator[Metric]:
        """Yield the metric; SourceVerified only where a signature is asked for."""
        now = self._wall()
        found = GaugeMetricFamily(
            "ocizone_source_condition", "1 while it is so.", labels=["source", "type"]
        )
        for status in self._statuses():
            so = {one.type for one in conditions_of(status, now) if one.status}
            for kind in SOURCE_TYPES:
                if kind is not ConditionType.SOURCE_VERIFIED or status.verify:
                    found.add_metric([status.name, str(kind)], float(kind in so))
        yield found


def _zones(snapshot: Snapshot, statuses: list[SourceStatus]) -> Iterator[Metric]:
    serials = GaugeMetricFamily("ocizone_zone_serial", "SOA serial.", labels=["zone", "view"])
    records = GaugeMetricFamily("ocizone_zone_records", "Records.", labels=["zone", "view"])
    expiry = GaugeMetricFamily(
        "ocizone_zone_rrsig_expiry_seconds",
        "Unix time when the zone's first signature expires.",
        labels=["zone", "view"],
    )
    loaded = GaugeMetricFamily(
        "ocizone_zone_loaded_timestamp_seconds",
        "Unix time when what is served was activated.",
        labels=["zone", "view"],
    )
    served = GaugeMetricFamily(
        "ocizone_zone_info", "What is served.", labels=["zone", "view", "digest", "tag"]
    )
    of_zone = sources_of_zones(statuses)
    zones = (
        (to_text(apex), block.name, zone.reader.info)
        for block in snapshot.blocks.values()
        for apex, zone in block.zones.items()
        if isinstance(zone, Loaded)
    )
    for apex, view, info in islice(zones, METRIC_GAUGE_ZONES):
        labels = [apex, view]
        serials.add_metric(labels, info.serial)
        records.add_metric(labels, info.records)
        if info.signed_until:
            expiry.add_metric(labels, info.signed_until)
        status = of_zone.get((view, apex))
        if status is not None and status.activated is not None:
            loaded.add_metric(labels, status.activated)
            served.add_metric([*labels, status.digest, status.tag], 1)
    rest = [info for _, _, info in zones]
    if rest:
        # A sum of serials tells nothing; of signatures the first that expires is what matters.
        labels = [OTHER_ZONES, ""]
        records.add_metric(labels, sum(info.records for info in rest))
        signed = [info.signed_until for info in rest if info.signed_until]
        if signed:
            expiry.add_metric(labels, min(signed))
    yield serials
    yield records
    yield expiry
    yield loaded
    yield served
