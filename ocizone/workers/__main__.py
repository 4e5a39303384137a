"""One worker: ``python -m ocizone.workers PARENT NUMBER [--debug]``, its channel on descriptor 3.

It ends with its supervisor, killed or not. Signals that are meant for the server it ignores: a
terminal and a service manager send them to every process, and the supervisor says when to end.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _installed
from twisted.logger import globalLogBeginner

from ocizone.answer.blocks import Snapshot
from ocizone.answering import Answering
from ocizone.limits import WORKER_STOP_S
from ocizone.live import LiveZones
from ocizone.observe.counters import Counters
from ocizone.observe.lines import LAST_LINES_S, LineWriter
from ocizone.observe.log import observer
from ocizone.process import (
    follow_to_death,
    keep_for_good,
    raise_file_limit,
    share_one_heap,
    use_steady_clock,
)
from ocizone.workers.channel import Channel
from ocizone.workers.orders import Unpacker
from ocizone.workers.serving import Certificates, Serving
from ocizone.workers.spawn import CHANNEL_DESCRIPTOR, NOT_FOR_WORKERS
from ocizone.workers.wholelines import WholeLines
from ocizone.zone.image import Image

#: The module stands for the reactor it installed.
reactor: Any = _installed


def main(arguments: list[str]) -> int:
    """Serve until the supervisor ends; return the exit status."""
    if not follow_to_death(int(arguments[0])):
        return 1
    for number in NOT_FOR_WORKERS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NOT_FOR_WORKERS)
    share_one_heap()
    lines, queries = LineWriter(WholeLines(2)), LineWriter(WholeLines(1))
    globalLogBeginner.beginLoggingTo(
        [observer(lines.write, debug="--debug" in arguments)],
        redirectStandardIO=False,
        discardBuffer=True,
    )
    use_steady_clock(reactor)
    _work(queries)
    keep_for_good()
    reactor.run(installSignalHandlers=False)
    lines.close(LAST_LINES_S)
    queries.close(LAST_LINES_S)
    return 0


def _work(queries: LineWriter) -> None:
    live = LiveZones(Snapshot(0, {}))
    certificates = Certificates()
    answering = Answering(
        reactor,
        live,
        Counters(),
        query_line=queries.write,
        wall=time.time,
        descriptors=raise_file_limit(),
        certificate=certificates.cell,
    )
    answering.lag.start()

    def told(payload: bytes, sockets: list[socket.socket]) -> None:
        serving.told(payload, sockets)

    def ended() -> None:
        serving.end()
        # A supervisor that does not read must not keep us.
        too_late = reactor.callLater(WORKER_STOP_S, reactor.stop)

        def done() -> None:
            if too_late.active():
                too_late.cancel()
                reactor.stop()

        channel.finish(done)

    channel = Channel(reactor, socket.socket(fileno=CHANNEL_DESCRIPTOR), told, ended)
    unpacker = Unpacker(lambda path: Image.open(Path(path)).zones())
    serving = Serving(reactor, channel, answering, live, certificates, unpacker)
    channel.start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
