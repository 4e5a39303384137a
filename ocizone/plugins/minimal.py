"""``minimal``: leave out authority and additional records a client does not need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Minimal:
    """The block gives minimal answers."""
