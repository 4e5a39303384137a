"""``any``: QTYPE ANY is answered with one HINFO record (RFC 8482 4.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnyHinfo:
    """The block answers ANY with HINFO."""
