"""What is done with each reply after it is made: count it, and log it where a block asks.

The hot path pays for what is switched on: without ``log`` and ``errors`` a reply costs one
dict lookup and a few additions. Not here: making the reply (answer), and writing (lines).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ocizone.answer.blocks import Block, NotReady, Transport
from ocizone.answer.respond import Reply, Stream
from ocizone.answer.sent import Sent
from ocizone.observe.counters import NO_ZONE, Counters
from ocizone.observe.errorlog import ErrorLog
from ocizone.observe.printable import printable
from ocizone.observe.querylog import Line, classes_of, rule_for, text_of, type_text
from ocizone.plugins.log import LogRule
from ocizone.wire.codes import NOTAUTH, REFUSED, SERVFAIL
from ocizone.wire.name import is_at_or_below, to_text
from ocizone.wire.query import Query


@dataclass(slots=True)
class Watching:
    """What the blocks of the current plan want to see, by block name."""

    log: Mapping[str, tuple[LogRule, ...]] = field(default_factory=dict)
    errors: Mapping[str, ErrorLog] = field(default_factory=dict)


class Witness:
    """Sees every packet that was answered, or was not."""

    def __init__(
        self,
        counters: Counters,
        query_line: Callable[[str], None],
        refused: Callable[[Reply, Transport], None],
    ) -> None:
        """Make it.

        Args:
            counters: count everything.
            query_line: writes a line of the query log.
            refused: told of each query answered REFUSED or NOTAUTH.
        """
        self._counters = counters
        self._query_line = query_line
        self._refused = refused
        self._zones: dict[bytes, str] = {}
        self.watching = Watching()

    def __call__(
        self, packet: bytes, reply: Reply | None, transport: Transport, seconds: float
    ) -> None:
        """Count one packet, and log it where its block asks."""
        self._replied(packet, reply, transport, seconds, "no version yet")

    def _replied(
        self,
        packet: bytes,
        reply: Reply | None,
        transport: Transport,
        seconds: float,
        servfail: str,
    ) -> None:
        """Do what ``__call__`` says; ``servfail`` is why a loaded zone is answered so."""
        if reply is None:
            self._counters.drops["silent"] += 1
            return
        query = reply.query
        self._count(packet, reply, len(reply.wire), transport, seconds)
        if query is not None and reply.block is not None:
            rules = self.watching.log.get(reply.block.name)
            if rules:
                self._log(rules, query, packet, reply, transport, seconds, len(reply.wire))
            if reply.rcode == SERVFAIL:
                self._error(query, reply, servfail)
        if query is not None and reply.rcode in (REFUSED, NOTAUTH):
            self._refused(reply, transport)

    def streamed(
        self, packet: bytes, stream: Stream, sent: Sent, transport: Transport, seconds: float
    ) -> None:
        """Count a transfer that is over, and log it where its block asks; one line in all."""
        self._counters.transfers[self.zone_text(stream.zone), sent.outcome] += 1
        if sent.outcome == "busy":
            self._replied(packet, stream.busy, transport, seconds, "too many transfers")
            return
        reply = Reply(sent.first, sent.rcode, stream.query, stream.block, stream.zone)
        self._count(packet, reply, sent.octets, transport, seconds)
        rules = self.watching.log.get(stream.block.name)
        if rules and sent.first:
            self._log(rules, stream.query, packet, reply, transport, seconds, sent.octets)

    def is_logged(self, block: Block, reply: Reply | None) -> bool:
        """Tell whether a reply of a block has a line in the query log; any of it, with None."""
        rules = self.watching.log.get(block.name)
        if not rules or reply is None or reply.query is None:
            return bool(rules)
        return _rule_of(rules, reply.query, reply) is not None

    def _count(
        self, packet: bytes, reply: Reply, octets: int, transport: Transport, seconds: float
    ) -> None:
        query = reply.query
        self._counters.query(
            transport.listener,
            self._zone(reply),
            "udp" if transport.protocol == "udp" else "tcp",
            transport.family,
            query.qtype if query else -1,
            reply.rcode,
            len(packet),
            octets,
            seconds,
            dnssec_ok=bool(query and query.edns and query.edns.do),
        )

    def _zone(self, reply: Reply) -> str:
        """Return the zone label; only names of the configuration or of loaded zones get here."""
        if reply.zone is not None:
            return self.zone_text(reply.zone)
        if reply.block is not None and reply.query is not None:
            return self.zone_text(_key_of(reply.block, reply.query.name))
        return NO_ZONE

    def zone_text(self, apex: bytes) -> str:
        """Return the label of a zone there is."""
        text = self._zones.get(apex)
        if text is None:
            text = self._zones[apex] = to_text(apex)
        return text

    def _log(
        self,
        rules: tuple[LogRule, ...],
        query: Query,
        packet: bytes,
        reply: Reply,
        transport: Transport,
        seconds: float,
        octets: int,
    ) -> None:
        rule = _rule_of(rules, query, reply)
        if rule is None:
            return
        edns = query.edns
        line = Line(
            qname=query.name,
            qtype=query.qtype,
            qclass=query.qclass,
            message_id=query.id,
            dnssec_ok=edns is not None and edns.do,
            bufsize=None if edns is None else edns.size,
            request_octets=len(packet),
            reply=reply.wire,
            reply_octets=octets,
            transport=transport,
            seconds=seconds,
        )
        self._query_line("[INFO] " + printable(text_of(rule, line, reply.rcode)))

    def _error(self, query: Query, reply: Reply, servfail: str) -> None:
        assert reply.block is not None
        errors = self.watching.errors.get(reply.block.name)
        if errors is not None:
            zone = None if reply.zone is None else reply.block.zones.get(reply.zone)
            reason = zone.reason if isinstance(zone, NotReady) else reply.block.pending
            errors.error(
                reply.rcode, to_text(query.name), type_text(query.qtype), reason or servfail
            )


def _rule_of(rules: tuple[LogRule, ...], query: Query, reply: Reply) -> LogRule | None:
    """Return the rule that logs a reply; None when it has no line."""
    rule = rule_for(rules, query.name)
    if rule is None or not rule.classes & classes_of(reply.wire, query.qtype, reply.rcode):
        return None
    return rule


def _key_of(block: Block, name: bytes) -> bytes:
    """Return the block's longest key that a name is at or below."""
    keys = [key for key in block.keys if is_at_or_below(name, key)]
    return max(keys or block.keys, key=len)
