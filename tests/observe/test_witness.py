"""What is seen of each packet: counted always, logged where its block asks."""

from __future__ import annotations

from typing import Any

import dns.edns
import dns.message
import pytest
from twisted.internet.task import Clock

from ocizone.answer.blocks import Block, Loaded, NotReady, Snapshot, Transport
from ocizone.answer.respond import Reply, Stream
from ocizone.answer.sent import Sent
from ocizone.observe.counters import Counters
from ocizone.observe.errorlog import ErrorLog
from ocizone.observe.queries import QueryMetrics
from ocizone.observe.witness import Watching, Witness
from ocizone.plugins.errors import Errors
from ocizone.plugins.log import COMMON, LogRule
from ocizone.wire.name import from_text
from ocizone.wire.query import Query, parse
from tests.servedzones import zone_of
from tests.zonebuilder import TCP, UDP, block, replied, snapshot

BLOCKS = (
    block("org", {"org": Loaded(zone_of("org.")), "x.org": Loaded(zone_of("x.org."))}),
    block("net", {"net": NotReady("no version of r.test/a yet")}),
)
TWO_KEYS = Block(
    "two", (from_text("com"), from_text("a.com")), pending="no version of r.test/b yet"
)


class Site:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.errors: list[tuple[str, str]] = []
        self.refused: list[tuple[int, str]] = []
        self.counters = Counters()
        self.witness = Witness(self.counters, self.lines.append, self._refused)
        both = snapshot(*BLOCKS).listeners["main"]
        keys = dict.fromkeys(TWO_KEYS.keys, TWO_KEYS)
        self.snapshot = Snapshot(1, {"main": {**both, **keys}})

    def _refused(self, reply: Reply, transport: Transport) -> None:
        self.refused.append((reply.rcode, transport.client))

    def ask(self, name: str, rrtype: str = "A", transport: Transport = UDP, **options: Any) -> None:
        options.setdefault("use_edns", False)
        self.send(dns.message.make_query(name, rrtype, **options).to_wire(), transport)

    def send(self, packet: bytes, transport: Transport = UDP) -> None:
        self.witness(packet, replied(packet, self.snapshot, transport), transport, 0.001)

    def watch(self, name: str, *classes: str, names: tuple[bytes, ...] = (b"\0",)) -> None:
        rule = LogRule(names, COMMON, frozenset(classes or {"all"}))
        log = ErrorLog(Errors(False, ()), Clock(), lambda *line: self.errors.append(line))
        self.witness.watching = Watching({name: (rule,)}, {name: log})

    def labels(self) -> list[dict[str, str]]:
        """Return the labels of the request counter."""
        return [
            sample.labels
            for family in QueryMetrics(self.counters).collect()
            for sample in family.samples
            if sample.name == "coredns_dns_requests_total"
        ]


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("www.org", "org."),
        ("www.x.org", "x.org."),
        ("nosuch.org", "org."),
        ("WWW.ORG", "org."),
        ("www.net", "net."),
        ("b.com", "com."),
        ("b.a.com", "a.com."),
        ("example.edu", "dropped"),
    ],
)
def test_the_zone_label(name, zone):
    """Longest match among zones and keys; ``dropped`` where no block matches (2.12)."""
    site = Site()
    site.ask(name)
    assert [labels["zone"] for labels in site.labels()] == [zone]


def test_the_other_labels():
    """Server, protocol and family; type of the question."""
    site = Site()
    site.ask("www.org", "AAAA", Transport("tls", "main", "2001:db8::1", 7))
    assert site.labels() == [
        {
            "server": "main",
            "zone": "org.",
            "view": "",
            "proto": "tcp",
            "family": "2",
            "type": "AAAA",
        }
    ]


def test_do_is_counted():
    """With EDNS and DO."""
    site = Site()
    for options in ({}, {"use_edns": 0}, {"want_dnssec": True}):
        site.ask("www.org", **options)
    (count,) = [
        sample.value
        for family in QueryMetrics(site.counters).collect()
        for sample in family.samples
        if sample.name == "coredns_dns_do_requests_total"
    ]
    assert count == 1


def test_silence_is_counted_as_dropped():
    """A response is not answered."""
    site = Site()
    site.send(b"\0\0\x80" + bytes(9))
    assert site.counters.drops == {"silent": 1}
    assert site.labels() == []


def test_what_is_no_query_is_counted_without_a_zone():
    """FORMERR has neither question nor block."""
    site = Site()
    site.watch("dns://org:53")
    site.send(bytes(12))
    assert site.labels()[0]["type"] == "other"
    assert site.labels()[0]["zone"] == "dropped"
    assert site.lines == []


def test_a_block_with_log_is_logged():
    """``[INFO]`` and the format; other blocks are not."""
    site = Site()
    site.watch("dns://org:53")
    site.ask("WWW.org", id=1, use_edns=0, payload=1400, want_dnssec=True)
    site.ask("www.net")
    (line,) = site.lines
    assert line.startswith('[INFO] 192.0.2.53:40000 - 1 "A IN www.org. udp ')
    assert ' true 1400" NOERROR qr,aa,rd ' in line


def test_class_and_name_choose():
    """Only denials, only below a name."""
    site = Site()
    site.watch("dns://org:53", "denial")
    site.ask("www.org")
    assert site.lines == []
    site.ask("nosuch.org")
    assert len(site.lines) == 1
    site.watch("dns://org:53", names=(from_text("x.org"),))
    site.ask("nosuch.org")
    site.ask("nosuch.x.org")
    assert len(site.lines) == 2


def test_a_servfail_is_an_error_with_its_reason():
    """The operator reads which source has no version; clients do not learn it."""
    site = Site()
    site.watch("dns://net:53")
    site.ask("WWW.net", "MX")
    assert site.errors == [
        ("error", "plugin/errors: 2 www.net. MX: no version of r.test/a yet"),
    ]
    site.watch("two")
    site.ask("b.com")
    assert site.errors[1:] == [
        ("error", "plugin/errors: 2 b.com. A: no version of r.test/b yet"),
    ]


def test_without_the_directives_nothing_is_written():
    """``errors`` and ``log`` are asked for by block."""
    site = Site()
    site.ask("www.net")
    site.ask("www.org")
    assert (site.lines, site.errors) == ([], [])


def test_hostile_names_reach_no_log_raw():
    """Any octet may stand in a label."""
    site = Site()
    site.watch("dns://org:53")
    for octet in range(256):
        label = bytes([octet, 0x0A, 0x1B, 0x9B])
        question = b"\4" + label + from_text("org") + b"\0\1\0\1"
        site.send(b"\0\1\1\0\0\1\0\0\0\0\0\0" + question)
    assert len(site.lines) == 256
    assert all(line.isprintable() and " NXDOMAIN " in line for line in site.lines)


def stream(rules: tuple[str, ...] = ()) -> tuple[Site, bytes, Stream]:
    """Return a site that logs these classes, and a transfer of its zone."""
    site = Site()
    if rules:
        site.watch(BLOCKS[0].name, *rules)
    packet = dns.message.make_query("org", "AXFR", id=7, use_edns=False).to_wire()
    query = parse(packet)
    assert isinstance(query, Query)
    busy = Reply(packet[:2] + b"\x80\x02" + bytes(8), 2, query, BLOCKS[0], query.name)
    return site, packet, Stream(iter(()), busy, query, BLOCKS[0], query.name)


def transfers(site: Site) -> dict[tuple[str, str], float]:
    """Return the transfer counter by zone and result."""
    return {
        (sample.labels["zone"], sample.labels["result"]): sample.value
        for family in QueryMetrics(site.counters).collect()
        for sample in family.samples
        if sample.name == "ocizone_xfr_total"
    }


def test_a_transfer_is_one_query_with_the_size_of_all_its_messages():
    """One line and one count, at its end."""
    site, packet, found = stream(("all",))
    first = packet[:2] + b"\x84\x00" + packet[4:]
    site.witness.streamed(packet, found, Sent("done", first, 3, 99_000), TCP, 1.5)
    assert transfers(site) == {("org.", "done"): 1.0}
    assert site.labels()[0]["type"] == "AXFR"
    (line,) = site.lines
    assert '"AXFR IN org. tcp' in line
    assert "99000 1.5" in line


def test_a_transfer_that_never_began_has_no_line():
    """Its client left before the first message; it is counted."""
    site, packet, found = stream(("all",))
    site.witness.streamed(packet, found, Sent("aborted"), TCP, 1.5)
    assert transfers(site) == {("org.", "aborted"): 1.0}
    assert site.lines == []


def test_a_busy_server_says_so_in_log_and_metrics():
    """The client was told: it is an answer like others, and an error with its own reason."""
    site, packet, found = stream(("error",))
    site.witness.streamed(packet, found, Sent("busy"), TCP, 0.001)
    assert transfers(site) == {("org.", "busy"): 1.0}
    assert "SERVFAIL" in site.lines[0]
    assert [line.rpartition(": ")[2] for _, line in site.errors] == ["too many transfers"]


def test_what_is_refused_is_handed_on() -> None:
    """REFUSED and NOTAUTH, whoever asked; nothing else."""
    site = Site()
    for name in ("a.org", "nowhere.example", "r.net"):
        site.ask(name)
    site.ask("org", "AXFR", TCP)
    assert site.refused == [(5, UDP.client), (5, TCP.client)]
