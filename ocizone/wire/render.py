"""Write a response: an ``Answer`` to bytes (RFC 1035 4.1, RFC 2181 9, RFC 3597, RFC 6891).

Names are compressed to any earlier name that is equal ignoring case, so that the pointers of a
response do not depend on how the client spelled its question; labels that are written keep
their case. Not here: which records belong into an answer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Protocol

from ocizone.wire import codes, edns
from ocizone.wire.query import HEADER, OPCODE, QR, RD, Query, Reject

_AA: Final = 0x0400
_TC: Final = 0x0200
_FIXED: Final = struct.Struct("!HHI")
# Of a record beside its rdata: the shortest owner is the root, one octet.
_RECORD_OCTETS: Final = 1 + _FIXED.size + 2
_POINTER: Final = 0xC000
_POINTABLE: Final = 0x4000

# Octets before the first name, and names, in rdata that may be compressed: types of RFC 1035
# and no others (RFC 3597 4). Its obsolete ones (MD, MF, MB, MG, MR, MINFO) are left plain, which
# is always right: today's resolvers and libraries treat them as unknown.
_COMPRESSED: Final[dict[int, tuple[int, int]]] = {
    codes.TYPE_NS: (0, 1),
    codes.TYPE_CNAME: (0, 1),
    codes.TYPE_SOA: (0, 2),
    codes.TYPE_PTR: (0, 1),
    codes.TYPE_MX: (2, 1),
}
# Octets before the one name in rdata of later types: it stays whole, and what comes behind may
# point at it.
_WHOLE: Final[dict[int, int]] = {
    codes.TYPE_AFSDB: 2,
    codes.TYPE_RT: 2,
    codes.TYPE_SRV: 6,
    codes.TYPE_KX: 2,
    codes.TYPE_DNAME: 0,
    codes.TYPE_NSEC: 0,
    codes.TYPE_SVCB: 2,
    codes.TYPE_HTTPS: 2,
}
#: By type: octets before the first name in rdata, names, and whether they are compressed. Types
#: that are not in it are written as they are, and nothing points into them.
SHAPES: Final[dict[int, tuple[int, int, bool]]] = {
    **{rrtype: (*shape, True) for rrtype, shape in _COMPRESSED.items()},
    **{rrtype: (prefix, 1, False) for rrtype, prefix in _WHOLE.items()},
}


class Records(Protocol):
    """What is written of an RRset; zone.node.RRset is one."""

    @property
    def rrtype(self) -> int:
        """The type."""

    @property
    def ttl(self) -> int:
        """Seconds."""

    @property
    def rdatas(self) -> tuple[bytes, ...]:
        """Uncompressed wire form."""

    @property
    def signatures(self) -> tuple[bytes, ...]:
        """RRSIG rdata over these records."""


#: Owner (wire form, any case) and records, in order.
Section = tuple[tuple[bytes, Records], ...]


def least_octets(rrset: Records) -> int:
    """Return how many octets an RRset takes at least, however well its names compress.

    What is larger than a message has room for need not be collected for it.
    """
    rdatas = rrset.rdatas
    shortest = len(rdatas) if rrset.rrtype in _COMPRESSED else sum(map(len, rdatas))
    return len(rdatas) * _RECORD_OCTETS + shortest


@dataclass(frozen=True, slots=True)
class Answer:
    """What a response says, before it has a size.

    Attributes:
        rcode: the whole one, extended ones too.
        aa: the answer is authoritative (for its first owner, RFC 1035 4.1.1).
        answer: the answer section.
        authority: SOA, NS, denial.
        glue: additional records a referral cannot do without: TC when they do not fit
            (RFC 9471 2.1).
        additional: additional records that are left out in silence when they do not fit.
        courtesy_ns: authority ends in the NS a client can do without; left out in silence.
        rrclass: of every record.
        error: extended error code and text for a client with EDNS (RFC 8914).
    """

    rcode: int = codes.NOERROR
    aa: bool = False
    answer: Section = ()
    authority: Section = ()
    glue: Section = ()
    additional: Section = ()
    courtesy_ns: bool = False
    rrclass: int = codes.CLASS_IN
    error: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A response as it is sent; ``truncated`` is its TC bit."""

    wire: bytes
    truncated: bool


def render(
    query: Query,
    answer: Answer,
    limit: int,
    options: tuple[edns.Option, ...] = (),
    *,
    tsig_octets: int = 0,
    padded_to: int = 0,
) -> Rendered:
    """Return the response to a query in at most ``limit`` octets.

    RRsets are whole or absent. The first one of the answer, the authority or the glue that
    does not fit ends the message and sets TC (RFC 2181 9).

    Args:
        query: what is answered; id, RD and question are echoed.
        answer: what to say.
        limit: octets, at least 512.
        options: for the OPT, beside ``answer.error``; those who matter most first.
        tsig_octets: room to leave for the TSIG behind the message.
        padded_to: multiple of octets to fill the message up to with its TSIG (RFC 8467); or 0.
    """
    limit -= tsig_octets
    opt = b"" if query.edns is None else _opt(query, answer, limit, options)
    message = Message(query.question, query.name, limit - len(opt), answer.rrclass)
    do = query.edns is not None and query.edns.do
    fits = message.put(answer.answer, do=do) == len(answer.answer)
    answers = message.count
    authorities = additionals = 0
    if fits and answer.authority:
        fits = message.put(answer.authority, do=do) >= len(answer.authority) - answer.courtesy_ns
        authorities = message.count
    if fits and answer.glue:
        fits = message.put(answer.glue, do=do) == len(answer.glue)
        additionals = message.count
    if fits and answer.additional:
        message.put(answer.additional, do=do)
        additionals += message.count
    out = message.out
    flags = QR | (query.flags & (OPCODE | RD)) | (answer.rcode & 0xF)
    if answer.aa:
        flags |= _AA
    if not fits:
        flags |= _TC
    if opt:
        if padded_to:
            octets = len(out) + len(opt) + tsig_octets
            fill = edns.padding(octets, padded_to, limit + tsig_octets)
            opt = _opt(query, answer, limit, options + fill)
        out += opt
        additionals += 1
    HEADER.pack_into(out, 0, query.id, flags, 1, answers, authorities, additionals)
    return Rendered(bytes(out), not fits)


def render_reject(reject: Reject, options: tuple[edns.Option, ...] = ()) -> bytes:
    """Return the response to what is not looked up: header, question if read, OPT if met.

    At most 340 octets with a cookie, so that no limit matters.
    """
    flags = QR | (reject.flags & (OPCODE | RD)) | (reject.rcode & 0xF)
    head = HEADER.pack(reject.id, flags, bool(reject.question), 0, 0, reject.edns is not None)
    if reject.edns is None:
        return head + reject.question
    if reject.rcode == codes.NOTIMP:
        options += (edns.extended_error(codes.EDE_NOT_SUPPORTED, ""),)
    opt = edns.write(reject.rcode, do=reject.edns.do, options=options)
    return head + reject.question + opt


def _opt(query: Query, answer: Answer, limit: int, options: tuple[edns.Option, ...]) -> bytes:
    """Return the OPT of a response to a query that had one (RFC 6891 6.1.1)."""
    assert query.edns is not None
    if answer.error is not None:
        options += (edns.extended_error(*answer.error),)
    opt = edns.write(answer.rcode, do=query.edns.do, options=options)
    room = limit - HEADER.size - len(query.question)
    if len(opt) > room:
        # An NSID of hundreds of octets must not crowd out the question.
        opt = edns.write(answer.rcode, do=query.edns.do, options=edns.fitting(options, room))
    return opt


class Message:
    """A message being written: its octets, and where names stand in it.

    Attributes:
        out: header (zeros), question, and the records so far.
        count: records the last ``put`` wrote.
    """

    __slots__ = ("_keep_case", "_limit", "_offsets", "_rrclass", "count", "out")

    def __init__(
        self, question: bytes, name: bytes, limit: int, rrclass: int, *, keep_case: bool = False
    ) -> None:
        """Begin a message.

        Args:
            question: the section's octets; may be empty.
            name: in it; lower case unless ``keep_case``; the root when there is no question.
            limit: octets it may have.
            rrclass: of every record.
            keep_case: point only at names spelled alike, as transfers do (RFC 5936 3.4).
        """
        self._keep_case = keep_case
        self.out = bytearray(HEADER.size) + question
        self.count = 0
        self._limit = limit
        self._rrclass = rrclass
        #: Lower-case wire name to its offset.
        self._offsets: dict[bytes, int] = {}
        at, offsets = 0, self._offsets
        while size := name[at]:
            offsets[name[at:]] = HEADER.size + at
            at += 1 + size

    def put(self, section: Section, *, do: bool) -> int:
        """Write RRsets while they fit, each whole with its signatures; return how many did."""
        out, self.count = self.out, 0
        for done, (owner, rrset) in enumerate(section):
            mark = len(out)
            records = self._put_rrset(owner, rrset.rrtype, rrset.ttl, rrset.rdatas)
            if do and rrset.signatures and records:
                signed = self._put_rrset(owner, codes.TYPE_RRSIG, rrset.ttl, rrset.signatures)
                records = records + signed if signed else 0
            if not records:
                del out[mark:]
                # Names of what was taken back must not be pointed at.
                self._offsets = {name: at for name, at in self._offsets.items() if at < mark}
                return done
            self.count += records
        return len(section)

    def put_records(self, owner: bytes, rrset: Records, start: int) -> int:
        """Write an RRset's records from ``start`` on, without signatures, while they fit.

        Returns how many did. The message is full once one did not: nothing more may be put.
        """
        out, rdatas = self.out, rrset.rdatas
        for done in range(start, len(rdatas)):
            mark = len(out)
            if not self._put_rrset(owner, rrset.rrtype, rrset.ttl, rdatas[done : done + 1]):
                del out[mark:]
                return done - start
        return len(rdatas) - start

    def _put_rrset(self, owner: bytes, rrtype: int, ttl: int, rdatas: tuple[bytes, ...]) -> int:
        """Write records and return how many; 0 as soon as one does not fit."""
        out, limit = self.out, self._limit
        fixed = _FIXED.pack(rrtype, self._rrclass, ttl)
        shape = SHAPES.get(rrtype)
        for rdata in rdatas:
            self._put_name(owner)
            out += fixed
            if shape is None:
                out += len(rdata).to_bytes(2)
                out += rdata
            else:
                self._put_names(rdata, *shape)
            if len(out) > limit:
                return 0
        return len(rdatas)

    def _put_names(self, rdata: bytes, prefix: int, names: int, compress: bool) -> None:  # noqa: FBT001 # as SHAPES has it
        """Write RDLENGTH and rdata, its names compressed or noted down for pointers."""
        out = self.out
        start = len(out)
        out += b"\x00\x00"
        out += rdata[:prefix]
        at = prefix
        for _ in range(names):
            end = at
            while size := rdata[end]:
                end += 1 + size
            if compress:
                self._put_name(rdata[at : end + 1])
            else:
                self._note_name(rdata[at : end + 1])
            at = end + 1
        out += rdata[at:]
        out[start : start + 2] = (len(out) - start - 2).to_bytes(2)

    def _put_name(self, name: bytes) -> None:
        """Write a name, its longest known ending as a pointer (RFC 1035 4.1.4)."""
        out, offsets = self.out, self._offsets
        folded = name if self._keep_case else name.lower()
        at, here = 0, len(out)
        while size := folded[at]:
            ending = folded[at:]
            known = offsets.get(ending)
            if known is not None:
                out += name[:at]
                out += (_POINTER | known).to_bytes(2)
                return
            if here + at < _POINTABLE:
                offsets[ending] = here + at
            at += 1 + size
        out += name

    def _note_name(self, name: bytes) -> None:
        """Write a name whole; its endings may be pointed at where they are the first."""
        offsets, here = self._offsets, len(self.out)
        folded = name.lower()
        at = 0
        while size := folded[at]:
            if here + at < _POINTABLE:
                offsets.setdefault(folded[at:], here + at)
            at += 1 + size
        self.out += name
