"""``bind``: which addresses a block listens on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bind:
    """Addresses and interface names as written, and those left out by ``except``."""

    names: tuple[str, ...]
    excepted: tuple[str, ...]
