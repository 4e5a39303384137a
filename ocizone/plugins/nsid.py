"""``nsid``: a name for this server, given when asked (RFC 5001)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nsid:
    """The data, or None for the host name."""

    data: bytes | None
