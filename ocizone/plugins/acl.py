"""``acl``: who may ask what; the first matching rule decides."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

Action = Literal["allow", "block", "filter", "drop"]


@dataclass(frozen=True, slots=True)
class AclRule:
    """One rule. ``None`` for qtypes or networks means every type, every source."""

    action: Action
    qtypes: frozenset[int] | None
    networks: tuple[IPv4Network | IPv6Network, ...] | None


@dataclass(frozen=True, slots=True)
class Acl:
    """One ``acl`` directive: its zones (lower-case wire names) and its rules in order."""

    zones: tuple[bytes, ...]
    rules: tuple[AclRule, ...]
