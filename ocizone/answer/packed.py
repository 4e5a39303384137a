"""Records into messages: the stream of a zone transfer (RFC 5936 2.2, RFC 8945 5.3.1).

Each message is filled, compressed on its own, and signed if the request was. Not here: which
records a transfer consists of (answer.axfr, answer.ixfr).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ocizone.limits import TCP_MESSAGE_OCTETS, TRANSFER_MESSAGE_OCTETS
from ocizone.wire import edns
from ocizone.wire.codes import CLASS_IN, NOERROR, SERVFAIL
from ocizone.wire.name import ROOT
from ocizone.wire.query import HEADER, OPCODE, QR, RD, Query
from ocizone.wire.render import Message, Records
from ocizone.wire.tsig import Signer

#: Owner and records without their signatures; None stands for work without a record.
Item = tuple[bytes, Records] | None

_AA: Final = 0x0400


def packed(
    items: Iterable[Item], query: Query, signer: Signer | None, now: Callable[[], int]
) -> Iterator[bytes | None]:
    """Yield the messages of a transfer; None where there is none yet.

    A record that fits no message ends the transfer with SERVFAIL, as the last of its messages.

    Args:
        items: what to send, in order.
        query: what asked for it; id and RD are echoed in every message, the question in the
            first (RFC 5936 2.2.1).
        signer: of a signed request.
        now: unix seconds; a client checks when each message was signed.
    """
    room = 0 if signer is None else signer.octets
    message = _Part(query, room, first=True)
    for item in items:
        if item is None:
            yield None
            continue
        owner, rrset = item
        at = message.put(owner, rrset, 0)
        while at < len(rrset.rdatas):
            if message.records:
                yield _signed(message, NOERROR, signer, now)
                message = _Part(query, room, first=False)
            elif message.is_widest:
                yield _signed(message, SERVFAIL, signer, now)
                return
            else:
                message = message.widest()
            at += message.put(owner, rrset, at)
    yield _signed(message, NOERROR, signer, now)


def _signed(message: _Part, rcode: int, signer: Signer | None, now: Callable[[], int]) -> bytes:
    wire = message.finished(rcode)
    return wire if signer is None else signer.sign(wire, now())


class _Part:
    """One message of a stream, being written.

    Attributes:
        records: how many it has.
        is_widest: it may be as long as TCP allows, for one record that needs it.
    """

    def __init__(self, query: Query, room: int, *, first: bool, widest: bool = False) -> None:
        """Begin it.

        Args:
            query: what is answered.
            room: octets to leave for the TSIG.
            first: it has the question, and an OPT if the query had (RFC 5936 2.2.5).
            widest: see ``is_widest``.
        """
        self._query, self._room, self._first = query, room, first
        self._opt = edns.write(NOERROR, do=query.edns.do) if first and query.edns else b""
        limit = TCP_MESSAGE_OCTETS if widest else TRANSFER_MESSAGE_OCTETS
        self._message = Message(
            query.question if first else b"",
            query.qname if first else ROOT,
            limit - room - len(self._opt),
            CLASS_IN,
            keep_case=True,
        )
        self.is_widest = widest
        self.records = 0

    def widest(self) -> _Part:
        """Return a message as long as TCP allows, in place of this one."""
        return _Part(self._query, self._room, first=self._first, widest=True)

    def put(self, owner: bytes, rrset: Records, start: int) -> int:
        """Write records from ``start`` on while they fit, and return how many did."""
        if self.is_widest and self.records:
            return 0
        done = self._message.put_records(owner, rrset, start)
        self.records += done
        return done

    def finished(self, rcode: int) -> bytes:
        """Return the message, without TSIG."""
        flags = QR | _AA | (self._query.flags & (OPCODE | RD)) | rcode
        out = self._message.out + self._opt
        additionals = 1 if self._opt else 0
        HEADER.pack_into(
            out, 0, self._query.id, flags, int(self._first), self.records, 0, additionals
        )
        return bytes(out)
