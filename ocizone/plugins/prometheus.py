"""``prometheus``: ``GET /metrics`` in CoreDNS' names, and ocizone's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where to listen ("" is every address)."""

    host: str
    port: int
