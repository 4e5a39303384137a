"""Which zones changed from one snapshot to the next, and whom to tell how (RFC 1996).

Pure: what is to be sent, and what an answer to it says. Not here: sending it, and again
(serve.notify).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dns import rcode

from ocizone.answer.axfr import soa
from ocizone.answer.blocks import Block, Loaded, Snapshot
from ocizone.answer.transfer import directive_for
from ocizone.limits import PLAIN_UDP_OCTETS, WALK_NODES
from ocizone.wire.codes import CLASS_IN, TYPE_SOA
from ocizone.wire.name import to_text
from ocizone.wire.query import HEADER, OPCODE, QR
from ocizone.wire.render import Message
from ocizone.wire.tsig import TsigKey, Verifier, sign_request
from ocizone.zone.node import RRset

_NOTIFY: Final = 4 << 11
_AA: Final = 0x0400


@dataclass(frozen=True, slots=True)
class Announcement:
    """One zone's new version, for one secondary.

    Attributes:
        apex: lower-case wire name.
        soa: its SOA.
        to: address and port.
        source: the address to send from; "" leaves it to the system.
        key: what to sign with; None for nothing.
    """

    apex: bytes
    soa: RRset
    to: tuple[str, int]
    source: str
    key: TsigKey | None

    @property
    def zone(self) -> str:
        """The zone's name in presentation form."""
        return to_text(self.apex)

    def request(self, ident: int, now: int) -> tuple[bytes, Verifier | None]:
        """Return a NOTIFY, and what verifies the answer to it (RFC 1996 3.6, 3.7).

        Args:
            ident: message id.
            now: unix seconds.
        """
        question = self.apex + TYPE_SOA.to_bytes(2) + CLASS_IN.to_bytes(2)
        message = Message(question, self.apex, PLAIN_UDP_OCTETS, CLASS_IN)
        # The new SOA spares the secondary a question; with names too long for it, it asks.
        put = message.put(((self.apex, self.soa),), do=False)
        HEADER.pack_into(message.out, 0, ident, _NOTIFY | _AA, 1, put, 0, 0)
        wire = bytes(message.out)
        return (wire, None) if self.key is None else sign_request(wire, self.key, now)


def changed(old: Snapshot, new: Snapshot) -> Iterator[Announcement | None]:
    """Yield whom to tell of what: every zone with another serial than before, or with none.

    None at regular steps: there may be 100,000 zones to look at.

    A version with the serial of the one before is told to nobody: a secondary compares
    serials, and asks for nothing (RFC 1996 4.3).
    """
    before = old.blocks
    for name, block in new.blocks.items():
        # Most blocks have nobody to tell; theirs may be 100,000 zones.
        if any(one.notify for directive in block.policy.transfer for one in directive.to):
            yield from _of_block(before.get(name), block, new)


def _of_block(old: Block | None, block: Block, snapshot: Snapshot) -> Iterator[Announcement | None]:
    for number, (apex, served) in enumerate(block.zones.items(), 1):
        if number % WALK_NODES == 0:
            yield None
        if not isinstance(served, Loaded) or _is_known(old, apex, served):
            continue
        directive = directive_for(block.policy.transfer, apex)
        if directive is None:
            continue
        _, rrset = soa(served.reader)
        for one in directive.to:
            key = None if one.key is None else snapshot.keys.get(one.key)
            # Never unsigned where a signature was asked for.
            if one.notify is not None and (key is None) == (one.key is None):
                yield Announcement(apex, rrset, one.notify, directive.source, key)


def _is_known(old: Block | None, apex: bytes, served: Loaded) -> bool:
    was = None if old is None else old.zones.get(apex)
    return isinstance(was, Loaded) and was.reader.info.serial == served.reader.info.serial


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an answer to a NOTIFY says; ``rcode`` is 0 when the secondary took it."""

    ident: int
    rcode: int

    @property
    def error(self) -> str:
        """The rcode's name."""
        return rcode.to_text(rcode.Rcode(self.rcode))


def acknowledged(packet: bytes) -> Acknowledged | None:
    """Return what a packet says as an answer to a NOTIFY; None when it is none. Never raises."""
    if len(packet) < HEADER.size:
        return None
    ident, flags, *_ = HEADER.unpack_from(packet)
    if flags & (QR | OPCODE) != QR | _NOTIFY:
        return None
    return Acknowledged(ident, flags & 15)
