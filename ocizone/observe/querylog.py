"""The query log: which rule logs a query, of which class it is, and its line (CoreDNS' ``log``).

Pure: a function of the rule, the packet, the reply and the transport. Not here: writing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ocizone.answer.blocks import Transport
from ocizone.limits import PLAIN_UDP_OCTETS, TCP_MESSAGE_OCTETS
from ocizone.observe.counters import QTYPES, RCODES
from ocizone.plugins.log import LogRule
from ocizone.wire.name import is_at_or_below, to_text

_NS, _SOA, _AXFR, _IXFR = 2, 6, 252, 251
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_FLAGS = (
    ("qr", 0x8000), ("aa", 0x0400), ("tc", 0x0200), ("rd", 0x0100), ("ra", 0x0080),
    ("z", 0x0040), ("ad", 0x0020), ("cd", 0x0010),
)  # fmt: skip
_CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}


@dataclass(frozen=True, slots=True)
class Line:
    """What a log line tells of one query; sizes in octets, time in seconds."""

    qname: bytes
    qtype: int
    qclass: int
    message_id: int
    dnssec_ok: bool
    bufsize: int | None
    request_octets: int
    reply: bytes
    reply_octets: int
    """All messages of a transfer together; ``reply`` is its first."""
    transport: Transport
    seconds: float

    @property
    def flags(self) -> int:
        """The reply's flags word."""
        return int.from_bytes(self.reply[2:4], "big")


def type_text(qtype: int) -> str:
    """Return a type's mnemonic where metrics and logs know it, else TYPEnnn (RFC 3597 5)."""
    return QTYPES.get(qtype, f"TYPE{qtype}")


def rule_for(rules: Iterable[LogRule], qname: bytes) -> LogRule | None:
    """Return the first rule one of whose names is a suffix of the query's name.

    Args:
        rules: the block's ``log`` directives, in order.
        qname: lower-case wire name.
    """
    for rule in rules:
        if any(is_at_or_below(qname, name) for name in rule.names):
            return rule
    return None


def classes_of(reply: bytes, qtype: int, rcode: int) -> frozenset[str]:
    """Return the classes a reply is of: ``all`` and one of success, denial, error.

    Args:
        reply: the wire form; its authority section is looked at only for its first type.
        qtype: of the question.
        rcode: with the extended bits of EDNS.
    """
    answers = int.from_bytes(reply[6:8], "big")
    if qtype in {_AXFR, _IXFR}:
        kind = "error"
    elif rcode == 0 and answers:
        kind = "success"
    elif rcode == 0 and _first_authority(reply) == _SOA:
        kind = "denial"
    elif rcode == 0:
        kind = "success"
    else:
        kind = "denial" if rcode == 3 and not answers else "error"
    return frozenset({"all", kind})


def _first_authority(reply: bytes) -> int | None:
    """Return the type of the first authority record of a reply without answers."""
    if not int.from_bytes(reply[8:10], "big"):
        return None
    at = _after_name(reply, 12) + 4 if int.from_bytes(reply[4:6], "big") else 12
    at = _after_name(reply, at)
    return int.from_bytes(reply[at : at + 2], "big")


def _after_name(message: bytes, at: int) -> int:
    while size := message[at]:
        if size >= 0xC0:
            return at + 2
        at += 1 + size
    return at + 1


def text_of(rule: LogRule, line: Line, rcode: int) -> str:
    """Return the line a rule's format makes; unknown placeholders stay as they are."""

    def value(found: re.Match[str]) -> str:
        field = _FIELDS.get(found[0])
        if field is not None:
            return field(line, rcode)
        # Metadata is a placeholder with a slash; there is none, and a missing value is "-".
        return "-" if found[0].startswith("{/") else found[0]

    return _PLACEHOLDER.sub(value, rule.format)


def _host(line: Line) -> str:
    client = line.transport.client
    return f"[{client}]" if ":" in client else client


def _bufsize(line: Line) -> str:
    if line.transport.protocol != "udp":
        return str(TCP_MESSAGE_OCTETS)
    return str(max(line.bufsize or 0, PLAIN_UDP_OCTETS))


_FIELDS: dict[str, Callable[[Line, int], str]] = {
    "{type}": lambda line, _: type_text(line.qtype),
    "{name}": lambda line, _: to_text(line.qname),
    "{class}": lambda line, _: _CLASSES.get(line.qclass, f"CLASS{line.qclass}"),
    "{proto}": lambda line, _: line.transport.protocol,
    "{size}": lambda line, _: str(line.request_octets),
    "{remote}": lambda line, _: _host(line),
    "{port}": lambda line, _: str(line.transport.client_port),
    "{local}": lambda line, _: line.transport.listener,
    "{>id}": lambda line, _: str(line.message_id),
    "{>opcode}": lambda line, _: str(line.flags >> 11 & 15),
    "{>do}": lambda line, _: "true" if line.dnssec_ok else "false",
    "{>bufsize}": lambda line, _: _bufsize(line),
    "{rcode}": lambda _, rcode: RCODES.get(rcode, str(rcode)),
    "{rsize}": lambda line, _: str(line.reply_octets),
    "{duration}": lambda line, _: f"{line.seconds:.9f}s",
    "{>rflags}": lambda line, _: ",".join(name for name, bit in _FLAGS if line.flags & bit) or "-",
}
