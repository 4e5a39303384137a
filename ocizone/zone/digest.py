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
from ocizone.zone.node import Flag, Node, RRset

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
    if nsec3:
        return int.from_bytes(sha256(key + _OF_NSEC3 + _in_order(value)).digest())
    if not (
        value[_RRSETS] == _ONE_RRSET
        and value[_COUNTS] == _ONE_RECORD
        and key
        and not value[1] & _MIXED_CASE
    ):
        value = _in_order(value)
    return int.from_bytes(sha256(key + _OF_NAMES + value).digest())


def zone_sum(
    nodes: Iterable[tuple[bytes, bytes]], nsec3: Iterable[tuple[bytes, bytes]] = ()
) -> int:
    """Return the sum of a zone's nodes: (key, encoded node), in any order."""
    total = sum(node_digest(key, value) for key, value in nodes)
    return total + sum(node_digest(key, value, nsec3=True) for key, value in nsec3)


def content_text(total: int) -> str:
    """Return a sum as ``ZoneInfo.content`` holds it: 64 hex digits."""
    return f"{total % MODULUS:064x}"


def _in_order(value: bytes) -> bytes:
    """Return an encoded node with its records in an order that no file decides."""
    node = Node.decode(value)
    rrsets = {rrtype: _sorted(node.rrsets[rrtype]) for rrtype in sorted(node.rrsets)}
    return Node(node.flags, rrsets, node.owner).encode()


def _sorted(rrset: RRset) -> RRset:
    """Return an RRset with its records in order; a SOA without its serial."""
    rdatas = sorted(rrset.rdatas)
    if rrset.rrtype == TYPE_SOA:
        rdatas = [rdata[:-20] + bytes(4) + rdata[-16:] for rdata in rdatas]
    return RRset(rrset.rrtype, rrset.ttl, tuple(rdatas), tuple(sorted(rrset.signatures)))
