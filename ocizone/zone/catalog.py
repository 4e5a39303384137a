"""A catalog: a zone that lists zones, made of their names (RFC 9432).

A ZoneReader whose nodes are written when they are read: what is kept of a member is its name
and its label. The label is a hash of the name, so that a member keeps it whatever comes and
goes beside it (RFC 9432 4.1). Not here: which zones are members, and who may see the list.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from ocizone.wire.codes import TYPE_NS, TYPE_PTR, TYPE_SOA, TYPE_TXT
from ocizone.wire.name import from_text, key_label, labels
from ocizone.zone import serial
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.reader import ZoneInfo

# Times and names of RFC 9432's own example: nobody ever looks anything up in it.
_TTL: Final = 0
_INVALID: Final = from_text("invalid.")
_TIMES: Final = b"".join(seconds.to_bytes(4) for seconds in (3600, 600, 2_147_483_646, 0))
_VERSION: Final = key_label(b"version")
_ZONES: Final = key_label(b"zones")
_GROUP: Final = key_label(b"group")
#: Octets of the hash: as 32 characters no two names share it but by malice, and then both lose.
_HASH_OCTETS: Final = 20


class CatalogZone:
    """A ZoneReader over a list of zones."""

    __slots__ = ("_group", "_info", "_keys", "_labels", "_members")

    def __init__(
        self, name: bytes, serial_number: int, group: bytes, labels_of: dict[bytes, bytes]
    ) -> None:
        """Make it; ``catalog`` says with which serial.

        Args:
            name: of the catalog zone, lower-case wire name.
            serial_number: of its SOA.
            group: property of every member; b"" for none.
            labels_of: label by member, lower-case wire names.
        """
        #: Member by the key of its PTR.
        self._members = {_ZONES + label + b"\x00": member for member, label in labels_of.items()}
        self._labels = labels_of
        self._group = group
        keys = [b"", _VERSION, *([_ZONES] if labels_of else []), *self._members]
        if group:
            keys += [key + _GROUP for key in self._members]
        self._keys = sorted(keys)
        records = 3 + len(labels_of) * (2 if group else 1)
        self._info = ZoneInfo(name, len(labels(name)), serial_number, records, 0, "catalog")

    @property
    def info(self) -> ZoneInfo:
        """What is known of the zone as a whole."""
        return self._info

    @property
    def labels(self) -> dict[bytes, bytes]:
        """The label of each member."""
        return self._labels

    @property
    def group(self) -> bytes:
        """The group of the members; b"" for none."""
        return self._group

    def get(self, key: bytes) -> Node | None:
        """Return the node with this key, or None where no such name exists."""
        at = bisect_left(self._keys, key)
        return self._node(key) if self._keys[at : at + 1] == [key] else None

    def predecessor(self, key: bytes) -> tuple[bytes, Node] | None:
        """Return the last node whose key is below ``key``; None at the apex."""
        at = bisect_left(self._keys, key) - 1
        return (self._keys[at], self._node(self._keys[at])) if at >= 0 else None

    def nodes(self, start: bytes = b"") -> Iterator[tuple[bytes, Node]]:
        """Yield (key, node) from ``start`` on, in canonical order."""
        for at in range(bisect_left(self._keys, start), len(self._keys)):
            yield self._keys[at], self._node(self._keys[at])

    def nsec3(self, digest: bytes) -> tuple[bytes, Node] | None:  # noqa: ARG002 - a ZoneReader's name
        """Return None: a catalog is not signed (RFC 9432 4)."""
        return None

    def nsec3_nodes(self) -> Iterator[tuple[bytes, Node]]:
        """Yield nothing."""
        yield from ()

    def encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, encoded node) in canonical order."""
        for key, node in self.nodes():
            yield key, node.encode()

    def nsec3_encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield nothing."""
        yield from ()

    def _node(self, key: bytes) -> Node:
        """Return the node of a key there is."""
        member = self._members.get(key)
        if member is not None:
            return _of(RRset(TYPE_PTR, _TTL, (member,)))
        if key == b"":
            soa = _INVALID + _INVALID + self._info.serial.to_bytes(4) + _TIMES
            return _of(RRset(TYPE_SOA, _TTL, (soa,)), RRset(TYPE_NS, _TTL, (_INVALID,)))
        if key == _ZONES:
            return Node(Flag.EMPTY_NON_TERMINAL, {})
        text = b"2" if key == _VERSION else self._group
        return _of(RRset(TYPE_TXT, _TTL, (bytes([len(text)]) + text,)))


def _of(*rrsets: RRset) -> Node:
    return Node(Flag.NONE, {rrset.rrtype: rrset for rrset in rrsets})


def catalog(
    name: bytes, members: frozenset[bytes], group: bytes, before: CatalogZone | None, now: int
) -> CatalogZone:
    """Return the catalog of these zones: the one of before when it says the same.

    Args:
        name: of the catalog zone, lower-case wire name.
        members: lower-case wire names.
        group: property of every member; b"" for none.
        before: what was served until now.
        now: unix seconds: the serial, or more where that would not rise (RFC 1982).
    """
    known: dict[bytes, bytes] = {}
    number = now % 2**32 or 1
    if before is not None:
        known = before.labels
        if group == before.group and known.keys() == members:
            return before
        if not serial.newer(number, before.info.serial):
            number = serial.following(before.info.serial)
    return CatalogZone(
        name, number, group, {member: known.get(member) or label_of(member) for member in members}
    )


def label_of(member: bytes) -> bytes:
    """Return the label a zone has in every catalog: its name, hashed."""
    digest = hashlib.sha256(member).digest()[:_HASH_OCTETS]
    return base64.b32hexencode(digest).lower()
