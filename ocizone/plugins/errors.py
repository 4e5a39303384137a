"""``errors``: log what went wrong while answering; consolidate repeated lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Consolidate:
    """Errors matching ``regexp`` become one line each ``period_s`` seconds."""

    period_s: float
    regexp: str
    level: Literal["warning", "error", "info", "debug"]
    show_first: bool


@dataclass(frozen=True, slots=True)
class Errors:
    """Error logging is on for the block."""

    stacktrace: bool
    consolidate: tuple[Consolidate, ...]
