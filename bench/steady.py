"""A steady rate of queries that goes on until something else is done, with every latency."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.drive import Drive
from bench.processes import environment
from bench.rounds import latency

LONGEST_S = 300.0
END_S = 20.0
#: More sockets than workers, so that the kernel gives each some.
CLIENTS = 64


class Steady:
    """``with Steady(...) as load: ...``; then ``load.found`` has percentiles and losses.

    Attributes:
        found: as rounds.latency returns it, once the block is over.
    """

    def __init__(self, drive: Drive, port: int, file: Path, rate: int, output: Path) -> None:
        """Prepare it.

        Args:
            drive: dnsperf's settings.
            port: the server's.
            file: query lines, gone through again and again.
            rate: queries a second.
            output: where dnsperf writes, a line a query.
        """
        command = drive.command(port, file, LONGEST_S, tcp=False, dnssec=False, rate=rate)
        once = command.index("-n")
        self._command = [*command[:once], *command[once + 2 :]]
        self._output = output
        self.found: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._file = self._output.open("wb")
        self._child = subprocess.Popen(
            self._command, stdout=self._file, stderr=self._file, env=environment({})
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # It stops sending, waits for what is outstanding, and prints its statistics.
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(END_S)
        self._file.close()
        if error is None:
            self.found = dict(latency(self._output.read_text()))
        self._output.unlink()


def many_sockets(drive: Drive, clients: int) -> Drive:
    """Return the same settings with more sockets, so that every worker gets some."""
    return replace(drive, clients=clients)
