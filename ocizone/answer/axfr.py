"""A whole zone, in the order of AXFR (RFC 5936 2.2, 3).

Everything the zone's files hold: glue, what cuts and DNAMEs hide, NSEC3, every RRSIG. Not here:
messages (answer.packed), and who may have it (answer.transfer).
"""

from __future__ import annotations

from collections.abc import Iterator

from ocizone.answer.packed import Item
from ocizone.limits import WALK_NODES
from ocizone.wire.codes import TYPE_SOA
from ocizone.wire.name import name_from_key
from ocizone.zone.node import RRset, decode_all
from ocizone.zone.nsec3 import nsec3_owner
from ocizone.zone.reader import ZoneReader


def axfr(zone: ZoneReader) -> Iterator[Item]:
    """Yield the SOA, every other RRset, and the SOA again (RFC 5936 2.2).

    None at regular steps: a walk over names without records must not hold anybody up.
    """
    first = soa(zone)
    yield first
    apex, looked_at = zone.info.apex, 0
    for key, value in zone.encoded():
        looked_at += 1
        if looked_at == WALK_NODES:
            looked_at = 0
            yield None
        spelled, rrsets = decode_all(value)
        if rrsets:
            owner = spelled or name_from_key(key, apex)
            for rrset in rrsets:
                if rrset.rrtype != TYPE_SOA:
                    yield owner, rrset
    for digest, value in zone.nsec3_encoded():
        spelled, rrsets = decode_all(value)
        owner = spelled or nsec3_owner(digest, apex)
        for rrset in rrsets:
            yield owner, rrset
    yield first


def soa(zone: ZoneReader) -> tuple[bytes, RRset]:
    """Return the owner of a zone's SOA, and the SOA."""
    node = zone.get(b"")
    # The compiler refuses a zone without.
    assert node is not None
    return node.owner or zone.info.apex, node.rrsets[TYPE_SOA]
