"""TTLs as zone files write them: seconds, or units (``1h30m``), at most 2**31-1 (RFC 2181 8)."""

from __future__ import annotations

import re
from typing import Final

from ocizone.limits import TTL_SECONDS

_TTL: Final = re.compile(r"(?:\d+[smhdw])+(?:\d+)?|\d+", re.ASCII | re.IGNORECASE)
_PART: Final = re.compile(r"(\d+)([smhdw]?)", re.ASCII | re.IGNORECASE)
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# Longer than any TTL in range, shorter than what int() refuses or takes long over.
_DIGITS: Final = 40


class BadTtlError(ValueError):
    """The text has the form of a TTL but is out of range."""


def looks_like_ttl(token: str) -> bool:
    """Tell whether the token has the form of a TTL, whatever its size."""
    return token[:1].isdigit() and _TTL.fullmatch(token) is not None


def parse_ttl(token: str) -> int:
    """Return seconds of a token that looks like a TTL.

    Raises:
        BadTtlError: it is over 2**31-1 seconds.
    """
    if len(token) <= _DIGITS:
        total = sum(int(digits) * _SECONDS[unit.lower()] for digits, unit in _PART.findall(token))
        if total <= TTL_SECONDS:
            return total
    raise BadTtlError(f"TTL over {TTL_SECONDS} seconds")
