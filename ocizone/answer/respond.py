"""Answer a query: bytes and a snapshot in, bytes out. Start reading here.

    wire.query -> route -> policy (acl, chaos) -> compose (zone.lookup) -> policy -> wire.render

Pure: no socket, no clock, no global state; it never raises, whatever the bytes are. TSIG is
passed over, and transfers are refused here: AXFR and IXFR are answered before this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from ocizone.answer import policy
from ocizone.answer.blocks import Block, Loaded, NotReady, Snapshot, Transport
from ocizone.answer.compose import Wanted, compose
from ocizone.answer.route import Blocks, Route, route
from ocizone.wire.codes import (
    CLASS_IN,
    EDE_BLOCKED,
    EDE_FILTERED,
    EDE_NOT_AUTHORITATIVE,
    EDE_NOT_READY,
    EDE_PROHIBITED,
    REFUSED,
    SERVFAIL,
    TYPE_AXFR,
    TYPE_IXFR,
)
from ocizone.wire.query import Drop, Query, Reject, parse
from ocizone.wire.render import Answer, render, render_reject
from ocizone.zone.reader import ZoneReader

_NO_BLOCKS: Final[Blocks] = {}

_NOT_AUTHORITATIVE: Final = Answer(REFUSED, error=(EDE_NOT_AUTHORITATIVE, "not served here"))
# The reason is for the operator (status, log): a client learns no registry's name from it.
_NOT_READY: Final = Answer(SERVFAIL, error=(EDE_NOT_READY, "no version of this zone yet"))
_BLOCKED: Final = Answer(REFUSED, error=(EDE_BLOCKED, ""))
_FILTERED: Final = Answer(error=(EDE_FILTERED, ""))
_NO_TRANSFER: Final = Answer(REFUSED, error=(EDE_PROHIBITED, "no transfer"))
_OTHER_CLASS: Final = Answer(REFUSED, error=(EDE_NOT_AUTHORITATIVE, "class not served here"))


@dataclass(frozen=True, slots=True)
class Reply:
    """A response and what log and metrics say of it.

    Attributes:
        wire: the message to send.
        rcode: the whole one, extended ones too.
        query: None when the message was no proper query.
        block: whose block answered; None for nobody's.
        zone: apex of the zone that answered, lower-case wire name; None for none.
        truncated: TC is set.
    """

    wire: bytes
    rcode: int
    query: Query | None = None
    block: Block | None = None
    zone: bytes | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A response of several messages: a zone transfer (RFC 5936 2.2).

    Attributes:
        messages: what to send, in order, without lengths; None stands for work that is not done
            yet: others get their turn, then it is asked again.
        busy: sent instead when there are too many transfers already.
        query: what asked for it.
        block: whose block answers.
        zone: apex of the zone that is transferred.
    """

    messages: Iterator[bytes | None]
    busy: Reply
    query: Query
    block: Block
    zone: bytes


def respond(packet: bytes, snapshot: Snapshot, transport: Transport) -> Reply | None:
    """Return the reply to a message, or None for silence.

    Args:
        packet: the message, without the TCP length.
        snapshot: what is served; the reply is from this and nothing else.
        transport: how the message came in.
    """
    # No host sends from port 0; what claims to is aimed at somebody.
    if not transport.client_port:
        return None
    parsed = parse(packet)
    match parsed:
        case Query():
            return _reply(parsed, snapshot, transport)
        case Reject():
            return Reply(render_reject(parsed), parsed.rcode)
        case Drop():
            return None
        case _:
            assert_never(parsed)


def _reply(query: Query, snapshot: Snapshot, transport: Transport) -> Reply | None:
    blocks = snapshot.listeners.get(transport.listener, _NO_BLOCKS)
    way = route(blocks, query.name, query.qtype)
    answer = _answer(query, blocks, way, transport)
    if answer is None:
        return None
    wanted = None if way.block is None else way.block.policy
    rendered = render(
        query,
        answer,
        policy.size_limit(transport, query.edns, wanted),
        policy.nsid(query.edns, wanted),
    )
    return Reply(rendered.wire, answer.rcode, query, way.block, way.apex, rendered.truncated)


def _answer(query: Query, blocks: Blocks, way: Route, transport: Transport) -> Answer | None:
    """Return what to say; None when an ``acl`` says to drop."""
    block = way.block
    if block is None:
        return _NOT_AUTHORITATIVE
    action = policy.acl(block.policy.acl, query.name, query.qtype, transport.client)
    match action:
        case "allow":
            return _allowed_answer(query, blocks, block, way, transport)
        case "block":
            return _BLOCKED
        case "filter":
            return _FILTERED
        case "drop":
            return None
        case _:
            assert_never(action)


def _allowed_answer(
    query: Query, blocks: Blocks, block: Block, way: Route, transport: Transport
) -> Answer:
    if query.qclass != CLASS_IN:
        chaos = block.policy.chaos
        answer = chaos and policy.chaos_answer(query, chaos, block.policy.hostname)
        return answer or _OTHER_CLASS
    match way.zone:
        case Loaded(reader):
            return _zone_answer(query, blocks, block, reader, transport)
        case NotReady():
            return _NOT_READY
        case None:
            # The zone may be among those not known yet: neither refuse nor say who asked.
            if block.pending is not None:
                return _NOT_READY
            if block.policy.whoami:
                return policy.whoami_answer(query, transport)
            return _NOT_AUTHORITATIVE
        case _:
            assert_never(way.zone)


def _zone_answer(
    query: Query, blocks: Blocks, block: Block, zone: ZoneReader, transport: Transport
) -> Answer:
    if query.qtype in (TYPE_AXFR, TYPE_IXFR):
        return _NO_TRANSFER

    def zone_of(name: bytes) -> ZoneReader | None:
        """Find where an alias leads: any zone of the listener the client may ask."""
        way = route(blocks, name, query.qtype)
        if way.block is None or not isinstance(way.zone, Loaded):
            return None
        rules = way.block.policy.acl
        allowed = policy.acl(rules, name, query.qtype, transport.client) == "allow"
        return way.zone.reader if allowed else None

    do = query.edns is not None and query.edns.do
    octets = policy.size_limit(transport, query.edns, block.policy)
    wanted = Wanted(do, block.policy.minimal, octets)
    answer = compose(query.name, query.qtype, zone, zone_of, wanted)
    return policy.shape(query, answer, block.policy)
