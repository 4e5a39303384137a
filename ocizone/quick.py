"""Where the fast path is joined to the rest, if it is there and this system can.

Without the folder ``fastpath`` everything is answered by ``serve.udp`` and the door, only slower.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.observe.witness import Witness
from ocizone.serve.door import Door, OnBug
from ocizone.serve.listeners import MakePort
from ocizone.serve.outgoing import Answer
from ocizone.serve.udp import Polls

try:
    from ocizone.fastpath.mmsg import is_possible
    from ocizone.fastpath.port import BatchPort
    from ocizone.fastpath.replies import FastReplies
except ModuleNotFoundError:
    IS_THERE = False
else:
    IS_THERE = True

if TYPE_CHECKING:
    from ocizone.fastpath.tally import Labels


def quick(
    reactor: Polls,
    live: LiveZones,
    door: Door,
    witness: Witness,
    counters: Counters,
    *,
    seconds: Callable[[], float],
    wall: Callable[[], float],
    on_bug: OnBug,
    on_send_error: Callable[[OSError], None],
) -> tuple[Answer, MakePort | None]:
    """Return what answers on streams, and what reads datagrams (None: serve.udp, as ever).

    Args:
        reactor: polls.
        live: what is served.
        door: answers what the fast path does not; it is taught to tell of its replies.
        witness: knows what is logged.
        counters: count fast replies when they are read.
        seconds: monotonic.
        wall: unix seconds.
        on_bug: told of bugs.
        on_send_error: told of replies over UDP that could not be sent.
    """
    if not IS_THERE:
        return door.answer, None

    def count(
        listener: str, protocol: str, family: str, labels: Labels, times: int, took_s: float
    ) -> None:
        counters.query(
            listener,
            witness.zone_text(labels.zone),
            "udp" if protocol == "udp" else "tcp",
            family,
            labels.qtype,
            labels.rcode,
            labels.request_octets,
            labels.response_octets,
            took_s,
            dnssec_ok=labels.dnssec_ok,
            times=times,
        )

    replies = FastReplies(
        live,
        door.answer,
        seconds=seconds,
        is_logged=witness.is_logged,
        count=count,
        on_bug=on_bug,
    )
    door.learn = replies.learn
    counters.catch_up = replies.flush

    def port(sock: socket.socket, listener: str) -> BatchPort:
        return BatchPort(reactor, sock, listener, door.answer, on_send_error, wall, replies)

    return replies.answer, port if is_possible() else None
