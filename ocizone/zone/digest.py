"""What a zone says, whatever its serial: one hash, to tell a changed zone from a new file.

Independent of files, their layout and the order of records; duplicates count once. Not a ZONEMD
(RFC 8976): spelling counts, because it is served, and the serial does not.
"""

from __future__ import annotations

import hashlib
import struct

from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.content import Content
from ocizone.zone.record import Record

# Type, TTL, octets of rdata.
_HEAD = struct.Struct("!HIH")
# A call of the hash for each record would cost more than the hash.
_AT_ONCE = 4096


def content_digest(content: Content) -> str:
    """Return the hex SHA-256 of a zone's content without the SOA's serial."""
    found = hashlib.sha256()
    pack = _HEAD.pack
    parts: list[bytes] = []
    for key in content.order:
        records = content.names[key]
        if len(records) == 1 and key:
            ((owner, rrtype, ttl, rdata, *_),) = records
            parts += (owner, pack(rrtype, ttl, len(rdata)), rdata)
        elif records:
            parts.append(_name(records))
        if len(parts) > _AT_ONCE:
            found.update(b"".join(parts))
            parts.clear()
    parts += (_name(records) for _, records in sorted(content.nsec3.items()))
    found.update(b"".join(parts))
    return found.hexdigest()


def _name(records: list[Record]) -> bytes:
    """Return all of a name: its owner as it is served, then its records in order."""
    every = sorted({_encoded(record) for record in records})
    return records[0].owner + b"".join(every)


def _encoded(record: Record) -> bytes:
    rdata = record.rdata
    if record.rrtype == TYPE_SOA:
        rdata = rdata[:-20] + bytes(4) + rdata[-16:]
    return _HEAD.pack(record.rrtype, record.ttl, len(rdata)) + rdata
