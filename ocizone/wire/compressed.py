"""Names inside a message: where they end, and what they are (RFC 1035 4.1.4, RFC 9267 2).

Pointers lead backwards only, each before the stretch of labels that led to it, so that every
name ends. Not here: writing names (wire.render).
"""

from __future__ import annotations

from ocizone.limits import NAME_OCTETS, NAME_POINTERS


def end_of_name(packet: bytes, at: int) -> int:
    """Return the offset behind the name at ``at``, pointers not followed; 0 when it is none.

    A pointer's second octet may be missing: the offset is then behind the packet.
    """
    start, size = at, len(packet)
    while at < size and at - start < NAME_OCTETS:
        length = packet[at]
        if not length:
            return at + 1
        if length >= 0xC0:
            return at + 2
        if length > 63:
            return 0
        at += 1 + length
    return 0


def name_at(packet: bytes, at: int) -> bytes | None:
    """Return the uncompressed wire form of the name at ``at``, case kept; None when it is none."""
    parts: list[bytes] = []
    for _ in range(NAME_POINTERS):
        start = at
        while at < len(packet) and 0 < packet[at] < 64:
            at += 1 + packet[at]
        if at >= len(packet):
            return None
        if not packet[at]:
            parts.append(packet[start : at + 1])
            name = b"".join(parts)
            return name if len(name) <= NAME_OCTETS else None
        parts.append(packet[start:at])
        if packet[at] < 0xC0 or at + 2 > len(packet):
            return None
        at = (packet[at] & 0x3F) << 8 | packet[at + 1]
        if at >= start:
            return None
    return None


def plain_name(octets: bytes) -> bytes | None:
    """Return the name these octets begin with, not compressed; None when there is none."""
    at = 0
    while at < min(len(octets), NAME_OCTETS):
        length = octets[at]
        if length > 63:
            return None
        at += 1 + length
        if not length:
            return octets[:at]
    return None
