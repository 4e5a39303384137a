"""The one door between sockets and the pipeline: ask, survive bugs, count, log.

Every transport calls ``Door.answer``; so admission, counting and the treatment of bugs are the
same on each (a check one transport forgets is a hole). Here and in ``outgoing`` stand the
only broad ``except`` clauses of the serving side: a bug becomes SERVFAIL, a traceback and a
counter, and never reaches the reactor, which would close the socket it came through.
"""

from __future__ import annotations

from collections.abc import Callable

from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply, Stream, respond
from ocizone.answer.sent import Sent
from ocizone.live import LiveZones
from ocizone.serve.outgoing import Outgoing, TransferSlots

#: Told of each reply: the packet, what was answered (None: nothing), where, and seconds taken.
Witness = Callable[[bytes, Reply | None, Transport, float], None]
#: Told of each stream when it is over: the packet, what it was, what became of it.
StreamWitness = Callable[[bytes, Stream, Sent, Transport, float], None]
#: Told of each reply that is one message, to give it again another way.
Learn = Callable[[bytes, Reply, Transport], None]
#: Told of a bug, inside its ``except`` clause, with the packet that showed it.
OnBug = Callable[[bytes, Transport], None]

_HEADER_OCTETS = 12


class Door:
    """Answers packets from whatever snapshot is live."""

    def __init__(
        self,
        live: LiveZones,
        *,
        seconds: Callable[[], float],
        witness: Witness,
        streamed: StreamWitness,
        on_bug: OnBug,
    ) -> None:
        self._live = live
        self._seconds = seconds
        self._witness = witness
        self._streamed = streamed
        self._on_bug = on_bug
        self.learn: Learn | None = None
        self.transfers = TransferSlots()

    def answer(self, packet: bytes, transport: Transport) -> bytes | Outgoing | None:
        """Return the reply: its octets, a stream to pull, or None when silence is right.

        Over UDP it is never a stream.
        """
        begun = self._seconds()
        try:
            reply = respond(packet, self._live.snapshot, transport)
            if isinstance(reply, Stream):
                return self._stream(packet, reply, transport, begun)
        except Exception:  # noqa: BLE001 - the one place where a bug becomes SERVFAIL
            self._on_bug(packet, transport)
            return servfail(packet)
        try:
            self._witness(packet, reply, transport, self._seconds() - begun)
            if self.learn is not None and reply is not None:
                self.learn(packet, reply, transport)
        except Exception:  # noqa: BLE001 - a bug in counting, logging or learning costs no client its reply
            self._on_bug(packet, transport)
        return None if reply is None else reply.wire

    def _stream(
        self, packet: bytes, stream: Stream, transport: Transport, begun: float
    ) -> bytes | Outgoing:
        """Return a stream to pull, or that there are too many of them.

        Only now, when the client is known to be allowed one, is a place taken (BIND's quota
        was once eaten by clients without permission).
        """
        if transport.protocol == "udp":
            raise AssertionError("several messages over UDP")
        slotted = self.transfers.take(transport.client)

        def ended(sent: Sent) -> None:
            if slotted:
                self.transfers.free(transport.client)
            try:
                self._streamed(packet, stream, sent, transport, self._seconds() - begun)
            except Exception:  # noqa: BLE001 - as in answer
                self._on_bug(packet, transport)

        outgoing = Outgoing(
            stream.messages,
            ended=ended,
            on_bug=lambda: self._on_bug(packet, transport),
            seconds=self._seconds,
        )
        if slotted:
            return outgoing
        outgoing.end("busy")
        return stream.busy.wire


def servfail(packet: bytes) -> bytes | None:
    """Return a bare SERVFAIL to a packet that showed a bug: header only, id and RD kept.

    None when there is no header to answer, or the packet is itself a response.
    """
    if len(packet) < _HEADER_OCTETS or packet[2] & 0x80:
        return None
    flags = bytes((0x80 | packet[2] & 0x79, 2))
    return packet[:2] + flags + bytes(8)
