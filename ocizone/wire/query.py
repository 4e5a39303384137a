"""Read a query: bytes to ``Query | Reject | Drop`` (RFC 1035 4.1, RFC 6891, RFC 9619).

Total and linear: any bytes give a value, never an exception, and no more than four records
after the question are looked at, whatever the counts say. Octets behind the last record are
passed over, as NSD and BIND do. Not here: which zone answers, and
whether a TSIG is right (wire.tsig).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ocizone.limits import NAME_OCTETS
from ocizone.wire import edns, tsig
from ocizone.wire.codes import (
    BADVERS,
    FORMERR,
    NOERROR,
    NOTIMP,
    OPTION_COOKIE,
    TYPE_IXFR,
    TYPE_OPT,
    TYPE_SOA,
    TYPE_TSIG,
)
from ocizone.wire.compressed import end_of_name, name_at
from ocizone.wire.edns import Edns
from ocizone.wire.tsig import Tsig

HEADER: Final = struct.Struct("!HHHHHH")
_HEADER_FRONT: Final = struct.Struct("!HHH")
_QUESTION_TAIL: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")

QR: Final = 0x8000
OPCODE: Final = 0x7800
RD: Final = 0x0100

# What a query may carry: a prerequisite SOA for IXFR, OPT, TSIG or SIG(0). More is FORMERR
# before anything is parsed (CVE-2023-4408 and its kin).
_ANSWERS: Final = 1
_AUTHORITIES: Final = 1
_ADDITIONALS: Final = 2

#: Records in answer, authority and additional, as the header says.
_Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Query:
    """One well-formed question with opcode QUERY.

    Attributes:
        id: message id.
        flags: the whole second word of the header.
        qname: wire form, in the client's spelling.
        name: the same in lower case, for lookups.
        qtype: 0..65535.
        qclass: 0..65535.
        question: the section's octets, echoed as they came (0x20 survives).
        edns: what its OPT says, or None without one.
        tsig: well formed and in its place, not yet verified; None without one.
        ixfr_serial: of the version the client has (RFC 1995 3); None when it says none.
    """

    id: int
    flags: int
    qname: bytes
    name: bytes
    qtype: int
    qclass: int
    question: bytes
    edns: Edns | None
    tsig: Tsig | None = None
    ixfr_serial: int | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that is answered without a lookup.

    Attributes:
        rcode: FORMERR, NOTIMP or BADVERS; NOERROR for who asks for a cookie only (RFC 7873 5.4).
        id: message id.
        flags: as it came; opcode and RD are echoed.
        question: its octets when it could be read, else empty.
        edns: set when an OPT was met, even a bad one: the response then carries OPT too
            (RFC 6891 7).
        tsig: of a message that is well formed and signed, but asks for what there is not.
    """

    rcode: int
    id: int
    flags: int
    question: bytes
    edns: Edns | None
    tsig: Tsig | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Something that gets no answer at all."""

    reason: str


_SHORT: Final = Drop("shorter than a header")
_RESPONSE: Final = Drop("a response")


def parse(packet: bytes) -> Query | Reject | Drop:
    """Return what these octets ask for. Never raises.

    A response is dropped, so that two servers cannot talk for ever (CVE-2012-0206).
    """
    if len(packet) < HEADER.size:
        return _SHORT
    ident, flags, questions, answers, authorities, additionals = HEADER.unpack_from(packet)
    if flags & QR:
        return _RESPONSE
    end = _end_of_question(packet) if questions == 1 else 0
    counts = (answers, authorities, additionals)
    if not end or flags & OPCODE or not _is_bounded(counts):
        return _no_query(packet, end, counts)
    question = packet[HEADER.size : end]
    qname = question[:-4]
    qtype, qclass = _QUESTION_TAIL.unpack_from(packet, end - 4)
    if not (answers or authorities or additionals):
        return Query(ident, flags, qname, qname.lower(), qtype, qclass, question, None)
    records = _Records()
    rcode = records.read(packet, end, counts, qtype)
    if rcode:
        return Reject(rcode, ident, flags, question, records.edns, records.tsig)
    return Query(
        ident,
        flags,
        qname,
        qname.lower(),
        qtype,
        qclass,
        question,
        records.edns,
        records.tsig,
        records.serial,
    )


def _is_bounded(counts: _Counts) -> bool:
    """Tell whether there are no more records than a query may carry."""
    return counts[0] <= _ANSWERS and counts[1] <= _AUTHORITIES and counts[2] <= _ADDITIONALS


def _no_query(packet: bytes, end: int, counts: _Counts) -> Reject:
    """Return what a message is that has another opcode, no question, or too many records.

    Args:
        packet: the message.
        end: of the question; 0 when it is not one question.
        counts: of records.
    """
    ident, flags, questions = _HEADER_FRONT.unpack_from(packet)
    records = _Records()
    rcode = FORMERR
    if (end or not questions) and _is_bounded(counts):
        rcode = records.read(packet, end or HEADER.size, counts, 0)
    # An unknown opcode is NOTIMP whatever else is wrong: its message may look otherwise
    # (RFC 8906 8.1.4 sends one without a question). So is any in an unknown version (RFC 6891
    # 6.1.3; Knot and BIND say BADVERS, too).
    if flags & OPCODE and rcode != BADVERS:
        rcode = NOTIMP
    elif not rcode and not (records.edns and records.edns.has(OPTION_COOKIE)):
        rcode = FORMERR
    question = packet[HEADER.size : end] if end else b""
    return Reject(rcode, ident, flags, question, records.edns, records.tsig)


def _end_of_question(packet: bytes) -> int:
    """Return the offset behind the question; 0 when it is no question.

    No pointer is followed: the first name of a message has nothing to point back to.
    """
    at, size = HEADER.size, len(packet)
    # The root label of a name of 255 octets is the last place to look at.
    last = min(size, HEADER.size + NAME_OCTETS)
    while at < last:
        length = packet[at]
        at += 1 + length
        if not length:
            return at + 4 if at + 4 <= size else 0
        if length > 63:
            return 0
    return 0


class _Records:
    """What stands behind the question.

    Attributes:
        edns: of the first OPT.
        tsig: of a message that is well formed to its end.
        serial: of the SOA in authority, when the question is IXFR.
    """

    __slots__ = ("edns", "serial", "tsig")

    def __init__(self) -> None:
        self.edns: Edns | None = None
        self.tsig: Tsig | None = None
        self.serial: int | None = None

    def read(self, packet: bytes, at: int, counts: _Counts, qtype: int) -> int:
        """Read the records from ``at`` on; return NOERROR, FORMERR or BADVERS."""
        authority, additional = counts[0], counts[0] + counts[1]
        last = additional + counts[2] - 1
        signed: Tsig | None = None
        for index in range(last + 1):
            start = at
            at = end_of_name(packet, at)
            if not at or at + _RECORD.size > len(packet):
                return FORMERR
            rrtype, rrclass, ttl, length = _RECORD.unpack_from(packet, at)
            at += _RECORD.size + length
            if at > len(packet):
                return FORMERR
            if rrtype == TYPE_OPT:
                # One OPT, of the root, among the additional records (RFC 6891 6.1.1, 6.1.2).
                well_formed = self.edns is None and not packet[start] and index >= additional
                opt, options_fit = edns.read(rrclass, ttl, packet[at - length : at])
                self.edns = self.edns or opt
                if not (well_formed and options_fit):
                    return FORMERR
            elif rrtype == TYPE_TSIG:
                # It signs what is ahead of it: the last record of all (RFC 8945 5.1, 5.2).
                if index != last or index < additional:
                    return FORMERR
                signed = tsig.read(packet, start, rrclass, ttl, packet[at - length : at])
                if signed is None:
                    return FORMERR
            elif name_at(packet, start) is None:
                return FORMERR
            elif qtype == TYPE_IXFR and authority <= index < additional:
                self.serial = _serial(packet[:at], at - length) if rrtype == TYPE_SOA else None
                if self.serial is None:
                    return FORMERR
        self.tsig = signed
        return BADVERS if self.edns and self.edns.version else NOERROR


def _serial(packet: bytes, at: int) -> int | None:
    """Return the serial of SOA rdata that ends the packet; None when malformed (RFC 1035 3.3.13)."""
    for _ in range(2):
        at = end_of_name(packet, at)
        if not at:
            return None
    return int.from_bytes(packet[at : at + 4]) if at + 20 == len(packet) else None
