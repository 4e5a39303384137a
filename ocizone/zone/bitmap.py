"""Which types an NSEC or NSEC3 says there are (RFC 4034 4.1.2, RFC 5155 3.2.1)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def types_in(bitmap: bytes) -> frozenset[int]:
    """Return the types of a type bitmap, which a reader has found well-formed."""
    found = []
    at = 0
    while at < len(bitmap):
        window, size = bitmap[at], bitmap[at + 1]
        for place, octet in enumerate(bitmap[at + 2 : at + 2 + size]):
            first = window << 8 | place << 3
            found += [first + bit for bit in range(8) if octet & 0x80 >> bit]
        at += 2 + size
    return frozenset(found)


def name_length(rdata: bytes) -> int:
    """Return how many octets the uncompressed name takes that rdata begins with."""
    at = 0
    while rdata[at]:
        at += 1 + rdata[at]
    return at + 1
