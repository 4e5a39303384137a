"""What a zone says, whatever its serial: one number, to tell a changed zone from a new file.

The sum modulo 2**256 of a SHA-256 for each node, so that a zone derived from another is summed from
what changed: take the old node's away, add the new one's. Independent of files, their layout
and the order of records; duplicates count once. Not a ZONEMD (RFC 8976): spelling and flags
count, because they are served, and the serial does not. Not for what an adversary may
choose: sums of hashes can be made to collide, and decide no more than whether a serial rises.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.node import HEAD, LENGTH, RRSET, Flag, rrsets_at

MODULUS: Final = 2**256
_OF_NAMES: Final = b"\x00"
_OF_NSEC3: Final = b"\x01"
_MIXED_CASE: Final = int(Flag.MIXED_CASE)
# Where an encoded node of a lower-case owner tells of its RRsets (zone.node): that it has one, of
# one record and no signature.
_RRSETS: Final = slice(2, 4)
_COUNTS: Final = slice(10, 14)
_ONE_RRSET: Final = b"\x00\x01"
_ONE_RECORD: Final = b"\x00\x01\x00\x00"


def node_digest(key: bytes, value: bytes, *, nsec3: bool = False) -> int:
    """Return what one node adds to the sum of its zone; of the apex without the SOA's serial.

    Args:
        key: of the node in its zone: wire.name.relative_key, or the hash of an NSEC3.
        value: the encoded node.
        nsec3: the key is a hash.
    """
    return _sum([(key, value)], _OF_NSEC3 if nsec3 else _OF_NAMES)


def zone_sum(
    nodes: Iterable[tuple[bytes, bytes]], nsec3: Iterable[tuple[bytes, bytes]] = ()
) -> int:
    """Return the sum of a zone's nodes: (key, encoded node), in any order."""
    return _sum(nodes, _OF_NAMES) + _sum(nsec3, _OF_NSEC3)


def _sum(nodes: Iterable[tuple[bytes, bytes]], kind: bytes) -> int:
    total = 0
    number = int.from_bytes
    for key, value in nodes:
        if (
            value[_COUNTS] == _ONE_RECORD
            and value[_RRSETS] == _ONE_RRSET
            and key
            and not value[1] & _MIXED_CASE
        ):
            said = value
        else:
            said = _in_order(value)
        total += number(sha256(key + kind + said).digest())
    return total


def content_text(total: int) -> str:
    """Return a sum as ``ZoneInfo.content`` holds it: 64 hex digits."""
    return f"{total % MODULUS:064x}"


def _in_order(value: bytes) -> bytes:
    """Return an encoded node with its records in an order that no file decides.

    A SOA is without its serial.
    """
    _, count = HEAD.unpack_from(value)
    at = rrsets_at(value)
    parts = [value[:at]]
    for _ in range(count):
        rrtype, _ttl, rdatas, signatures, size = RRSET.unpack_from(value, at)
        start, at = at, at + RRSET.size + size
        if rdatas + signatures > 1 or rrtype == TYPE_SOA:
            items = _items(value, start + RRSET.size, rdatas + signatures)
            if rrtype == TYPE_SOA:
                items[:rdatas] = (item[:-20] + bytes(4) + item[-16:] for item in items[:rdatas])
            head = value[start : start + RRSET.size]
            parts.append(head + b"".join(sorted(items[:rdatas]) + sorted(items[rdatas:])))
        else:
            parts.append(value[start:at])
    if count > 1:
        parts[1:] = sorted(parts[1:])
    return b"".join(parts)


def _items(value: bytes, at: int, count: int) -> list[bytes]:
    """Return so many rdatas with their lengths, as they are encoded."""
    items = []
    for _ in range(count):
        start = at
        at += LENGTH.size + (value[at] << 8 | value[at + 1])
        items.append(value[start:at])
    return items
