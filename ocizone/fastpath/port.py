"""One reader on the reactor: a batch of datagrams in, a batch of replies out.

A reply that is in the memo costs a slice, a lookup and a copy; what is not goes to lanes, to the
table, and then to the door every transport shares. Answers what serve.udp answers, and as it does: from the
address that was asked, nothing to port 0, errors of sending counted. Not here: what is answered.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from ocizone.answer.blocks import Transport
from ocizone.fastpath.memo import Kept
from ocizone.fastpath.mmsg import FRONT, Batch
from ocizone.fastpath.replies import FastReplies
from ocizone.fastpath.table import FastTable
from ocizone.limits import FAST_BATCH, FAST_BATCHES, FAST_SKIPPED
from ocizone.serve.outgoing import Answer
from ocizone.serve.udp import DatagramPort, Polls

#: Where the datagrams of a batch begin.
_STARTS = range(0, FAST_BATCH * FRONT, FRONT)
#: Of what is not answered.
_SILENCE: Kept = (b"", [0])


class BatchPort(DatagramPort):
    """Takes datagrams in batches and sends what the fast path or ``answer`` says."""

    batch = FAST_BATCH

    def __init__(
        self,
        reactor: Polls,
        sock: socket.socket,
        listener: str,
        answer: Answer,
        on_send_error: Callable[[OSError], None],
        wall: Callable[[], float],
        replies: FastReplies,
    ) -> None:
        """Make it; ``replies`` has the tables, the rest is as of every port."""
        super().__init__(reactor, sock, listener, answer, on_send_error, wall)
        self._replies = replies
        self._arrays = Batch(sock)
        self._now: int | None = None
        #: Batches whose questions are not looked for in the memo.
        self._skipped = 0
        #: Of a socket of both families, IPv4 clients come by mapped addresses.
        self._families: tuple[str, ...] = ("1",) if sock.family == socket.AF_INET else ("2",)
        if sock.getsockname()[0] == "::":
            self._families = ("2", "1")

    def doRead(self) -> None:  # noqa: N802 - the reactor's interface
        """Answer the datagrams that are there, at most a few batches."""
        try:
            for _ in range(FAST_BATCHES):
                if self._batch() < FAST_BATCH:
                    break
        except Exception:  # noqa: BLE001 - the reactor would close the socket; this batch is lost
            self._replies.stumbled(b"", Transport("udp", self._listener, "", 0))

    def _batch(self) -> int:
        """Answer one batch; return how many datagrams were there."""
        batch, replies = self._arrays, self._replies
        begun = replies.seconds()
        self._now = None
        try:
            got = batch.receive()
        except OSError as error:
            # An ICMP error of an earlier reply surfaces here; the socket is fine.
            self._on_send_error(error)
            return 1
        if not got:
            return 0
        tables = [replies.table(self._listener, "udp", family) for family in self._families]
        mapped = None if len(tables) == 1 else batch.are_mapped()
        octets = bytes(batch.front[: got * FRONT])
        found = self._remembered(octets, tables, mapped)
        if None in found:
            for family, table in enumerate(tables):
                missing = [number for number, kept in enumerate(found) if kept is None]
                if mapped is not None:
                    missing = [number for number in missing if mapped[number] == family]
                self._complete(found, octets, table, missing)
        rests, cells = zip(*found, strict=True)
        for cell in cells:
            cell[0] += 1
        for number in self._reply(rests):
            cells[number][0] -= 1
        replies.worked(got, replies.seconds() - begun)
        return got

    def _remembered(
        self, octets: bytes, tables: list[FastTable], mapped: list[bool] | None
    ) -> list[Kept | None]:
        """Return what the memos have for each datagram; None where they have nothing.

        When most questions are new, memos are not looked into for a few batches: lanes know as
        much of them.
        """
        lengths = self._arrays.lengths
        if self._skipped:
            self._skipped -= 1
            return [None] * len(lengths)
        questions = [octets[at + 2 : at + size] for at, size in zip(_STARTS, lengths)]  # noqa: B905 - checking that they are alike long costs as much as the slice
        found: list[Kept | None]
        if mapped is None:
            found = list(map(tables[0].memo.young.get, questions))
        else:
            found = [
                tables[family].memo.young.get(question)
                for question, family in zip(questions, mapped)  # noqa: B905 - as above
            ]
        if max(lengths) > FRONT:
            for number, size in enumerate(lengths):
                if size > FRONT:
                    found[number] = None
        if None in found and 4 * found.count(None) > 3 * len(found):
            self._skipped = FAST_SKIPPED
        return found

    def _complete(
        self, found: list[Kept | None], octets: bytes, table: FastTable, missing: list[int]
    ) -> None:
        """Answer what the memo does not have: from lanes first, all at once."""
        batch, lengths = self._arrays, self._arrays.lengths
        if max(lengths) <= FRONT:
            packets = [octets[(at := number * FRONT) : at + lengths[number]] for number in missing]
        else:
            packets = [batch.whole(number) for number in missing]
        laned: list[Kept | None] = [None] * len(missing)
        try:
            laned = table.by_lanes(packets)
        except Exception:  # noqa: BLE001 - the pipeline answers them, as if there were no fast path
            self._replies.stumbled(packets[0], self._where(missing[0]))
        for number, packet, kept in zip(missing, packets, laned, strict=True):
            found[number] = self._miss(number, packet, table) if kept is None else kept

    def _miss(self, number: int, packet: bytes, table: FastTable) -> Kept:
        """Answer what is in no lane; _SILENCE where nothing is to be said."""
        try:
            kept = table.memo.young.get(packet[2:])
            if kept is not None:
                return kept
            made = table.direct(packet)
            if made is not None:
                rest, cell, option = made
                if not option:
                    return rest, cell
                client, now = self._arrays.packed(number), self._received()
                return rest + self._replies.cookies(table, option, client, now), cell
        except Exception:  # noqa: BLE001 - the pipeline answers it, as if there were no fast path
            self._replies.stumbled(packet, self._where(number))
        if not self._arrays.port(number):
            return _SILENCE
        reply = self._answer(packet, self._where(number))
        return (reply[2:], [0]) if isinstance(reply, bytes) else _SILENCE

    def _reply(self, rests: tuple[bytes, ...]) -> set[int]:
        """Send each reply; return who gets none."""
        got = len(rests)
        self._arrays.put(rests)
        silent: set[int] = set()
        if b"" in rests:
            silent = {number for number, rest in enumerate(rests) if not rest}
        if self._arrays.has_port_zero():
            # Nothing can listen there: a reply would be reflection.
            silent |= {number for number in range(got) if not self._arrays.port(number)}
        start = 0
        while start < got:
            if start in silent:
                start += 1
                continue
            end = min((number for number in silent if number > start), default=got)
            try:
                start += self._arrays.send(start, end)
            except OSError as error:
                self._on_send_error(error)
                start += 1
        return silent

    def _where(self, number: int) -> Transport:
        batch = self._arrays
        client, port = batch.client(number), batch.port(number)
        return Transport("udp", self._listener, client, port, self._received())

    def _received(self) -> int:
        """Return unix seconds; looked at once a batch, which came in within milliseconds."""
        if self._now is None:
            self._now = int(self._wall())
        return self._now
