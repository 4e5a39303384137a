"""Bugs while answering: counted always, with a traceback at most now and then.

Not here: the SERVFAIL they are answered with (serve.door).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure

from ocizone.answer.blocks import Transport
from ocizone.observe.counters import Counters

log = Logger(namespace="ocizone")

#: A packet that shows a bug can be sent a million times; its traceback is news once a while.
_QUIET_S = 10.0


class BugLog:
    """Called inside the ``except`` clause that caught a bug."""

    def __init__(self, counters: Counters, seconds: Callable[[], float]) -> None:
        self._counters = counters
        self._seconds = seconds
        self._last = float("-inf")
        self._suppressed = 0

    def __call__(self, packet: bytes, transport: Transport) -> None:
        """Count the bug; log it with its packet unless one was logged just now."""
        self._counters.panics += 1
        now = self._seconds()
        if now - self._last < _QUIET_S:
            self._suppressed += 1
            return
        self._last = now
        log.failure(
            "bug while answering",
            Failure(),
            packet=packet[:512].hex(),
            client=transport.client,
            protocol=transport.protocol,
            suppressed=self._suppressed,
        )
        self._suppressed = 0
