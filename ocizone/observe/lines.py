"""Lines to a stream that may block: written by a thread, dropped when nobody reads.

A full pipe (a log reader that died) must not stop DNS. Lines queue up to a bound; beyond it
they are dropped and the drop is told in one line as soon as there is room again.
"""

from __future__ import annotations

import queue
import threading
from typing import Protocol

#: About 1 MiB of ordinary lines.
QUEUED_LINES = 8192
#: What a log reader that stopped reading may cost at the end.
LAST_LINES_S = 1.0


class Stream(Protocol):
    """Where lines go: a text stream."""

    def write(self, text: str, /) -> object:
        """Write text; may block."""

    def flush(self) -> object:
        """Push what was written on its way; may block."""


class LineWriter:
    """Accepts lines without blocking and writes them in order."""

    def __init__(self, stream: Stream, *, room: int = QUEUED_LINES) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(room)
        self._dropped = 0
        # A daemon: a stream that blocks for ever must not keep the process.
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue one line (without its newline), or drop it when the queue is full."""
        try:
            if self._dropped:
                self._lines.put_nowait(f"{self._dropped} log lines dropped: nobody read them")
                self._dropped = 0
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def close(self, timeout_s: float) -> None:
        """Write what is queued, for at most ``timeout_s`` seconds."""
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # Closed by the other side, or by interpreter shutdown: nobody to tell.
                return
