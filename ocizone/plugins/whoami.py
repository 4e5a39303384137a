"""``whoami``: answer every query with the asker's address, port and transport."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Whoami:
    """The block answers who asked."""
