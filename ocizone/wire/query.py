"""Read a query: bytes to ``Query | Reject | Drop`` (RFC 1035 4.1, RFC 6891, RFC 9619).

Total and linear: any bytes give a value, never an exception, and no more than four records
after the question are looked at, whatever the counts say. Not here: which zone answers, and
whether a TSIG is right: a well-formed one, in its place, is passed over (RFC 8945 5.2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ocizone.limits import NAME_OCTETS
from ocizone.wire import edns
from ocizone.wire.codes import BADVERS, FORMERR, NOERROR, NOTIMP, TYPE_OPT, TYPE_TSIG
from ocizone.wire.edns import Edns

HEADER: Final = struct.Struct("!HHHHHH")
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
    """

    id: int
    flags: int
    qname: bytes
    name: bytes
    qtype: int
    qclass: int
    question: bytes
    edns: Edns | None


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that is answered with an error and no lookup.

    Attributes:
        rcode: FORMERR, NOTIMP or BADVERS.
        id: message id.
        flags: as it came; opcode and RD are echoed.
        question: its octets when it could be read, else empty.
        edns: set when an OPT was met, even a bad one: the response then carries OPT too
            (RFC 6891 7).
    """

    rcode: int
    id: int
    flags: int
    question: bytes
    edns: Edns | None


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
    # An unknown opcode is NOTIMP whatever else is wrong: its message may look otherwise
    # (RFC 8906 8.1.4 sends one without a question).
    bad = NOTIMP if flags & OPCODE else FORMERR
    if (
        questions != 1
        or answers > _ANSWERS
        or authorities > _AUTHORITIES
        or additionals > _ADDITIONALS
    ):
        return Reject(bad, ident, flags, b"", None)
    end = _end_of_question(packet)
    if not end:
        return Reject(bad, ident, flags, b"", None)
    question = packet[HEADER.size : end]
    opt, rcode = _read_opt(packet, end, answers + authorities, additionals)
    if flags & OPCODE:
        rcode = NOTIMP
    if rcode:
        return Reject(rcode, ident, flags, question, opt)
    qname = question[:-4]
    qtype, qclass = _QUESTION_TAIL.unpack_from(question, len(qname))
    return Query(ident, flags, qname, qname.lower(), qtype, qclass, question, opt)


def _end_of_question(packet: bytes) -> int:
    """Return the offset behind the question; 0 when it is no question.

    No pointer is followed: the first name of a message has nothing to point back to.
    """
    at, size = HEADER.size, len(packet)
    while at < size:
        length = packet[at]
        at += 1 + length
        if not length:
            fits = at - HEADER.size <= NAME_OCTETS and at + 4 <= size
            return at + 4 if fits else 0
        if length > 63:
            return 0
    return 0


def _read_opt(packet: bytes, at: int, before: int, additionals: int) -> tuple[Edns | None, int]:
    """Return the OPT among the records from ``at`` on, and NOERROR, FORMERR or BADVERS.

    Args:
        packet: the message.
        at: where the first record starts.
        before: records ahead of the additional section.
        additionals: records in it.
    """
    found: Edns | None = None
    for index in range(before + additionals):
        owner = at
        at = _end_of_name(packet, at)
        if not at or at + _RECORD.size > len(packet):
            return found, FORMERR
        rrtype, rrclass, ttl, length = _RECORD.unpack_from(packet, at)
        at += _RECORD.size
        rdata = packet[at : at + length]
        at += length
        if at > len(packet):
            return found, FORMERR
        if rrtype == TYPE_TSIG:
            # It signs what is ahead of it: the last record of all (RFC 8945 5.1, 5.2).
            last = index == before + additionals - 1 and index >= before
            if not (last and _is_tsig(rdata)):
                return found, FORMERR
            continue
        if rrtype != TYPE_OPT:
            continue
        # One OPT, of the root, among the additional records (RFC 6891 6.1.1, 6.1.2).
        well_formed = found is None and not packet[owner] and index >= before
        opt, options_fit = edns.read(rrclass, ttl, rdata)
        found = found or opt
        if not (well_formed and options_fit):
            return found, FORMERR
    if at != len(packet):
        return found, FORMERR
    return found, BADVERS if found and found.version else NOERROR


def _is_tsig(rdata: bytes) -> bool:
    """Tell whether rdata has a TSIG's fields, and nothing behind them (RFC 8945 4.2)."""
    at = _end_of_name(rdata, 0)
    if not at:
        return False
    # Time signed and fudge, then the MAC; original id and error, then other data.
    for fixed in (8, 4):
        at += fixed
        if at + 2 > len(rdata):
            return False
        at += 2 + int.from_bytes(rdata[at : at + 2])
    return at == len(rdata)


def _end_of_name(packet: bytes, at: int) -> int:
    """Return the offset behind the name at ``at``, pointers not followed; 0 when it is none."""
    start, size = at, len(packet)
    while at < size and at - start < NAME_OCTETS:
        length = packet[at]
        if not length:
            return at + 1
        if length >= 0xC0:
            return at + 2
        if length > 63:
            return 0
        at += 1 + length
    return 0
