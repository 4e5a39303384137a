"""Counts by buckets, and how they read at scrape time. Not thread-safe: the caller sees to that."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import HistogramMetricFamily, Metric

#: Seconds of what crosses a network: a HEAD of a near registry to a pull of a gigabyte.
NETWORK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Histogram:
    """Counts of one combination of labels."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = NETWORK_BUCKETS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value; a bucket holds what is at most its bound."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


def histogram_family(
    name: str,
    documentation: str,
    labels: list[str],
    bounds: Iterable[float],
    parts: Mapping[tuple[str, ...], Sequence[tuple[Sequence[int], float]]],
) -> Metric:
    """Return a histogram metric.

    Args:
        name: of the metric.
        documentation: its help.
        labels: their names.
        bounds: upper ones of the buckets, without infinity.
        parts: by values of the labels, what is summed: counts of each bucket, and the total.
    """
    metric = HistogramMetricFamily(name, documentation, labels=labels)
    shown = [*(f"{bound:g}" for bound in bounds), "+Inf"]
    for values, tallies in parts.items():
        running = 0
        buckets = []
        for bound, counts in zip(
            shown, zip(*(counts for counts, _ in tallies), strict=True), strict=True
        ):
            running += sum(counts)
            buckets.append((bound, float(running)))
        metric.add_metric(list(values), buckets, sum(total for _, total in tallies))
    return metric
