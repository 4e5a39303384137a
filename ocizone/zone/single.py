"""Nodes of one record without flags: what a record of a plain name is from reading to the image.

Such a node is made without objects and joined with others by octets. Not here: which names are
plain (zone.packed); the layout (zone.node).
"""

from __future__ import annotations

import struct

from ocizone.zone.node import HEAD, LENGTH

# All that stands before the rdata: head, RRset, length.
_BEFORE = struct.Struct("!HHHIHHIH")
# Of an RRset, behind type and TTL: rdatas, signatures, octets.
_COUNTS = struct.Struct("!HHI")
_RRSET_ON = slice(HEAD.size, None)
_ITEM_ON = slice(_BEFORE.size - LENGTH.size, None)
_TYPE = slice(4, 6)
_TYPE_AND_TTL = slice(4, 10)


def single_head(rrtype: int, ttl: int, octets: int) -> bytes:
    """Return what stands before rdata of so many octets in a node of one record."""
    return _BEFORE.pack(0, 1, rrtype, ttl, 1, 0, octets + LENGTH.size, octets)


def read_single(single: bytes) -> tuple[int, int, bytes]:
    """Return type, TTL and rdata of a node of one record."""
    _, _, rrtype, ttl, _, _, _, _ = _BEFORE.unpack_from(single)
    return rrtype, ttl, single[_BEFORE.size :]


def single_type(single: bytes) -> bytes:
    """Return the type of a node of one record, as two octets."""
    return single[_TYPE]


def single_kind(single: bytes) -> bytes:
    """Return what the records of one RRset have in common, as octets: type and TTL."""
    return single[_TYPE_AND_TTL]


def merge_singles(flags: int, singles: list[bytes]) -> bytes:
    """Return one node of the records of several.

    Args:
        flags: of the node.
        singles: distinct records of one owner; those of one type have one TTL.
    """
    kinds = {single[_TYPE_AND_TTL] for single in singles}
    head = HEAD.pack(flags, len(kinds))
    if len(kinds) == len(singles):
        return head + b"".join([single[_RRSET_ON] for single in singles])
    if len(kinds) == 1:
        return head + _merged(singles)
    groups: dict[bytes, list[bytes]] = {}
    for single in singles:
        groups.setdefault(single[_TYPE], []).append(single)
    return head + b"".join([_merged(group) for group in groups.values()])


def _merged(group: list[bytes]) -> bytes:
    """Return one RRset, as it is encoded."""
    body = b"".join([single[_ITEM_ON] for single in group])
    return group[0][_TYPE_AND_TTL] + _COUNTS.pack(len(group), 0, len(body)) + body


def with_flags(flags: int, single: bytes) -> bytes:
    """Return a node of one record with flags; MIXED_CASE is none of them."""
    return flags.to_bytes(2) + single[2:]
