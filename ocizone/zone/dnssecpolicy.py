"""How a signed zone is judged: when, and how strictly. A value; zone.dnssec does it."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.limits import EXPIRING_S


@dataclass(frozen=True, slots=True)
class DnssecPolicy:
    """How a signed zone is judged.

    Attributes:
        now: unix seconds.
        refuse: False makes a warning of every error (``dnssec warn``).
        excuse_expired: signatures that expired only warn: the revision was served before.
        soon_s: signatures that expire within so many seconds are told.
    """

    now: int
    refuse: bool = True
    excuse_expired: bool = False
    soon_s: int = EXPIRING_S
