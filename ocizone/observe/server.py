"""What the server is made of and busy with, as metrics read at scrape time.

Not here: queries (counters), zones and sources (gauges).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric

#: (listening address, zone of the key line, directive).
Enabled = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is told, each asked for at every scrape; none of them may block.

    Attributes:
        config_hash: hex SHA-256 of the Corefile that runs.
        enabled: directives of each server block.
        tcp_connections: of DNS clients, by state.
        store_octets: of the state directory, None while not counted.
        loop_lag_s: the worst delay of late.
    """

    config_hash: Callable[[], str]
    enabled: Callable[[], Iterable[Enabled]]
    tcp_connections: Callable[[], Mapping[str, int]]
    store_octets: Callable[[], int | None]
    loop_lag_s: Callable[[], float]


class ServerGauges:
    """A prometheus_client collector."""

    def __init__(self, facts: ServerFacts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        facts = self._facts
        config = GaugeMetricFamily("ocizone_config_hash_info", "The Corefile.", labels=["hash"])
        config.add_metric([facts.config_hash()], 1)
        yield config
        version = GaugeMetricFamily(
            "coredns_reload_version_info", "The Corefile.", labels=["hash", "value"]
        )
        version.add_metric(["sha256", facts.config_hash()], 1)
        yield version
        enabled = GaugeMetricFamily(
            "coredns_plugin_enabled", "Directives.", labels=["server", "zone", "view", "name"]
        )
        for server, zone, name in facts.enabled():
            enabled.add_metric([server, zone, "", name], 1)
        yield enabled
        connections = GaugeMetricFamily(
            "ocizone_tcp_connections", "Open connections of DNS clients.", labels=["state"]
        )
        for state, count in facts.tcp_connections().items():
            connections.add_metric([state], count)
        yield connections
        octets = facts.store_octets()
        if octets is not None:
            yield GaugeMetricFamily(
                "ocizone_store_bytes", "Size of the state directory.", value=octets
            )
        yield GaugeMetricFamily(
            "ocizone_event_loop_lag_seconds",
            "The worst delay of the event loop in the last minute.",
            value=facts.loop_lag_s(),
        )
