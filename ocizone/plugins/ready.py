"""``ready``: ``GET /ready`` tells that every configured zone is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Ready:
    """Where to listen ("" is every address), and whether a zone once ready is asked again."""

    host: str
    port: int
    monitor: Literal["until-ready", "continuously"]
