"""What a pure function makes of octets, kept: a hit costs a dict's lookup and no call.

For the tokens of zone files, which repeat by the million; functools.lru_cache costs twice as much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

_Made = TypeVar("_Made")
# Halves of all IPv4 addresses are as many. More of what does not repeat is cheaper made again.
_KEPT: Final = 65_536


class Memo(dict[bytes, _Made]):
    """Ask for ``memo[token]``; what the function raises is raised, and not kept."""

    def __init__(self, make: Callable[[bytes], _Made]) -> None:
        """Take the function."""
        super().__init__()
        self._make = make

    def __missing__(self, token: bytes) -> _Made:
        """Make it, and keep it."""
        made = self._make(token)
        if len(self) >= _KEPT:
            self.clear()
        self[token] = made
        return made
