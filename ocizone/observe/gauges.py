"""What is served and followed, as metrics: read at scrape time, so that no series outlives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.follow.status import SourceStatus
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

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        snapshot = self._snapshot()
        yield GaugeMetricFamily("ocizone_generation", "Snapshots swapped in.", snapshot.generation)
        yield from _zones(snapshot)
        yield from self._sources()

    def _sources(self) -> Iterator[Metric]:
        pulls = CounterMetricFamily("ocizone_pull", "Looks.", labels=["source", "result"])
        for (source, result), count in self._pulls.items():
            pulls.add_metric([source, result], count)
        yield pulls
        info = GaugeMetricFamily("ocizone_artifact_info", "Served.", labels=["ref", "digest"])
        failing = GaugeMetricFamily("ocizone_pull_failing", "1 while.", labels=["source", "reason"])
        statuses = list(self._statuses())
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


def _zones(snapshot: Snapshot) -> Iterator[Metric]:
    serials = GaugeMetricFamily("ocizone_zone_serial", "SOA serial.", labels=["zone", "view"])
    records = GaugeMetricFamily("ocizone_zone_records", "Records.", labels=["zone", "view"])
    expiry = GaugeMetricFamily(
        "ocizone_zone_rrsig_expiry_seconds",
        "Unix time when the zone's first signature expires.",
        labels=["zone", "view"],
    )
    for block in snapshot.blocks.values():
        for apex, zone in block.zones.items():
            if isinstance(zone, Loaded):
                labels, info = [to_text(apex), block.name], zone.reader.info
                serials.add_metric(labels, info.serial)
                records.add_metric(labels, info.records)
                if info.signed_until:
                    expiry.add_metric(labels, info.signed_until)
    yield serials
    yield records
    yield expiry
