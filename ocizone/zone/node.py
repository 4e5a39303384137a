"""A node: what a zone holds at one owner name, as one value in an image.

Layout of an encoded node (big-endian), version bound to ``build.COMPILER_VERSION``::

    flags u16, rrsets u16
    [owner length u8, owner in its original spelling]      when Flag.MIXED_CASE
    per RRset: type u16, ttl u32, rdatas u16, signatures u16, octets u32,
               then each rdata and each RRSIG rdata as length u16 + octets

Rdata is uncompressed wire form, names in their original case. RRSIGs stand with the RRset
they cover, not as an RRset of their own. Not here: which node answers (zone.lookup).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag

_HEAD = struct.Struct("!HH")
_RRSET = struct.Struct("!HIHHI")
_LENGTH = struct.Struct("!H")


class Flag(IntFlag):
    """What a lookup must know of a node before it reads an RRset."""

    NONE = 0
    #: A zone cut: NS here, and not the apex (RFC 1034 4.2.1).
    CUT = 1
    #: A DNAME here: everything below is occluded (RFC 6672 2.3).
    DNAME = 2
    #: ``*`` exists directly below this name, with data or as an ENT (RFC 4592 2.1.1).
    WILDCARD_CHILD = 4
    #: No RRsets here, but names below (RFC 4592 2.2.2).
    EMPTY_NON_TERMINAL = 8
    #: At or below somebody else's authority: below a cut or a DNAME. Glue lives here.
    OCCLUDED = 16
    #: The owner was written with capitals; its spelling is kept for answers.
    MIXED_CASE = 32


# Making a Flag of an integer costs more than reading an RRset; every read of a node makes one.
_FLAGS = tuple(Flag(bits) for bits in range(2 * Flag.MIXED_CASE))
_MIXED_CASE = int(Flag.MIXED_CASE)


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one owner and type: one TTL, several rdatas, and their signatures."""

    rrtype: int
    ttl: int
    rdatas: tuple[bytes, ...]
    signatures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """Everything at one owner name.

    Attributes:
        flags: see Flag.
        rrsets: by type; no RRSIG key (signatures stand with what they cover).
        owner: the original spelling in wire form when Flag.MIXED_CASE, else None.
    """

    flags: Flag
    rrsets: dict[int, RRset]
    owner: bytes | None = None

    def encode(self) -> bytes:
        """Return the bytes that ``decode`` reads."""
        parts = [_HEAD.pack(self.flags, len(self.rrsets))]
        if self.owner is not None:
            parts += [bytes([len(self.owner)]), self.owner]
        for rrset in self.rrsets.values():
            body = b"".join(
                _LENGTH.pack(len(rdata)) + rdata for rdata in (*rrset.rdatas, *rrset.signatures)
            )
            parts.append(
                _RRSET.pack(
                    rrset.rrtype, rrset.ttl, len(rrset.rdatas), len(rrset.signatures), len(body)
                )
            )
            parts.append(body)
        return b"".join(parts)

    @classmethod
    def decode(cls, value: bytes) -> Node:
        """Return the node these bytes encode. The image was hashed: bytes are trusted here."""
        bits, count = _HEAD.unpack_from(value)
        flags = _FLAGS[bits]
        at = _HEAD.size
        owner = None
        if bits & _MIXED_CASE:
            size = value[at]
            owner = value[at + 1 : at + 1 + size]
            at += 1 + size
        rrsets = {}
        for _ in range(count):
            rrtype, ttl, rdatas, _, size = _RRSET.unpack_from(value, at)
            at += _RRSET.size
            items = []
            end = at + size
            while at < end:
                start = at + 2
                at = start + (value[at] << 8 | value[at + 1])
                items.append(value[start:at])
            rrsets[rrtype] = RRset(rrtype, ttl, tuple(items[:rdatas]), tuple(items[rdatas:]))
        return cls(flags, rrsets, owner)
