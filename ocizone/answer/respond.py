"""Answer a query: bytes and a snapshot in, bytes out. Start reading here.

    wire.query -> tsig -> route -> policy (acl, chaos) -> compose (zone.lookup) -> policy ->
    options -> wire.render -> tsig
                                                       -> transfer -> Stream

Pure: no socket, no clock, no global state; it never raises, whatever the bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from ocizone.answer import options, policy
from ocizone.answer.blocks import Block, Loaded, NotReady, Snapshot, Transport
from ocizone.answer.compose import Wanted, compose
from ocizone.answer.route import NOBODY, Blocks, Route, route
from ocizone.answer.transfer import BUSY, NO_ZONE, REFUSAL, permits, transfer
from ocizone.wire.codes import (
    CLASS_ANY,
    CLASS_IN,
    EDE_BLOCKED,
    EDE_FILTERED,
    EDE_NOT_AUTHORITATIVE,
    EDE_NOT_READY,
    EDE_PROHIBITED,
    FORMERR,
    NOERROR,
    REFUSED,
    SERVFAIL,
    TYPE_AXFR,
    TYPE_IXFR,
    TYPE_SOA,
)
from ocizone.wire.cookie import Cookie
from ocizone.wire.query import Drop, Query, Reject, parse
from ocizone.wire.render import Answer, render, render_reject
from ocizone.wire.tsig import Failed, Signer, verify
from ocizone.zone.reader import ZoneReader

_NO_BLOCKS: Final[Blocks] = {}

_NOT_AUTHORITATIVE: Final = Answer(REFUSED, error=(EDE_NOT_AUTHORITATIVE, "not served here"))
# The reason is for the operator (status, log): a client learns no registry's name from it.
_NOT_READY: Final = Answer(SERVFAIL, error=(EDE_NOT_READY, "no version of this zone yet"))
_BLOCKED: Final = Answer(REFUSED, error=(EDE_BLOCKED, ""))
_FILTERED: Final = Answer(error=(EDE_FILTERED, ""))
_UNSIGNED: Final = Answer(REFUSED, error=(EDE_PROHIBITED, "unsigned"))
_TRANSFERS: Final = frozenset({TYPE_AXFR, TYPE_IXFR})
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


#: What is said: at once, or in messages.
_Said = Answer | Iterator[bytes | None]


def respond(packet: bytes, snapshot: Snapshot, transport: Transport) -> Reply | Stream | None:
    """Return the reply to a message, or None for silence; over UDP it is never a Stream.

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
            return _reply(packet, parsed, snapshot, transport)
        case Reject():
            return _rejection(packet, parsed, snapshot, transport)
        case Drop():
            return None
        case _:
            assert_never(parsed)


def _rejection(packet: bytes, reject: Reject, snapshot: Snapshot, transport: Transport) -> Reply:
    """Return the reply to what is not looked up, signed if it was (RFC 8945 5.3)."""
    signer: Signer | None = None
    if reject.tsig is not None:
        verified = verify(packet, reject.tsig, snapshot.keys, transport.received)
        if isinstance(verified, Failed):
            reject, signer = replace(reject, rcode=verified.rcode), verified.signer
        else:
            signer = verified
    cookie = options.cookie_of(reject.edns, transport, snapshot.cookies)
    if reject.rcode == NOERROR and (cookie is None or not cookie.reply):
        # It asked for a cookie, and there is none to give.
        reject = replace(reject, rcode=FORMERR)
    wire = render_reject(reject, options.with_cookie(cookie))
    if signer is not None:
        wire = signer.sign(wire, transport.received)
    return Reply(wire, reject.rcode)


def _reply(
    packet: bytes, query: Query, snapshot: Snapshot, transport: Transport
) -> Reply | Stream | None:
    signer: Signer | None = None
    if query.tsig is not None:
        # Before anything is looked up, and for everybody alike: who is not let in learns nothing.
        verified = verify(packet, query.tsig, snapshot.keys, transport.received)
        if isinstance(verified, Failed):
            return _rendered(query, Answer(verified.rcode), NOBODY, transport, verified.signer)
        signer = verified
    blocks = snapshot.listeners.get(transport.listener, _NO_BLOCKS)
    way = route(blocks, query.name, query.qtype)
    cookie: Cookie | None = None
    if query.edns is not None and query.edns.options:
        cookie = options.cookie_of(query.edns, transport, snapshot.cookies)
    answer = _answer(query, blocks, way, transport, signer, cookie)
    if answer is None:
        return None
    if isinstance(answer, Answer):
        return _rendered(query, answer, way, transport, signer, cookie)
    assert way.block is not None
    assert way.apex is not None
    # Signed on its own: only one of the two is sent.
    alone = None if signer is None else replace(signer)
    busy = _rendered(query, BUSY, way, transport, alone, cookie)
    return Stream(answer, busy, query, way.block, way.apex)


def _rendered(
    query: Query,
    answer: Answer,
    way: Route,
    transport: Transport,
    signer: Signer | None,
    cookie: Cookie | None = None,
) -> Reply:
    wanted = None if way.block is None else way.block.policy
    limit = policy.size_limit(transport, query.edns, wanted)
    if signer is None and (query.edns is None or not query.edns.options):
        rendered = render(query, answer, limit)
        wire = rendered.wire
    else:
        rendered = render(
            query,
            answer,
            limit,
            options.said(query, answer, way, transport, cookie),
            tsig_octets=0 if signer is None else signer.octets,
            padded_to=options.padded_to(query.edns, transport),
        )
        wire = rendered.wire if signer is None else signer.sign(rendered.wire, transport.received)
    return Reply(wire, answer.rcode, query, way.block, way.apex, rendered.truncated)


def _answer(
    query: Query,
    blocks: Blocks,
    way: Route,
    transport: Transport,
    signer: Signer | None,
    cookie: Cookie | None,
) -> _Said | None:
    """Return what to say; None when an ``acl`` says to drop."""
    block = way.block
    if block is None:
        refused = cookie and options.refused_for_cookie(cookie, transport, "on")
        return refused or (NO_ZONE if query.qtype in _TRANSFERS else _NOT_AUTHORITATIVE)
    rules = block.policy.tsig
    if rules is not None and signer is None and rules.require(query.name, query.qtype):
        return _UNSIGNED
    action = policy.acl(block.policy.acl, query.name, query.qtype, transport.client)
    match action:
        case "allow":
            refused = cookie and options.refused_for_cookie(cookie, transport, block.policy.cookies)
            return refused or _allowed_answer(query, blocks, block, way, transport, signer)
        case "block":
            return _BLOCKED
        case "filter":
            return _FILTERED
        case "drop":
            return None
        case _:
            assert_never(action)


def _allowed_answer(
    query: Query,
    blocks: Blocks,
    block: Block,
    way: Route,
    transport: Transport,
    signer: Signer | None,
) -> _Said:
    if query.qclass != CLASS_IN:
        chaos = block.policy.chaos
        answer = chaos and policy.chaos_answer(query, chaos, block.policy.hostname)
        answer = answer or policy.provenance_answer(query, block)
        if answer or query.qclass != CLASS_ANY:
            return answer or _OTHER_CLASS
    match way.zone:
        case Loaded(reader) as loaded:
            apex = reader.info.apex
            if query.qtype in _TRANSFERS and query.qclass == CLASS_IN:
                return transfer(query, apex, loaded, block.policy, transport, signer)
            if loaded.catalog and not _of_secondary(query, block, apex, transport, signer):
                return REFUSAL
            answer = _zone_answer(query, blocks, block, reader, transport, signer)
            # We cannot know of every class (RFC 1034 3.7.1); NSD, too, clears AA.
            return answer if query.qclass == CLASS_IN else replace(answer, aa=False)
        case NotReady():
            return _NOT_READY
        case None:
            # The zone may be among those not known yet: neither refuse nor say who asked.
            if block.pending is not None:
                return _NOT_READY
            if block.policy.whoami:
                return policy.whoami_answer(query, transport)
            return NO_ZONE if query.qtype in _TRANSFERS else _NOT_AUTHORITATIVE
        case _:
            assert_never(way.zone)


def _of_secondary(
    query: Query, block: Block, apex: bytes, transport: Transport, signer: Signer | None
) -> bool:
    """Tell whether a query for a catalog is what its secondaries ask (RFC 9432 6)."""
    return query.qtype == TYPE_SOA and permits(block.policy.transfer, apex, transport, signer)


def _zone_answer(
    query: Query,
    blocks: Blocks,
    block: Block,
    zone: ZoneReader,
    transport: Transport,
    signer: Signer | None,
) -> Answer:
    if query.qtype in _TRANSFERS:
        # Of class ANY: there is no such thing.
        return NO_ZONE

    def zone_of(name: bytes) -> ZoneReader | None:
        """Find where an alias leads: any zone of the listener the client may ask."""
        way = route(blocks, name, query.qtype)
        if way.block is None or not isinstance(way.zone, Loaded) or way.zone.catalog:
            return None
        rules = way.block.policy.tsig
        if rules is not None and signer is None and rules.require(name, query.qtype):
            return None
        permitted = policy.acl(way.block.policy.acl, name, query.qtype, transport.client)
        return way.zone.reader if permitted == "allow" else None

    do = query.edns is not None and query.edns.do
    octets = policy.size_limit(transport, query.edns, block.policy)
    wanted = Wanted(do, block.policy.minimal, octets)
    answer = compose(query.name, query.qtype, zone, zone_of, wanted)
    return policy.shape(query, answer, block.policy)
