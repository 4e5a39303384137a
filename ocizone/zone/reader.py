"""The small read-only interface a lookup works on: one zone of one version.

Production reads an LMDB image (zone.image), tests a dict (DictZone). Keys are those of
``wire.name.relative_key``: the apex is ``b""``, and byte order is canonical order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from ocizone.zone.node import Node


@dataclass(frozen=True, slots=True)
class Nsec3Params:
    """How a zone hashes its names (RFC 5155 4.1); the algorithm is SHA-1, there is no other."""

    iterations: int
    salt: bytes


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
        denial: what proves that something does not exist; "" in a zone without such proofs.
        nsec3: how names are hashed; set when ``denial`` is "nsec3".
        signed_until: unix seconds when the first signature expires; 0 in an unsigned zone.
        content: 64 hex digits for the zone without its serial (zone.digest); "" when unknown.
    """

    apex: bytes
    apex_labels: int
    serial: int
    records: int
    negative_ttl: int
    file: str
    denial: Literal["", "nsec", "nsec3"] = ""
    nsec3: Nsec3Params | None = None
    signed_until: int = 0
    content: str = ""


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

    def nsec3(self, digest: bytes) -> tuple[bytes, Node] | None:
        """Return the NSEC3 that matches or covers a hash: the last at or before it, else the last.

        Args:
            digest: 20 octets (RFC 5155 5); NSEC3 are kept apart from names, by hash.
        """

    def nsec3_nodes(self) -> Iterator[tuple[bytes, Node]]:
        """Yield (hash, node with the NSEC3 RRset) in hash order."""

    def encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, encoded node) of ``nodes``: what is compared only need not be decoded."""

    def nsec3_encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (hash, encoded node) of ``nsec3_nodes``."""


class Seeker(NamedTuple):
    """What reads a node with the fewest calls.

    Attributes:
        prefix: what a key of the zone begins with.
        find: goes to a key, prefix included, and tells whether it is there.
        value: returns the encoded node there.
    """

    prefix: bytes
    find: Callable[[bytes], bool]
    value: Callable[[], bytes]


@runtime_checkable
class EncodedReader(Protocol):
    """What reads nodes without decoding them: for who answers from their octets (fastpath)."""

    def getter(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the encoded node with a key, or None where no such name exists."""

    def seeker(self) -> Seeker:
        """Return the same in pieces."""

    def value_before(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Return the last key below ``key`` and its encoded node; None at the apex."""

    def finder(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the last key below a key, or None where there is none."""


class DictZone:
    """A ZoneReader over a mapping, for tests and for small tools."""

    def __init__(
        self,
        info: ZoneInfo,
        nodes: Mapping[bytes, Node],
        nsec3: Mapping[bytes, Node] | None = None,
    ) -> None:
        self._info = info
        self._nodes = dict(nodes)
        self._keys = sorted(self._nodes)
        self._nsec3 = sorted((nsec3 or {}).items())

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

    def getter(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the encoded node with a key, or None where no such name exists."""
        return {key: node.encode() for key, node in self._nodes.items()}.get

    def seeker(self) -> Seeker:
        """Return the same in pieces."""
        get = self.getter()
        found: list[bytes] = []

        def find(key: bytes) -> bool:
            value = get(key)
            found[:] = [] if value is None else [value]
            return value is not None

        return Seeker(b"", find, lambda: found[0])

    def value_before(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Return the last key below ``key`` and its encoded node; None at the apex."""
        found = self.predecessor(key)
        return None if found is None else (found[0], found[1].encode())

    def finder(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the last key below a key, or None where there is none."""

        def find(key: bytes) -> bytes | None:
            found = self.predecessor(key)
            return None if found is None else found[0]

        return find

    def nodes(self, start: bytes = b"") -> Iterator[tuple[bytes, Node]]:
        """Yield (key, node) from ``start`` on, in canonical order."""
        for key in self._keys[bisect_left(self._keys, start) :]:
            yield key, self._nodes[key]

    def nsec3(self, digest: bytes) -> tuple[bytes, Node] | None:
        """Return the NSEC3 that matches or covers a hash: the last at or before it, else the last."""
        at = bisect_right(self._nsec3, digest, key=itemgetter(0)) - 1
        return self._nsec3[at] if self._nsec3 else None

    def nsec3_nodes(self) -> Iterator[tuple[bytes, Node]]:
        """Yield (hash, node with the NSEC3 RRset) in hash order."""
        yield from self._nsec3

    def encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, encoded node) in canonical order."""
        for key, node in self.nodes():
            yield key, node.encode()

    def nsec3_encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (hash, encoded node) in hash order."""
        for digest, node in self._nsec3:
            yield digest, node.encode()
