"""``bufsize``: caps the UDP size a client may advertise (RFC 6891 6.2.5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BufferSize:
    """The cap, in octets: 512 to 4096."""

    octets: int
