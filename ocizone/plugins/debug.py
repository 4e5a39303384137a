"""``debug``: log at debug level, for the whole process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Debug:
    """Debug logging is on."""
