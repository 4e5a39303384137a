"""How long registries take, and what caches save: told from pool threads, read at a scrape.

The names are Flux' (flux_registry_*) with our prefix. Labels are of fixed sets: no host, no
repository. Not here: what is asked of a registry (registry.client).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from prometheus_client.core import CounterMetricFamily, Metric

from ocizone.observe.histogram import NETWORK_BUCKETS, Histogram, histogram_family

#: What is asked for: ``tags`` names a tag or lists them, ``metadata`` is a manifest or referrers.
RequestKind = Literal["tags", "metadata", "blob", "token"]
#: Which cache: of manifests on disk, in memory, or in memcached.
CacheKind = Literal["memory", "disk", "memcached"]


class RegistryTimes:
    """Counts; any thread. Also a prometheus_client collector."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, ...], Histogram] = {}
        self._fetches: dict[tuple[str, ...], Histogram] = {}
        self._caches: Counter[tuple[str, str]] = Counter()

    def request(self, kind: RequestKind, success: bool, seconds: float) -> None:  # noqa: FBT001 - it is the label
        """Count one request to a registry or its token service."""
        with self._lock:
            self._requests.setdefault((kind, _word(success)), Histogram()).add(seconds)

    def fetch(self, success: bool, seconds: float) -> None:  # noqa: FBT001 - it is the label
        """Count one whole look at an artifact: all its requests."""
        with self._lock:
            self._fetches.setdefault((_word(success),), Histogram()).add(seconds)

    def cache(self, kind: CacheKind, hit: bool) -> None:  # noqa: FBT001 - it is the label
        """Count one question to a cache."""
        with self._lock:
            self._caches[kind, "hit" if hit else "miss"] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        with self._lock:
            requests = {key: [(list(one.counts), one.total)] for key, one in self._requests.items()}
            fetches = {key: [(list(one.counts), one.total)] for key, one in self._fetches.items()}
            caches = dict(self._caches)
        yield histogram_family(
            "ocizone_registry_request_duration_seconds",
            "Time of one request.",
            ["kind", "success"],
            NETWORK_BUCKETS,
            requests,
        )
        yield histogram_family(
            "ocizone_registry_fetch_duration_seconds",
            "Time of all requests of a look.",
            ["success"],
            NETWORK_BUCKETS,
            fetches,
        )
        asked = CounterMetricFamily(
            "ocizone_registry_cache_requests",
            "Questions to caches of manifests and tags.",
            labels=["cache", "result"],
        )
        for labels, count in caches.items():
            asked.add_metric(list(labels), count)
        yield asked


def _word(success: bool) -> str:  # noqa: FBT001 - it is the label
    return "true" if success else "false"
