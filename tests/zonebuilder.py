"""Zones, snapshots and questions for tests of answers."""

from __future__ import annotations

import dns.message
import dns.rrset

from ocizone.answer.blocks import Block, Loaded, Policy, ServedZone, Snapshot, Transport
from ocizone.answer.respond import Reply, Stream, respond
from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone.build import nsec3_nodes, zone_info, zone_nodes
from ocizone.zone.content import gather
from ocizone.zone.masterfile import read_master
from ocizone.zone.reader import DictZone

UDP = Transport("udp", "main", "192.0.2.53", 40000)
TCP = Transport("tcp", "main", "192.0.2.53", 40000)


def zone(text: str, origin: str) -> DictZone:
    """Return the zone this text describes; it must be readable, and nothing else is checked."""
    findings = Findings()
    apex = from_text(origin).lower()
    records = read_master(text.encode(), file="test", origin=apex, findings=findings)
    content = gather(records, apex, findings)
    assert not findings.problems(), findings.problems()
    return DictZone(
        zone_info(content, "test"), dict(zone_nodes(content)), dict(nsec3_nodes(content))
    )


def block(
    name: str, zones: dict[str, ServedZone], policy: Policy | None = None, **more: str
) -> Block:
    """Return a block whose keys are its name and whose zones are given by origin."""
    return Block(
        name=f"dns://{name}:53",
        keys=(from_text(name),),
        policy=policy or Policy(),
        zones={from_text(origin): served for origin, served in zones.items()},
        pending=more.get("pending"),
    )


def snapshot(*blocks: Block) -> Snapshot:
    """Return what serves these blocks on the listener ``main``."""
    return Snapshot(1, {"main": {key: block for block in blocks for key in block.keys}})


def serving(text: str, origin: str, policy: Policy | None = None) -> Snapshot:
    """Return what serves one zone in one block."""
    return snapshot(block(origin, {origin: Loaded(zone(text, origin))}, policy))


def replied(packet: bytes, served: Snapshot, transport: Transport) -> Reply | None:
    """Return what ``respond`` says in one message, or its silence."""
    reply = respond(packet, served, transport)
    assert not isinstance(reply, Stream)
    return reply


def ask_reply(
    served: Snapshot, qname: str, qtype: str, *, transport: Transport = UDP, **options: object
) -> Reply:
    """Return the Reply to a question; options are those of dns.message.make_query."""
    query = dns.message.make_query(qname, qtype, **options)  # type: ignore[arg-type] # passed on
    reply = replied(query.to_wire(), served, transport)
    assert reply is not None
    return reply


def ask(
    served: Snapshot, qname: str, qtype: str, *, transport: Transport = UDP, **options: object
) -> dns.message.Message:
    """Return the response to a question, read by dnspython."""
    wire = ask_reply(served, qname, qtype, transport=transport, **options).wire
    # A record outside the sections, or octets behind them, is an error there.
    return dns.message.from_wire(wire)


def lines(section: list[dns.rrset.RRset]) -> list[str]:
    """Return a section as sorted lines ``owner ttl type rdata``."""
    return sorted(
        line.replace(" IN ", " ", 1) for rrset in section for line in rrset.to_text().splitlines()
    )
