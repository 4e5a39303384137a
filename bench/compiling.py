"""Watch the compilers a server starts: how long they live, their processor time and peak memory."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Self

from bench.processes import TICKS, peak_resident, times, tree

EVERY_S = 0.01
COMPILER = b"ocizone.compiler"


class Compiling:
    """Looks every 10 ms while its block runs; what ends between two looks lacks that much.

    Attributes:
        seconds: from the first to the last look at any compiler.
        cpu_s: of all of them, user and system.
        peak: most resident octets of one (VmHWM).
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu: dict[int, float] = {}
        self._first = self._last = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak = 0

    @property
    def seconds(self) -> float:
        return self._last - self._first

    @property
    def cpu_s(self) -> float:
        return sum(self._cpu.values())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            for pid in tree(self._pid)[1:]:
                if _is_compiler(pid):
                    self._last = time.monotonic()
                    self._first = self._first or self._last
                    self._cpu[pid] = max(self._cpu.get(pid, 0.0), sum(times(pid)) / TICKS)
                    self.peak = max(self.peak, peak_resident(pid))


def _is_compiler(pid: int) -> bool:
    try:
        return COMPILER in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
