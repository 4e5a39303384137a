"""What is counted of queries, cheaply, and how it reads at scrape time (CoreDNS' names).

One dict entry for each combination that occurred; the labels come from configured zones and
fixed sets, so that no client can make series (CoreDNS issue 4507). Not here: HTTP.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ocizone import __version__
from ocizone.answer.sent import Outcome
from ocizone.limits import METRIC_GAUGE_ZONES, METRIC_ZONES
from ocizone.observe.histogram import histogram_family

DURATION_BUCKETS = tuple(0.00025 * 2**step for step in range(16))
SIZE_BUCKETS = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3)
QTYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA",
    33: "SRV", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 64: "SVCB",
    65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY",
}  # fmt: skip
RCODES = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
    6: "YXDOMAIN", 9: "NOTAUTH", 16: "BADVERS", 23: "BADCOOKIE",
}  # fmt: skip
#: The zone label of a query no block takes, as in CoreDNS.
NO_ZONE = "dropped"
#: The zone label that stands for all zones beyond those that have series of their own.
OTHER_ZONES = "others"

_Key = tuple[str, str, str, str, int, int]
"""(server, zone, protocol, family, qtype or -1, rcode or -1 for silence)."""


class Tally:
    """Counts of one combination of labels."""

    __slots__ = ("count", "dnssec_ok", "durations", "requests", "responses", "seconds", "sizes")

    def __init__(self) -> None:
        self.count = 0
        self.dnssec_ok = 0
        self.seconds = 0.0
        self.durations = [0] * (len(DURATION_BUCKETS) + 1)
        self.requests = [0] * (len(SIZE_BUCKETS) + 1)
        self.responses = [0] * (len(SIZE_BUCKETS) + 1)
        self.sizes = [0, 0]


class Counters:
    """Everything counted since the start; also a prometheus_client collector."""

    def __init__(self) -> None:
        self._tallies: dict[_Key, Tally] = {}
        self.panics = 0
        self.failed_reloads = 0
        self.drops: Counter[str] = Counter()
        self.notifies: Counter[str] = Counter()
        self.transfers: Counter[tuple[str, Outcome]] = Counter()
        """By zone and how they ended."""

    def dropped(self, reason: str) -> None:
        """Count what was not answered, or a connection that was not kept."""
        self.drops[reason] += 1

    def notified(self, result: str) -> None:
        """Count what became of a NOTIFY."""
        self.notifies[result] += 1

    def query(
        self,
        server: str,
        zone: str,
        protocol: str,
        family: str,
        qtype: int,
        rcode: int,
        request_octets: int,
        response_octets: int,
        seconds: float,
        *,
        dnssec_ok: bool,
    ) -> None:
        """Count one query; ``rcode`` is -1 and ``response_octets`` 0 when nothing was answered."""
        key = (server, zone, protocol, family, qtype if qtype in QTYPES else -1, rcode)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        tally.count += 1
        tally.dnssec_ok += dnssec_ok
        tally.seconds += seconds
        tally.durations[bisect_left(DURATION_BUCKETS, seconds)] += 1
        tally.requests[bisect_left(SIZE_BUCKETS, request_octets)] += 1
        tally.responses[bisect_left(SIZE_BUCKETS, response_octets)] += 1
        tally.sizes[0] += request_octets
        tally.sizes[1] += response_octets

    def by_rcode(self) -> Counter[str]:
        """Return how many replies there were of each rcode."""
        found: Counter[str] = Counter()
        for key, tally in self._tallies.items():
            if key[5] >= 0:
                found[RCODES.get(key[5], str(key[5]))] += tally.count
        return found

    def sampled(self) -> Counters:
        """Return the counts of now, for another thread; each combination goes on being counted."""
        taken = Counters()
        taken._tallies = self._tallies.copy()
        taken.panics, taken.failed_reloads = self.panics, self.failed_reloads
        taken.drops, taken.notifies = self.drops.copy(), self.notifies.copy()
        taken.transfers = self.transfers.copy()
        return taken

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, summed from the tallies."""
        for name in ("coredns_build_info", "ocizone_build_info"):
            build = GaugeMetricFamily(name, "Build information.", labels=["version"])
            build.add_metric([__version__], 1)
            yield build
        for name in ("coredns_panics", "ocizone_panics"):
            yield CounterMetricFamily(name, "Bugs answered SERVFAIL.", value=self.panics)
        yield CounterMetricFamily(
            "coredns_reload_failed", "Corefiles that were refused.", value=self.failed_reloads
        )
        drops = [((reason,), count) for reason, count in self.drops.items()]
        yield _counter("ocizone_dns_dropped", "Not answered.", ["reason"], drops)
        yield _counter("ocizone_xfr", "Transfers.", ["zone", "result"], self.transfers.items())
        notifies = [((result,), count) for result, count in self.notifies.items()]
        yield _counter("ocizone_notify", "NOTIFY sent.", ["result"], notifies)
        yield from self._requests()
        yield from self._by_zone()
        yield from self._histograms()

    def _requests(self) -> Iterator[Metric]:
        label = self._own_series(METRIC_GAUGE_ZONES)
        by_request: Counter[tuple[str, ...]] = Counter()
        by_response: Counter[tuple[str, ...]] = Counter()
        by_do: Counter[tuple[str, ...]] = Counter()
        for (server, asked, protocol, family, qtype, rcode), tally in self._tallies.items():
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
        for (_, asked, protocol, family, qtype, rcode), tally in self._tallies.items():
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
        zones = dict.fromkeys(zone for _, zone, *_ in self._tallies)
        own = [zone for zone in zones if zone != NO_ZONE][:most]
        return {**dict.fromkeys(zones, OTHER_ZONES), **{zone: zone for zone in (*own, NO_ZONE)}}

    def _histograms(self) -> Iterator[Metric]:
        label = self._own_series(METRIC_ZONES)
        durations: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        requests: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        responses: dict[tuple[str, ...], list[tuple[list[int], float]]] = {}
        for (server, asked, protocol, *_), tally in self._tallies.items():
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
