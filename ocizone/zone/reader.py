"""The small read-only interface a lookup works on: one zone of one version.

Production reads an LMDB image (zone.image), tests a dict (DictZone). Keys are those of
``wire.name.relative_key``: the apex is ``b""``, and byte order is canonical order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ocizone.zone.node import Node


@dataclass(frozen=True, slots=True)
class ZoneInfo:
    """What is known of a compiled zone without reading its nodes.

    Attributes:
        apex: lower-case wire name.
        apex_labels: labels of the apex, root not counted.
        serial: of the SOA.
        records: resource records in it.
        negative_ttl: min(SOA TTL, MINIMUM), seconds (RFC 2308 5).
        file: path inside the artifact (or on disk) it was read from.
    """

    apex: bytes
    apex_labels: int
    serial: int
    records: int
    negative_ttl: int
    file: str


class ZoneReader(Protocol):
    """One zone of one version; immutable for its lifetime."""

    @property
    def info(self) -> ZoneInfo:
        """What is known of the zone as a whole."""

    def get(self, key: bytes) -> Node | None:
        """Return the node with this key, or None where no such name exists."""

    def predecessor(self, key: bytes) -> tuple[bytes, Node] | None:
        """Return the last node whose key is below ``key`` in canonical order; None at the apex."""

    def nodes(self, start: bytes = b"") -> Iterator[tuple[bytes, Node]]:
        """Yield (key, node) from ``start`` on, in canonical order."""


class DictZone:
    """A ZoneReader over a mapping, for tests and for small tools."""

    def __init__(self, info: ZoneInfo, nodes: Mapping[bytes, Node]) -> None:
        self._info = info
        self._nodes = dict(nodes)
        self._keys = sorted(self._nodes)

    @property
    def info(self) -> ZoneInfo:
        """What is known of the zone as a whole."""
        return self._info

    def get(self, key: bytes) -> Node | None:
        """Return the node with this key, or None where no such name exists."""
        return self._nodes.get(key)

    def predecessor(self, key: bytes) -> tuple[bytes, Node] | None:
        """Return the last node whose key is below ``key``; None at the apex."""
        at = bisect_left(self._keys, key) - 1
        return (self._keys[at], self._nodes[self._keys[at]]) if at >= 0 else None

    def nodes(self, start: bytes = b"") -> Iterator[tuple[bytes, Node]]:
        """Yield (key, node) from ``start`` on, in canonical order."""
        for key in self._keys[bisect_left(self._keys, start) :]:
            yield key, self._nodes[key]
