"""A reactor that is polled by hand: real sockets, a clock that tests turn, no loop."""

from __future__ import annotations

import select
from typing import Any

from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.internet.task import Clock
from twisted.python.failure import Failure


class PolledReactor(Clock):
    """Readers and writers are served in ``turn``, timers in ``advance``."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[IReadDescriptor] = []
        self.writers: list[IWriteDescriptor] = []

    def addReader(self, reader: IReadDescriptor) -> None:
        if reader not in self.readers:
            self.readers.append(reader)

    def removeReader(self, reader: IReadDescriptor) -> None:
        if reader in self.readers:
            self.readers.remove(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        if writer not in self.writers:
            self.writers.append(writer)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        if writer in self.writers:
            self.writers.remove(writer)

    def turn(self, patience_s: float = 1.0) -> None:
        """Serve what is ready, and run the timers that are due."""
        ready, writable, _ = select.select(self.readers, self.writers, [], patience_s)
        for reader in ready:
            self._served(reader, reader.doRead())
        for writer in writable:
            self._served(writer, writer.doWrite())
        self.advance(0)

    def _served(self, one: Any, why: BaseException | None) -> None:
        """Drop a descriptor that said it is done, as the real reactor does."""
        if why is not None:
            self.removeReader(one)
            self.removeWriter(one)
            one.connectionLost(Failure(why))

    def settle(self) -> None:
        """Serve until nothing is ready: the other side closed, we notice."""
        for _ in range(5):
            self.turn(0)
