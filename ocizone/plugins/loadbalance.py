"""``loadbalance``: rotate address and MX records so that clients spread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadBalance:
    """Round robin; the only policy there is."""
