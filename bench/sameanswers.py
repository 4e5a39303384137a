"""Ask two servers the same packets and compare what comes back, before anything is timed.

First the octets after the id; where they differ (order within sections, compression), the
response code, flags, question and the sorted records of each section with their TTLs, and EDNS
with its flags. Not here: what to do about a difference (rounds).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

ASK_S = 1.0
TRIES = 3
Section = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sameness:
    """How the answers of two servers compare.

    Attributes:
        asked: questions.
        octets: how many answers are the same octet for octet.
        records: how many have at least the same code, flags and records.
        example: the first difference, "" for none.
    """

    asked: int
    octets: int
    records: int
    example: str = ""

    @property
    def same(self) -> bool:
        """Whether every answer says the same."""
        return self.records == self.asked

    def told(self) -> str:
        """Return it in words."""
        text = f"{self.octets} of {self.asked} octet for octet, {self.records} record for record"
        return text if self.same else f"{text}; first difference: {self.example}"


def packet(line: str, number: int, *, dnssec: bool) -> bytes:
    """Return the query of a dnsperf line as dnsperf makes it (RD, EDNS), with this id."""
    name, _, kind = line.partition(" ")
    query = dns.message.make_query(name, kind, flags=dns.flags.RD)
    query.use_edns(0, dns.flags.DO if dnssec else 0, payload=4096)
    query.id = number & 0xFFFF
    return query.to_wire()


def ask(port: int, packets: Sequence[bytes], *, tcp: bool) -> list[bytes]:
    """Return the answer to each packet, b"" for none."""
    return _over_tcp(port, packets) if tcp else _over_udp(port, packets)


def _over_udp(port: int, packets: Sequence[bytes]) -> list[bytes]:
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ASK_S)
        sock.connect(("127.0.0.1", port))
        for query in packets:
            reply = b""
            for _ in range(TRIES):
                sock.send(query)
                try:
                    while (reply := sock.recv(65535))[:2] != query[:2]:
                        pass
                except TimeoutError:
                    continue
                break
            answers.append(reply)
    return answers


def _over_tcp(port: int, packets: Sequence[bytes]) -> list[bytes]:
    answers = []
    with socket.create_connection(("127.0.0.1", port), ASK_S) as sock, sock.makefile("rb") as file:
        for query in packets:
            sock.sendall(struct.pack("!H", len(query)) + query)
            (size,) = struct.unpack("!H", file.read(2))
            answers.append(file.read(size))
    return answers


def meaning(wire: bytes) -> tuple[object, ...]:
    """Return what an answer says, whatever the order and compression of its records."""
    try:
        message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    except dns.exception.DNSException as error:
        return (f"unreadable: {error}",)
    edns = (message.edns, message.ednsflags) if message.edns >= 0 else None
    sections = (message.question, message.answer, message.authority, message.additional)
    return (
        dns.flags.to_text(message.flags), message.rcode(), edns,
        *(tuple(sorted(map(_record, section))) for section in sections),
    )  # fmt: skip


def _record(rrset: dns.rrset.RRset) -> str:
    return " ".join(
        [rrset.name.to_text().lower(), str(rrset.ttl), dns.rdatatype.to_text(rrset.rdtype)]
        + [rdata.to_text() for rdata in rrset]
    )


def compare(lines: Sequence[str], ours: Sequence[bytes], theirs: Sequence[bytes]) -> Sameness:
    """Compare answer by answer."""
    octets = records = 0
    example = ""
    for line, one, other in zip(lines, ours, theirs, strict=True):
        if one[2:] == other[2:] and one:
            octets += 1
            records += 1
        elif one and other and meaning(one) == meaning(other):
            records += 1
        elif not example:
            example = f"{line}: {meaning(one)} against {meaning(other)}"
    return Sameness(len(lines), octets, records, example)
