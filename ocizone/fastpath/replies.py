"""The tables of the live snapshot, and what was counted in them; TCP and TLS ask here.

When the snapshot is another one, the tables are let go with it. Not here: sockets (fastpath.port,
serve.tcp).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Literal

from ocizone.answer.blocks import Block, Snapshot, Transport
from ocizone.answer.policy import client_address
from ocizone.answer.respond import Reply
from ocizone.fastpath.table import FastTable
from ocizone.fastpath.tally import Labels
from ocizone.live import LiveZones
from ocizone.serve.door import OnBug
from ocizone.serve.outgoing import Answer, Outgoing
from ocizone.wire import cookie

#: Seconds that are told apart; those of the metrics (observe.counters) are among them.
DURATIONS = tuple(0.000_003_906_25 * 2**step for step in range(22))
_Protocol = Literal["udp", "tcp", "tls"]
#: Told how often replies of one kind were given: listener, protocol, family ("1" is IPv4), labels,
#: times, and seconds they took together.
Count = Callable[[str, str, str, Labels, int, float], None]


class FastReplies:
    """Fast replies from whatever snapshot is live."""

    def __init__(
        self,
        live: LiveZones,
        answer: Answer,
        *,
        seconds: Callable[[], float],
        is_logged: Callable[[Block, Reply | None], bool],
        count: Count,
        on_bug: OnBug,
    ) -> None:
        """Make it.

        Args:
            live: what is served.
            answer: of the Door; it tells ``learn`` of its replies.
            seconds: monotonic.
            is_logged: as FastTable wants it.
            count: takes what was counted.
            on_bug: told of bugs; the query is then answered by ``answer``.
        """
        self._live = live
        self._answer = answer
        self.seconds = seconds
        self._is_logged = is_logged
        self._count = count
        self._on_bug = on_bug
        self._snapshot: Snapshot | None = None
        self._tables: dict[tuple[str, str, str], FastTable] = {}
        #: Replies and seconds, by how long one of them took.
        self._worked = [0] * (len(DURATIONS) + 1)
        self._took = [0.0] * (len(DURATIONS) + 1)

    def table(self, listener: str, protocol: _Protocol, family: str) -> FastTable:
        """Return the table of one listener for clients of one family ("1" is IPv4)."""
        snapshot = self._live.snapshot
        if snapshot is not self._snapshot:
            try:
                self.flush()
            except Exception:  # noqa: BLE001 - a bug in counting costs no client its reply
                self.stumbled(b"", Transport("udp", listener, "", 0))
            self._tables.clear()
            self._snapshot = snapshot
        key = (listener, protocol, family)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = FastTable(snapshot, listener, protocol, self._is_logged)
        return table

    def stumbled(self, packet: bytes, where: Transport) -> None:
        """Tell of a bug in a table, inside an ``except`` clause; ``answer`` answers then."""
        self._on_bug(packet, where)

    def cookies(self, table: FastTable, option: bytes, client: bytes, now: int) -> bytes:
        """Return the cookies that end a reply (RFC 7873 5.2)."""
        secrets = table.snapshot.cookies
        assert secrets is not None  # a reply with cookies was learned
        return cookie.check(option, client, now, secrets).reply

    def answer(self, packet: bytes, transport: Transport) -> bytes | Outgoing | None:
        """Return the reply to a query that came by TCP or TLS, fast or not."""
        if not transport.client_port:
            return self._answer(packet, transport)
        begun = self.seconds()
        table = self.table(transport.listener, transport.protocol, transport.family)
        try:
            rest = self._fast(table, packet, transport)
        except Exception:  # noqa: BLE001 - the pipeline answers it, as if there were no fast path
            self.stumbled(packet, transport)
            rest = None
        if rest is None:
            return self._answer(packet, transport)
        self.worked(1, self.seconds() - begun)
        return packet[:2] + rest

    def _fast(self, table: FastTable, packet: bytes, transport: Transport) -> bytes | None:
        kept = table.memo.young.get(packet[2:]) or table.by_lanes((packet,))[0]
        if kept is not None:
            rest, cell = kept
        else:
            made = table.direct(packet)
            if made is None:
                return None
            rest, cell, option = made
            if option:
                address = client_address(transport.client)
                packed = b"" if address is None else address.packed
                rest += self.cookies(table, option, packed, transport.received)
        cell[0] += 1
        return rest

    def learn(self, packet: bytes, reply: Reply, transport: Transport) -> None:
        """Take from a reply of the door what the next question needs."""
        table = self.table(transport.listener, transport.protocol, transport.family)
        table.learn(packet, reply)

    def worked(self, replies: int, seconds: float) -> None:
        """Note how long so many replies took together."""
        place = bisect_left(DURATIONS, seconds / replies)
        self._worked[place] += replies
        self._took[place] += seconds

    def flush(self) -> None:
        """Hand over what was counted since the last time.

        How long a single reply took is not known: those of each kind took as long as batches did,
        in the same proportions.
        """
        worked, took = self._worked, self._took
        self._worked, self._took = [0] * len(worked), [0.0] * len(took)
        every = sum(worked)
        for (listener, protocol, family), table in self._tables.items():
            for labels, times in table.cells.take():
                done = seen = 0
                for replies, seconds in zip(worked, took, strict=True):
                    seen += replies
                    part = times * seen // every - done if every else 0
                    if part:
                        mean = seconds / replies
                        self._count(listener, protocol, family, labels, part, part * mean)
                        done += part
                if done < times:
                    self._count(listener, protocol, family, labels, times - done, 0.0)
