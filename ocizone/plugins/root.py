"""``root PATH``: what relative paths of the block's other directives start from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Root:
    """The directory relative paths start from, absolute."""

    path: str
