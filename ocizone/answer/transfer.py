"""Who may have a zone whole, and in which form (RFC 5936, RFC 1995).

Decided before anything is counted or computed: a client without permission takes no place of
one that has it. Not here: the records (answer.axfr, answer.ixfr), their messages
(answer.packed), and how many transfers there may be at once (serve).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ocizone.answer.axfr import axfr, soa
from ocizone.answer.blocks import Loaded, Policy, Transport
from ocizone.answer.ixfr import Delta, ixfr
from ocizone.answer.packed import packed
from ocizone.answer.policy import client_address, size_limit
from ocizone.limits import IXFR_UDP_RECORDS
from ocizone.plugins.transfer import Secondary, Transfer
from ocizone.wire.codes import (
    CLASS_IN,
    EDE_NOT_AUTHORITATIVE,
    EDE_PROHIBITED,
    FORMERR,
    NOTAUTH,
    NOTIMP,
    REFUSED,
    SERVFAIL,
    TYPE_AXFR,
)
from ocizone.wire.name import is_at_or_below
from ocizone.wire.query import Query
from ocizone.wire.render import Answer, Message, Section
from ocizone.wire.tsig import Signer
from ocizone.zone import serial

REFUSAL: Final = Answer(REFUSED, error=(EDE_PROHIBITED, "no transfer"))
#: Instead of a transfer when there are too many already.
BUSY: Final = Answer(SERVFAIL, error=(0, "too many transfers"))
# What NSD, Knot and BIND say to a transfer of what is no zone here (RFC 5936 2.2.1).
NO_ZONE: Final = Answer(NOTAUTH, error=(EDE_NOT_AUTHORITATIVE, "no zone of this name"))
_MALFORMED: Final = Answer(FORMERR)
# RFC 5936 4.2 defines none; NSD and Knot say so, BIND says FORMERR.
_NOT_OVER_UDP: Final = Answer(NOTIMP)
# OPT with cookie, NSID and padding beside a difference in one datagram.
_OPT_OCTETS: Final = 128


def transfer(
    query: Query,
    apex: bytes,
    zone: Loaded,
    policy: Policy,
    transport: Transport,
    signer: Signer | None,
) -> Answer | Iterator[bytes | None]:
    """Return the messages of a transfer, or the answer that there is none.

    Args:
        query: for AXFR or IXFR, class IN.
        apex: of the zone the name is in.
        zone: that zone.
        policy: of its block.
        transport: how the query came in.
        signer: of a query whose TSIG is right; None for an unsigned one.
    """
    if query.name != apex:
        return NO_ZONE
    if not permits(policy.transfer, apex, transport, signer):
        return REFUSAL
    if query.qtype == TYPE_AXFR:
        if transport.protocol == "udp":
            return _NOT_OVER_UDP
        return packed(axfr(zone.reader), query, signer, transport.now)
    if query.ixfr_serial is None:
        return _MALFORMED
    if not serial.newer(zone.reader.info.serial, query.ixfr_serial):
        return _only_soa(zone)
    delta = zone.deltas.since(query.ixfr_serial, zone.earlier, zone.reader)
    if transport.protocol == "udp":
        return _datagram(query, zone, delta, policy, transport, signer)
    return packed(ixfr(zone.reader, delta), query, signer, transport.now)


def permits(
    transfers: tuple[Transfer, ...], apex: bytes, transport: Transport, signer: Signer | None
) -> bool:
    """Tell whether the client may have a zone: by address, and by key where one is asked for."""
    directive = directive_for(transfers, apex)
    if directive is None:
        return False
    key = None if signer is None or signer.key is None else signer.key.name
    return any(_matches(secondary, transport.client, key) for secondary in directive.to)


def directive_for(transfers: tuple[Transfer, ...], apex: bytes) -> Transfer | None:
    """Return the directive with the longest zone an apex is at or below; of equal ones the first."""
    best, longest = None, -1
    for directive in transfers:
        for zone in directive.zones or (b"",):
            if len(zone) > longest and (not zone or is_at_or_below(apex, zone)):
                best, longest = directive, len(zone)
    return best


def _matches(secondary: Secondary, client: str, key: bytes | None) -> bool:
    if secondary.key is not None and secondary.key != key:
        return False
    if secondary.network is None:
        return True
    address = client_address(client)
    return address is not None and address in secondary.network


def _only_soa(zone: Loaded) -> Answer:
    """Return what tells a client that it is current, or to come back over TCP (RFC 1995 2, 4)."""
    owner, rrset = soa(zone.reader)
    # Without its signatures, DO or not: one record is the whole response.
    return Answer(aa=True, answer=((owner, replace(rrset, signatures=())),))


def _datagram(
    query: Query,
    zone: Loaded,
    delta: Delta | None,
    policy: Policy,
    transport: Transport,
    signer: Signer | None,
) -> Answer:
    """Return a difference that fits a datagram and is known soon, else the SOA (RFC 1995 2)."""
    if delta is None or (not delta.done and delta.work > IXFR_UDP_RECORDS):
        return _only_soa(zone)
    while not delta.done:
        delta.step()
    if not delta.usable:
        return _only_soa(zone)
    section: Section = tuple(delta.items(zone.reader))
    room = size_limit(transport, query.edns, policy) - (signer.octets if signer else 0)
    if query.edns is not None:
        room -= _OPT_OCTETS
    message = Message(query.question, query.name, room, CLASS_IN)
    if message.put(section, do=False) < len(section):
        return _only_soa(zone)
    return Answer(aa=True, answer=section)
