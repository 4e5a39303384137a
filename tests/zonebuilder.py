"""Zones for tests: master-file text to a DictZone through dnspython, flags as node.py says."""

from __future__ import annotations

import dns.message
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.zone

from ocizone.answer.blocks import Block, Loaded, Policy, ServedZone, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.wire.codes import TYPE_DNAME, TYPE_NS, TYPE_RRSIG
from ocizone.wire.name import from_text, key_label, labels, relative_key
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.reader import DictZone, ZoneInfo

UDP = Transport("udp", "main", "192.0.2.53", 40000)
TCP = Transport("tcp", "main", "192.0.2.53", 40000)


def zone(text: str, origin: str) -> DictZone:
    """Return the zone this text describes; it needs a SOA, and nothing else is checked."""
    parsed = dns.zone.from_text(
        text, origin, relativize=False, check_origin=False, allow_include=False
    )
    apex = from_text(origin).lower()
    depth = len(labels(apex))
    spelling: dict[bytes, bytes] = {}
    data: dict[bytes, dict[int, RRset]] = {}
    records = 0
    for owner, found in parsed.nodes.items():
        wire = owner.to_wire()
        assert wire is not None
        key = relative_key(wire.lower(), depth)
        if wire != wire.lower():
            spelling[key] = wire
        data[key] = _rrsets(found.rdatasets)
        records += sum(len(rdataset) for rdataset in found.rdatasets)
    nodes = _with_flags(data, spelling)
    soa = parsed.find_rdataset(origin, "SOA")
    (rdata,) = soa
    assert isinstance(rdata, dns.rdtypes.ANY.SOA.SOA)
    negative_ttl = min(soa.ttl, rdata.minimum)
    return DictZone(ZoneInfo(apex, depth, rdata.serial, records, negative_ttl, "test"), nodes)


def _rrsets(rdatasets: list[dns.rdataset.Rdataset]) -> dict[int, RRset]:
    signatures: dict[int, tuple[bytes, ...]] = {}
    for rdataset in rdatasets:
        if rdataset.rdtype == TYPE_RRSIG:
            signatures[int(rdataset.covers)] = tuple(r.to_wire() or b"" for r in rdataset)
    return {
        int(rdataset.rdtype): RRset(
            int(rdataset.rdtype),
            rdataset.ttl,
            tuple(r.to_wire() or b"" for r in rdataset),
            signatures.get(int(rdataset.rdtype), ()),
        )
        for rdataset in rdatasets
        if rdataset.rdtype != TYPE_RRSIG
    }


def _parents(key: bytes) -> list[bytes]:
    """Return the keys of all ancestors, nearest first, the apex last."""
    parts = key.split(b"\x00")[:-1]
    return [b"".join(part + b"\x00" for part in parts[:n]) for n in range(len(parts) - 1, -1, -1)]


def _with_flags(
    data: dict[bytes, dict[int, RRset]], spelling: dict[bytes, bytes]
) -> dict[bytes, Node]:
    keys = set(data)
    for key in data:
        keys.update(_parents(key))
    nodes = {}
    for key in keys:
        rrsets = data.get(key, {})
        flags = Flag.NONE
        if key and TYPE_NS in rrsets:
            flags |= Flag.CUT
        if TYPE_DNAME in rrsets:
            flags |= Flag.DNAME
        if key + key_label(b"*") in keys:
            flags |= Flag.WILDCARD_CHILD
        if not rrsets:
            flags |= Flag.EMPTY_NON_TERMINAL
        for above in _parents(key):
            there = data.get(above, {})
            if TYPE_DNAME in there or (above and TYPE_NS in there):
                flags |= Flag.OCCLUDED
        if key in spelling:
            flags |= Flag.MIXED_CASE
        nodes[key] = Node(flags, rrsets, spelling.get(key))
    return nodes


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


def ask_reply(
    served: Snapshot, qname: str, qtype: str, *, transport: Transport = UDP, **options: object
) -> Reply:
    """Return the Reply to a question; options are those of dns.message.make_query."""
    query = dns.message.make_query(qname, qtype, **options)  # type: ignore[arg-type] # passed on
    reply = respond(query.to_wire(), served, transport)
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
