"""A node: what a zone holds at one owner name, as one value in an image.

Layout of an encoded node (big-endian), version bound to ``build.COMPILER_VERSION``::

    flags u16, rrsets u16
    [owner length u8, owner in its original spelling]      when Flag.MIXED_CASE
    per RRset: type u16, ttl u32, rdatas u16, signatures u16, octets u32,
               then each rdata and each RRSIG rdata as length u16 + octets

Rdata is uncompressed wire form, names in their original case. RRSIGs stand with the RRset
they cover, not as an RRset of their own. A decoded node reads an RRset when it is asked for: what
one question costs does not depend on what else stands at the name. Not here: which node answers
(zone.lookup).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntFlag

from ocizone.wire.codes import TYPE_RRSIG

#: The layout, for modules that write or read some of a node (zone.single, zone.digest).
HEAD = struct.Struct("!HH")
RRSET = struct.Struct("!HIHHI")
LENGTH = struct.Struct("!H")


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


def rrsets_at(value: bytes) -> int:
    """Return where the first RRset of an encoded node begins."""
    if value[1] & _MIXED_CASE:
        return HEAD.size + 1 + value[HEAD.size]
    return HEAD.size


def _spelling(value: bytes, at: int) -> bytes | None:
    """Return the owner as it is spelled, of a node whose RRsets begin there; None in lower case."""
    return value[HEAD.size + 1 : at] if at > HEAD.size else None


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one owner and type: one TTL, several rdatas, and their signatures."""

    rrtype: int
    ttl: int
    rdatas: tuple[bytes, ...]
    signatures: tuple[bytes, ...] = ()


class EncodedRRsets(Mapping[int, RRset]):
    """The RRsets of an encoded node by type, in their order; each is read when it is asked for.

    100 types of thousands of records at one name cost a question for one of them 14 ms when all
    were read (measured 2026-11-21).
    """

    __slots__ = ("_places", "_read", "_value")

    def __init__(self, value: bytes, at: int, count: int) -> None:
        self._value = value
        #: Type to TTL, rdatas, signatures, first octet, end.
        self._places: dict[int, tuple[int, int, int, int, int]] = {}
        self._read: dict[int, RRset] = {}
        for _ in range(count):
            rrtype, ttl, rdatas, signatures, size = RRSET.unpack_from(value, at)
            at += RRSET.size
            self._places[rrtype] = (ttl, rdatas, signatures, at, at + size)
            at += size

    def __getitem__(self, rrtype: int) -> RRset:
        rrset = self._read.get(rrtype)
        if rrset is None:
            ttl, rdatas, _, at, end = self._places[rrtype]
            value = self._value
            items = []
            while at < end:
                start = at + 2
                at = start + (value[at] << 8 | value[at + 1])
                items.append(value[start:at])
            rrset = RRset(rrtype, ttl, tuple(items[:rdatas]), tuple(items[rdatas:]))
            self._read[rrtype] = rrset
        return rrset

    def __contains__(self, rrtype: object) -> bool:
        return rrtype in self._places

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def signed(self) -> list[int]:
        """Return the types with signatures; reads no RRset."""
        return [rrtype for rrtype, place in self._places.items() if place[2]]


@dataclass(frozen=True, slots=True)
class Node:
    """Everything at one owner name.

    Attributes:
        flags: see Flag.
        rrsets: by type; no RRSIG key (signatures stand with what they cover).
        owner: the original spelling in wire form when Flag.MIXED_CASE, else None.
    """

    flags: Flag
    rrsets: Mapping[int, RRset]
    owner: bytes | None = None

    def signed(self) -> Iterator[RRset]:
        """Yield the RRsets with signatures; of an encoded node no others are read."""
        rrsets = self.rrsets
        types = rrsets.signed() if isinstance(rrsets, EncodedRRsets) else rrsets
        for rrtype in types:
            rrset = rrsets[rrtype]
            if rrset.signatures:
                yield rrset

    def encode(self) -> bytes:
        """Return the bytes that ``decode`` reads."""
        return encode(self.flags, self.rrsets, self.owner)

    @classmethod
    def decode(cls, value: bytes) -> Node:
        """Return the node these bytes encode. The image was hashed: bytes are trusted here."""
        bits, count = HEAD.unpack_from(value)
        at = rrsets_at(value)
        return cls(_FLAGS[bits], EncodedRRsets(value, at, count), _spelling(value, at))


def encode(flags: int, rrsets: Mapping[int, RRset], owner: bytes | None) -> bytes:
    """Return a node as bytes; arguments as the attributes of Node, flags as a plain number."""
    parts = [HEAD.pack(flags, len(rrsets))]
    if owner is not None:
        parts += [bytes([len(owner)]), owner]
    for rrset in rrsets.values():
        rdatas, signatures = rrset.rdatas, rrset.signatures
        body = b"".join([LENGTH.pack(len(rdata)) + rdata for rdata in rdatas + signatures])
        parts += (
            RRSET.pack(rrset.rrtype, rrset.ttl, len(rdatas), len(signatures), len(body)),
            body,
        )
    return b"".join(parts)


def decode_all(value: bytes) -> tuple[bytes | None, list[RRset]]:
    """Return the owner's spelling and every RRset of an encoded node, signatures apart.

    For who needs all of it: half the time of ``Node.decode`` and its mapping.

    Returns:
        As Node.owner; and the RRsets without signatures, those over one following it as an
        RRset of RRSIGs.
    """
    _, count = HEAD.unpack_from(value)
    at = rrsets_at(value)
    owner = _spelling(value, at)
    found = []
    for _ in range(count):
        rrtype, ttl, rdatas, signatures, _size = RRSET.unpack_from(value, at)
        at += RRSET.size
        items = []
        for _ in range(rdatas + signatures):
            start = at + 2
            at = start + (value[at] << 8 | value[at + 1])
            items.append(value[start:at])
        found.append(RRset(rrtype, ttl, tuple(items[:rdatas])))
        if signatures:
            found.append(RRset(TYPE_RRSIG, ttl, tuple(items[rdatas:])))
    return owner, found


def record_counts(value: bytes) -> list[tuple[int, int]]:
    """Return the types of an encoded node and how many records each has; signatures not counted."""
    _, count = HEAD.unpack_from(value)
    at = rrsets_at(value)
    found = []
    for _ in range(count):
        rrtype, _ttl, rdatas, _signatures, size = RRSET.unpack_from(value, at)
        found.append((rrtype, rdatas))
        at += RRSET.size + size
    return found
