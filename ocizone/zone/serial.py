"""Serial number arithmetic (RFC 1982): SOA serials, and the times of signatures (RFC 4034 3.1.5)."""

from __future__ import annotations

from typing import Final

_MODULUS: Final = 2**32
_HALF: Final = 2**31


def newer(serial: int, than: int) -> bool:
    """Tell whether a serial is greater than another; of two 2**31 apart neither is (RFC 1982 3.2)."""
    return 0 < (serial - than) % _MODULUS < _HALF


def following(serial: int) -> int:
    """Return the next serial; never 0, from which some secondaries never see a change."""
    return (serial + 1) % _MODULUS or 1


def distance(moment: int, origin: int) -> int:
    """Return how far a 32-bit time is after ``origin``, as the nearer of its two readings.

    Args:
        moment: seconds modulo 2**32, as in an RRSIG.
        origin: unix seconds.

    Returns:
        Seconds from -2**31 to 2**31 - 1; negative when the moment has passed.
    """
    return (moment - origin + _HALF) % _MODULUS - _HALF
