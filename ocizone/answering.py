"""What answers on sockets, put together: the door, the listeners, and what watches them.

Used by a server of one process (ocizone.front) and by each worker of one of several
(ocizone.workers), which must start fast: nothing here knows registries, stores or metrics. Not
here: what is answered, and which sockets there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.logger import Logger

from ocizone.endpoint import Endpoint
from ocizone.live import LiveZones
from ocizone.observe.bugs import BugLog
from ocizone.observe.counters import Counters
from ocizone.observe.errorlog import ErrorLog
from ocizone.observe.looplag import LoopLag
from ocizone.observe.refusals import RefusalLog
from ocizone.observe.witness import Watching, Witness
from ocizone.plugins.errors import Errors
from ocizone.plugins.log import LogRule
from ocizone.quick import quick
from ocizone.serve.door import Door
from ocizone.serve.listeners import Certificates, Listeners
from ocizone.serve.sockets import Bound

log = Logger(namespace="ocizone")


class Answering:
    """Answers whatever snapshot is live."""

    def __init__(
        self,
        reactor: Any,
        live: LiveZones,
        counters: Counters,
        *,
        query_line: Callable[[str], None],
        wall: Callable[[], float],
        descriptors: int | None,
        certificate: Certificates,
    ) -> None:
        """Make it; nothing is opened.

        Args:
            reactor: of Twisted; it has every interface at once, which no type says.
            live: holds what is served.
            counters: count what happens.
            query_line: writes a line of the query log; must not block.
            wall: unix seconds.
            descriptors: the process may have; None when that is not known to be few.
            certificate: of a ``tls`` endpoint; asked when it is opened.
        """
        self._reactor = reactor
        self.counters = counters
        self.lag = LoopLag(reactor)
        self._witness = Witness(counters, query_line, RefusalLog(time.monotonic))
        self._watched: tuple[Mapping[str, tuple[LogRule, ...]], Mapping[str, Errors]] = ({}, {})
        bugs = BugLog(counters, time.monotonic)
        self._door = Door(
            live,
            seconds=time.perf_counter,
            witness=self._witness,
            streamed=self._witness.streamed,
            on_bug=bugs,
        )
        answer, make_port = quick(
            reactor,
            live,
            self._door,
            self._witness,
            counters,
            seconds=time.perf_counter,
            wall=wall,
            on_bug=bugs,
            on_send_error=self._send_failed,
        )
        self.listeners = Listeners(
            reactor,
            answer,
            self._send_failed,
            descriptors,
            wall=wall,
            dropped=counters.dropped,
            certificate=certificate,
            make_port=make_port,
        )

    @property
    def tcp_connections(self) -> int:
        """Open TCP clients."""
        return self.listeners.tcp_connections

    @property
    def lag_s(self) -> float:
        """The worst delay of the event loop of late."""
        return self.lag.worst_s

    def watch(self, rules: Mapping[str, tuple[LogRule, ...]], errors: Mapping[str, Errors]) -> None:
        """Log what blocks want logged, by block name; what is so already goes on counting."""
        if (rules, errors) == self._watched:
            return
        self._watched = (rules, errors)
        self._witness.watching = Watching(
            log=rules,
            errors={name: ErrorLog(one, self._reactor, _say) for name, one in errors.items()},
        )

    def share_among(self, processes: int) -> None:
        """Have one of so many shares of what the server may have."""
        self.listeners.share_among(processes)
        self._door.transfers.share_among(processes)

    def move_to(self, wanted: Iterable[Endpoint], bound: dict[Endpoint, Bound]) -> None:
        """Answer on these sockets, too, and on nothing that is not wanted."""
        self.listeners.move_to(wanted, bound)

    def close(self) -> None:
        """Answer what came in, close everything, and stop watching."""
        self.listeners.close()
        self.lag.stop()

    def _send_failed(self, error: OSError) -> None:
        """Count a reply that could not be sent."""
        self.counters.drops[f"send: {error.strerror or type(error).__name__}"] += 1


def _say(level: str, line: str) -> None:
    say = {"debug": log.debug, "info": log.info, "warning": log.warn}.get(level, log.error)
    say("{line}", line=line)
