"""Take DNS messages apart, fast and without our own code: a judge must not be the judged.

Names are expanded and lowered, in owners and in the rdata of every type that has names, so that
responses compare without regard to compression and case. dnspython would do; it takes ten
times as long, and there are hundreds of thousands of responses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import dns.name
import dns.rdata
import dns.rdatatype
from dns.rdataclass import IN
from dns.rdatatype import OPT, RdataType

_FIXED = struct.Struct("!HHIH")
#: What comes before the names of an rdata, and how many there are.
_NAMES: dict[int, tuple[int, int]] = {
    int(dns.rdatatype.from_text(name)): shape
    for names, shape in (
        ("NS CNAME PTR DNAME MB MG MR MD MF NSEC", (0, 1)),
        ("SOA RP MINFO", (0, 2)),
        ("MX KX AFSDB RT SVCB HTTPS", (2, 1)),
        ("SRV", (6, 1)),
        ("RRSIG SIG", (18, 1)),
    )
    for name in names.split()
}
_NAPTR = int(dns.rdatatype.NAPTR)


@lru_cache(maxsize=50_000)
def name_of(wire: bytes) -> dns.name.Name:
    """Return a name from its wire form."""
    return dns.name.from_wire(wire, 0)[0]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: owner and rdata in lower-case, uncompressed wire form."""

    owner_wire: bytes
    rrtype: int
    rrclass: int
    ttl: int
    rdata: bytes

    @property
    def owner(self) -> dns.name.Name:
        """The owner as a name."""
        return name_of(self.owner_wire)

    @property
    def target(self) -> dns.name.Name:
        """The name the rdata of an NS, CNAME, DNAME or PTR is."""
        return name_of(self.rdata)

    def __str__(self) -> str:
        rrtype = RdataType.make(self.rrtype)
        rdata = dns.rdata.from_wire(IN, rrtype, self.rdata, 0, len(self.rdata))
        return f"{self.owner} {self.ttl} {dns.rdatatype.to_text(rrtype)} {rdata}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message, its OPT apart.

    Attributes:
        flags: the second word of the header.
        question: as it stands.
        sections: answer, authority, additional.
        opt: class (size) and TTL field (rcode, version, flags) of the OPT; None without one.
    """

    flags: int
    question: bytes
    sections: tuple[tuple[Record, ...], ...]
    opt: tuple[int, int] | None


def read_message(wire: bytes) -> Message:
    """Return a message.

    Raises:
        ValueError, IndexError, struct.error: it is malformed, or longer than its records.
    """
    _, flags, questions, *counts = struct.unpack_from("!6H", wire)
    at = 12
    for _ in range(questions):
        at = _name(wire, at)[1] + 4
    question = wire[12:at]
    sections: list[tuple[Record, ...]] = []
    opt: tuple[int, int] | None = None
    for count in counts:
        records = []
        for _ in range(count):
            record, at = _record(wire, at)
            if record.rrtype != OPT:
                records.append(record)
            elif opt is not None or record.owner_wire != b"\x00":
                raise ValueError("two OPT, or one not at the root")
            else:
                opt = (record.rrclass, record.ttl)
        sections.append(tuple(records))
    if at != len(wire):
        raise ValueError(f"{len(wire) - at} octets behind the records")
    return Message(flags, question, tuple(sections), opt)


def _record(wire: bytes, at: int) -> tuple[Record, int]:
    owner, at = _name(wire, at)
    rrtype, rrclass, ttl, size = _FIXED.unpack_from(wire, at)
    at += _FIXED.size
    end = at + size
    if end > len(wire):
        raise ValueError("rdata behind the end of the message")
    return Record(owner, rrtype, rrclass, ttl, _rdata(wire, at, end, rrtype)), end


def _rdata(wire: bytes, at: int, end: int, rrtype: int) -> bytes:
    before, names = _NAMES.get(rrtype, (0, 0))
    if rrtype == _NAPTR:
        before, names = 4, 1
        for _ in range(3):
            before += 1 + wire[at + before]
    out = wire[at : at + before]
    at += before
    for _ in range(names):
        name, at = _name(wire, at)
        out += name
    if at > end:
        raise ValueError("a name behind the end of its rdata")
    return out + wire[at:end]


def _name(wire: bytes, at: int) -> tuple[bytes, int]:
    """Return a name, expanded and lowered, and where it ends."""
    labels = []
    end = 0
    while size := wire[at]:
        if size >= 0xC0:
            target = int.from_bytes(wire[at : at + 2], "big") & 0x3FFF
            if target >= at:
                raise ValueError("a pointer that does not point back")
            end = end or at + 2
            at = target
        elif size > 63:
            raise ValueError("a label of an unknown kind")
        else:
            labels.append(wire[at : at + 1 + size])
            at += 1 + size
    return b"".join(labels).lower() + b"\x00", end or at + 1
