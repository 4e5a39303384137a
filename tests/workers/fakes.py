"""Workers that do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ocizone.serve.sockets import Bound
from ocizone.workers.orders import Message, read
from ocizone.workers.reports import Counted, Serves, octets_of, pieces_of


class FakeWorker:
    """A worker that does what a test says."""

    def __init__(
        self, number: int, pid: int, heard: Callable[[bytes], None], ended: Callable[[str], None]
    ) -> None:
        self.number = number
        self.pid = pid
        self.says = heard
        self.ends = ended
        self.told: list[Message] = []
        self.bound: list[Bound] = []
        self.finished = self.killed = False

    def send(self, payload: bytes, bound: Iterable[Bound] = ()) -> None:
        self.told.append(read(payload))
        self.bound += bound

    def finish(self) -> None:
        self.finished = True

    def kill(self) -> None:
        self.killed = True

    def serves(self, generation: int = 1) -> None:
        self.says(octets_of(Serves(self.told[-1].number, generation)))

    def lives(self) -> None:
        for piece in pieces_of(Counted()):
            self.says(piece)
