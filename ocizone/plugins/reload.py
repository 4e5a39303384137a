"""``reload``: look at the Corefile again and again, and take up changes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reload:
    """How often to look, and the jitter around it, in seconds."""

    interval_s: float
    jitter_s: float
