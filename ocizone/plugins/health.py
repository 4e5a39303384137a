"""``health``: ``GET /health`` tells that the process is alive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Where to listen ("" is every address) and how long to go on serving at shutdown."""

    host: str
    port: int
    lameduck_s: float
