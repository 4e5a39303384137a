"""A response of several messages on its way to a client, and how many of them there may be.

A connection pulls one message at a time, when its client has room; so a transfer costs memory
for one message, whatever the zone (CVE-2024-0760). Not here: which client may have a transfer,
and what is in it (answer); sockets (tcp).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.answer.sent import Outcome, Sent
from ocizone.serve.gate import share, site_of


class TransferSlots:
    """How many transfers are under way, in all and to one client."""

    def __init__(self) -> None:
        self._clients: Counter[str] = Counter()
        self.share_among(1)

    def share_among(self, processes: int) -> None:
        """Have one of so many shares of what the server may send; nothing is cut off for it."""
        self._most = share(limits.TRANSFERS, processes)
        self._most_of_one = share(limits.TRANSFERS_PER_CLIENT, processes)

    def __len__(self) -> int:
        return self._clients.total()

    def take(self, client: str) -> bool:
        """Tell whether a client may have one more transfer now, and count it if so."""
        site = site_of(client)
        if len(self) >= self._most or self._clients[site] >= self._most_of_one:
            return False
        self._clients[site] += 1
        return True

    def free(self, client: str) -> None:
        """Give back what ``take`` counted."""
        site = site_of(client)
        self._clients[site] -= 1
        # Clients come and go for years.
        self._clients += Counter()


class Outgoing:
    """One response of several messages, being sent."""

    def __init__(
        self,
        messages: Iterator[bytes | None],
        *,
        ended: Callable[[Sent], None],
        on_bug: Callable[[], None],
        seconds: Callable[[], float],
    ) -> None:
        """Make it.

        Args:
            messages: as ``answer.respond.Stream``; closed at the end if it can be.
            ended: told once how it ended.
            on_bug: called inside the ``except`` clause of a bug in ``messages``.
            seconds: a clock that only moves forward.
        """
        self._messages = messages
        self._ended = ended
        self._on_bug = on_bug
        self._seconds = seconds
        self._deadline = seconds() + limits.TRANSFER_S
        self._first = b""
        self._count = 0
        self._octets = 0
        self.outcome: Outcome | None = None

    def pull(self) -> bytes | None:
        """Return the next message with its length, or None: not yet, or never again.

        ``outcome`` tells which: while it is None there is more to come.
        """
        if self.outcome is not None:
            return None
        if self._seconds() > self._deadline:
            self.end("aborted")
            return None
        try:
            message = next(self._messages)
            framed = message and len(message).to_bytes(2, "big") + message
        except StopIteration:
            self.end("done")
            return None
        except Exception:  # noqa: BLE001 - as Door: a bug in one zone costs one transfer
            self._on_bug()
            self.end("error")
            return None
        if message:
            self._first = self._first or message
            self._count += 1
            self._octets += len(message)
        return framed

    def end(self, outcome: Outcome) -> None:
        """Let everything go that it holds; of several ends the first one counts."""
        if self.outcome is not None:
            return
        self.outcome = outcome
        close = getattr(self._messages, "close", None)
        try:
            if close is not None:
                close()
        except Exception:  # noqa: BLE001 - as above
            self._on_bug()
        self._ended(Sent(outcome, self._first, self._count, self._octets))


#: Answers a packet: a message, messages, or silence. Over UDP never ``Outgoing``.
Answer = Callable[[bytes, Transport], bytes | Outgoing | None]
