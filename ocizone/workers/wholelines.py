"""Lines to a descriptor that several processes write to: each line whole.

A pipe takes up to PIPE_BUF octets at once or not at all (pipe(7)): so lines are put together up to
that, and never cut. A stream for observe.lines. Not here: who waits when nobody reads.
"""

from __future__ import annotations

import os
import select


class WholeLines:
    """Writes text that ends with a line's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines = b""

    def write(self, text: str) -> None:
        """Take a line with its end."""
        line = text.encode("utf-8", "backslashreplace")
        if self._lines and len(self._lines) + len(line) > select.PIPE_BUF:
            self.flush()
        self._lines += line

    def flush(self) -> None:
        """Write what there is; may block."""
        lines, self._lines = self._lines, b""
        while lines:
            lines = lines[os.write(self._descriptor, lines) :]
