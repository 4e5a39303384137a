"""Which TCP connections there may be: in all, and from one client.

The limits are per server, so that slow clients cost each other and not UDP: at the cap the
connection idle longest is closed for the new one. Not here: what a connection does.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Protocol

from ocizone import limits


class Held(Protocol):
    """A connection, as the gate sees it."""

    def abort(self) -> None:
        """Close at once."""

    def close(self) -> None:
        """Close when what was written is sent."""


class TcpGate:
    """Which connections there are."""

    def __init__(
        self,
        descriptors: int | None = None,
        dropped: Callable[[str], None] = lambda _: None,
        processes: int = 1,
    ) -> None:
        """Make it.

        Args:
            descriptors: the process may have; None when that is not known to be few.
            dropped: told why a connection was refused or ended early, in fixed words.
            processes: that share what the server may have.
        """
        self._descriptors = descriptors
        self.share_among(processes)
        self.dropped = dropped
        self._open: OrderedDict[Held, str] = OrderedDict()
        self._clients: Counter[str] = Counter()

    def share_among(self, processes: int) -> None:
        """Have one of so many shares from now on; nobody is sent away for it."""
        self._room = share(limits.TCP_CONNECTIONS, processes)
        if self._descriptors is not None:
            self._room = min(self._room, int(self._descriptors * limits.TCP_DESCRIPTORS))
        self._most_of_one = share(limits.TCP_CONNECTIONS_PER_CLIENT, processes)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Held, client: str) -> bool:
        """Tell whether the connection may stay; makes room by closing the longest idle."""
        site = site_of(client)
        if self._clients[site] >= self._most_of_one:
            self.dropped("tcp: too many of one client")
            return False
        if len(self._open) >= self._room:
            idle = next(iter(self._open))
            # Taken off at once: the close is reported later, the place is needed now.
            self.leave(idle)
            idle.abort()
            self.dropped("tcp: idle longest")
        self._open[connection] = site
        self._clients[site] += 1
        return True

    def touch(self, connection: Held) -> None:
        """Note that the connection did something: it is idle least now."""
        if connection in self._open:
            self._open.move_to_end(connection)

    def leave(self, connection: Held) -> None:
        """Forget a connection; one not admitted, or left already, is none."""
        site = self._open.pop(connection, None)
        if site is not None:
            self._clients[site] -= 1
            if not self._clients[site]:
                del self._clients[site]

    def close_all(self) -> None:
        """Close every connection: the server stops."""
        for connection in list(self._open):
            connection.close()


def share(limit: int, processes: int) -> int:
    """Return what one of several processes may have of a limit of the whole server.

    Never less than LEAST_SHARE, unless the limit is: a client's connections fall on processes by
    chance, and two on the same one must not be one too many.
    """
    return max(-(-limit // processes), min(limit, limits.LEAST_SHARE))


def site_of(client: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /56 an IPv6 site has (RFC 6177)."""
    if ":" not in client:
        return client
    return IPv6Address(client.partition("%")[0]).packed[:7].hex()
