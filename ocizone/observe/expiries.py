"""Until when certificates are good, as a metric: an alert on it is earlier than any log line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric


class Expiries:
    """A prometheus_client collector; ``expiries`` tells unix seconds by listening address."""

    def __init__(self, expiries: Callable[[], Mapping[str, float]]) -> None:
        self._expiries = expiries

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        found = GaugeMetricFamily(
            "ocizone_tls_certificate_not_after_timestamp_seconds",
            "Until when the certificate served on an address is good.",
            labels=["server"],
        )
        for server, not_after in self._expiries().items():
            found.add_metric([server], not_after)
        yield found
