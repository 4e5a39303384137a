"""What was counted of queries, as it reads at scrape time (CoreDNS' names, and ours).

Not here: counting (observe.counters), and HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ocizone import __version__
from ocizone.limits import METRIC_GAUGE_ZONES, METRIC_ZONES
from ocizone.observe.counters import (
    DURATION_BUCKETS,
    NO_ZONE,
    QTYPES,
    RCODES,
    SIZE_BUCKETS,
    Counters,
)
from ocizone.observe.histogram import histogram_family

#: The zone label that stands for all zones beyond those that have series of their own.
OTHER_ZONES = "others"


class QueryMetrics:
    """A prometheus_client collector of counters."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def sampled(self) -> QueryMetrics:
        """Return a collector of the counts of now, which another thread may ask."""
        return QueryMetrics(self._counters.copy())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, summed from the tallies."""
        for name in ("coredns_build_info", "ocizone_build_info"):
            build = GaugeMetricFamily(name, "Build information.", labels=["version"])
            build.add_metric([__version__], 1)
            yield build
        for name in ("coredns_panics", "ocizone_panics"):
            yield CounterMetricFamily(name, "Bugs answered SERVFAIL.", value=self._counters.panics)
        yield CounterMetricFamily(
            "coredns_reload_failed",
            "Corefiles that were refused.",
            value=self._counters.failed_reloads,
        )
        drops = [((reason,), count) for reason, count in self._counters.drops.items()]
        yield _counter("ocizone_dns_dropped", "Not answered.", ["reason"], drops)
        yield _counter(
            "ocizone_xfr", "Transfers.", ["zone", "result"], self._counters.transfers.items()
        )
        notifies = [((result,), count) for result, count in self._counters.notifies.items()]
        yield _counter("ocizone_notify", "NOTIFY sent.", ["result"], notifies)
        yield from self._requests()
        yield from self._by_zone()
        yield from self._histograms()

    def _requests(self) -> Iterator[Metric]:
        label = self._own_series(METRIC_GAUGE_ZONES)
        by_request: Counter[tuple[str, ...]] = Counter()
        by_response: Counter[tuple[str, ...]] = Counter()
        by_do: Counter[tuple[str, ...]] = Counter()
        for (server, asked, protocol, family, qtype, rcode), tally in self._counters.tallies():
            zone = label[asked]
            by_request[server, zone, "", protocol, family, QTYPES.get(qtype, "other")] += (
                tally.count
            )
            if rcode >= 0:
                name = RCODES.get(rcode, str(rcode))
                by_response[server, zone, "", name, "file" if zone != NO_ZONE else ""] += (
                    tally.count
                )
            by_do[server, zone, ""] += tally.dnssec_ok
        place = ["server", "zone", "view"]
        yield _counter(
            "coredns_dns_requests",
            "Queries.",
            [*place, "proto", "family", "type"],
            by_request.items(),
        )
        yield _counter(
            "coredns_dns_responses", "Replies.", [*place, "rcode", "plugin"], by_response.items()
        )
        yield _counter("coredns_dns_do_requests", "Queries with DO.", place, by_do.items())

    def _by_zone(self) -> Iterator[Metric]:
        """Yield the same under our names, without CoreDNS' labels that are always alike."""
        label = self._own_series(METRIC_GAUGE_ZONES)
        requests: Counter[tuple[str, ...]] = Counter()
        responses: Counter[tuple[str, ...]] = Counter()
        durations: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        for (_, asked, protocol, family, qtype, rcode), tally in self._counters.tallies():
            zone = label[asked]
            requests[zone, protocol, family, QTYPES.get(qtype, "other")] += tally.count
            if rcode >= 0:
                responses[zone, RCODES.get(rcode, str(rcode))] += tally.count
            durations.setdefault((protocol,), []).append((tally.durations, tally.seconds))
        yield _counter(
            "ocizone_dns_requests",
            "Queries.",
            ["zone", "proto", "family", "type"],
            requests.items(),
        )
        yield _counter("ocizone_dns_responses", "Replies.", ["zone", "rcode"], responses.items())
        yield histogram_family(
            "ocizone_dns_request_duration_seconds",
            "Time to answer.",
            ["proto"],
            DURATION_BUCKETS,
            durations,
        )

    def _own_series(self, most: int) -> Mapping[str, str]:
        """Return the zone label of each zone where so many have series of their own."""
        zones = dict.fromkeys(zone for (_, zone, *_), _ in self._counters.tallies())
        own = [zone for zone in zones if zone != NO_ZONE][:most]
        return {**dict.fromkeys(zones, OTHER_ZONES), **{zone: zone for zone in (*own, NO_ZONE)}}

    def _histograms(self) -> Iterator[Metric]:
        label = self._own_series(METRIC_ZONES)
        durations: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        requests: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        responses: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        for (server, asked, protocol, *_), tally in self._counters.tallies():
            zone = label[asked]
            durations.setdefault((server, zone, ""), []).append((tally.durations, tally.seconds))
            sized = (server, zone, "", protocol)
            requests.setdefault(sized, []).append((tally.requests, tally.sizes[0]))
            responses.setdefault(sized, []).append((tally.responses, tally.sizes[1]))
        labels = ["server", "zone", "view"]
        yield histogram_family(
            "coredns_dns_request_duration_seconds",
            "Time to answer.",
            labels,
            DURATION_BUCKETS,
            durations,
        )
        labels = [*labels, "proto"]
        yield histogram_family(
            "coredns_dns_request_size_bytes", "Size of queries.", labels, SIZE_BUCKETS, requests
        )
        yield histogram_family(
            "coredns_dns_response_size_bytes", "Size of replies.", labels, SIZE_BUCKETS, responses
        )


def _counter(
    name: str,
    documentation: str,
    labels: list[str],
    counts: Iterable[tuple[tuple[str, ...], int]],
) -> Metric:
    family = CounterMetricFamily(name, documentation, labels=labels)
    for values, count in counts:
        family.add_metric(list(values), count)
    return family
