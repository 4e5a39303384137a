"""``multisocket [N]``: how many workers share each listening address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MultiSocket:
    """Workers wanted; None for one a core."""

    workers: int | None
