"""RRsets as they are signed: canonical names, rdata and order (RFC 4034 6, RFC 6840 5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ocizone.wire import name as names
from ocizone.wire.codes import (
    CLASS_IN,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_MX,
    TYPE_NS,
    TYPE_PTR,
    TYPE_SOA,
    TYPE_SRV,
)
from ocizone.zone.bitmap import name_length

_NAPTR: Final = 35
# Where names begin that fill the rest of the rdata; RFC 4034 6.2 less what RFC 6840 5.1 takes
# back. 3 MD, 4 MF, 7 MB, 8 MG, 9 MR, 14 MINFO, 17 RP, 18 AFSDB, 21 RT, 26 PX, 36 KX.
_NAMES_FROM: Final = {
    TYPE_NS: 0, 3: 0, 4: 0, TYPE_CNAME: 0, 7: 0, 8: 0, 9: 0, TYPE_PTR: 0, 14: 0, TYPE_MX: 2,
    17: 0, 18: 2, 21: 2, 26: 2, TYPE_SRV: 6, 36: 2, TYPE_DNAME: 0,
}  # fmt: skip


def canonical_rdata(rrtype: int, rdata: bytes) -> bytes:
    """Return rdata with the names in it lowered that the type's rdata is compared by."""
    at = _NAMES_FROM.get(rrtype)
    if at is not None:
        return rdata[:at] + rdata[at:].lower()
    if rrtype == TYPE_SOA:
        return rdata[:-20].lower() + rdata[-20:]
    if rrtype == _NAPTR:
        at = 4
        for _ in range(3):
            at += 1 + rdata[at]
        return rdata[:at] + rdata[at:].lower()
    return rdata


def signed_octets(
    rrsig: bytes, owner: bytes, rrtype: int, rdatas: Iterable[bytes]
) -> tuple[bytes, bytes]:
    """Return what an RRSIG signs, and its signature (RFC 4034 3.1.8.1).

    Args:
        rrsig: its rdata; its Labels field is that of the owner.
        owner: lower-case wire name, a wildcard with its ``*``.
        rrtype: of the RRset.
        rdatas: of the RRset, as served.
    """
    end = 18 + name_length(rrsig[18:])
    head = owner + rrtype.to_bytes(2) + CLASS_IN.to_bytes(2) + rrsig[4:8]
    canonical = sorted({canonical_rdata(rrtype, rdata) for rdata in rdatas})
    records = b"".join(head + len(rdata).to_bytes(2) + rdata for rdata in canonical)
    return rrsig[:18] + names.lower(rrsig[18:end]) + records, rrsig[end:]
