"""The lines of a file: one by one, or all of a chunk at once by one regular expression.

Both ways go through the same chunks and share one place, so that a reader may change between
them at every line. Knows what the plainest record on a line looks like (ROW); not what it means
(zone.bulk).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ocizone.limits import KIB, LABEL_OCTETS

#: Label, other owner, TTL, first and second half of an IPv4 address, type, rdata. All are empty
#: for a line that is something else: every line is a row.
Row = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]

# Possessive: a line that is none is found out in one pass. Lower-case owners only: others keep
# their spelling. Bounded: what a longer line is, complete readers say.
_ROW: Final = re.compile(
    rb"(?:([a-z0-9_*/-]{1,%d}+)(?=[ \t])|([a-z0-9_*/.-]++))?[ \t]++"
    rb"(?:([0-9]{1,10}+)[ \t]++)?(?:[Ii][Nn][ \t]++)?"
    rb"(?:[Aa][ \t]++([0-9]++\.[0-9]++)\.([0-9]++\.[0-9]++)[ \t]*+|([A-Za-z]++)[ \t]++"
    rb'([!#-\x27*-:<-\[\]-~][\t !#-\x27*-:<-\[\]-~]{0,4000}+|(?:"[ !#-\[\]-~]{0,4000}+"[ \t]*+){1,16}+))'
    rb"(?:;[\t -~]*+)?\r?\n|.*+\n" % LABEL_OCTETS
)
_CHUNK_OCTETS: Final = 256 * KIB
_FEW_ROWS: Final = 16
_MOST_ROWS: Final = 65_536
_NO_ROW: Final[Row] = (b"",) * 7


class Lines:
    """Where a reading of a file stands."""

    def __init__(self, data: bytes) -> None:
        """Start before the first line."""
        self._data = data
        self._start = self._end = 0
        self._rows: list[Row] = []
        self._texts: list[bytes] | None = None
        #: Lines taken of the chunk, and lines of the chunks before it.
        self._taken = self._before = 0
        self._most = _MOST_ROWS

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Return itself: an iterator of (1-based number, line with its end)."""
        return self

    def __next__(self) -> tuple[int, bytes]:
        """Take a line."""
        if self._taken == len(self._rows) and not self._next_chunk():
            raise StopIteration
        if self._texts is None:
            # Not splitlines: a carriage return alone ends no line.
            self._texts = self._data[self._start : self._end].split(b"\n")
        text = self._texts[self._taken]
        self._taken += 1
        self._most = _FEW_ROWS
        is_last = self._taken == len(self._texts)
        return self._before + self._taken, text if is_last else text + b"\n"

    @property
    def number(self) -> int:
        """The 1-based number of the next line."""
        return self._before + self._taken + 1

    def rows(self) -> list[Row]:
        """Return rows of lines that were not taken; none at the end of the file.

        Few after a line that was taken alone, for the next may have to be too; then more and more.
        """
        if self._taken == len(self._rows):
            self._next_chunk()
        rows = self._rows[self._taken : self._taken + self._most]
        self._most = min(4 * self._most, _MOST_ROWS)
        return rows

    def take(self, count: int) -> None:
        """Take so many of ``rows``."""
        self._taken += count

    def _next_chunk(self) -> bool:
        data, start = self._data, self._end
        if start == len(data):
            return False
        end = data.rfind(b"\n", start, start + _CHUNK_OCTETS) + 1
        # A line that is longer, or without an end, is a chunk, and no row.
        whole = bool(end)
        if not whole:
            end = data.find(b"\n", start) + 1 or len(data)
        self._before += self._taken
        self._start, self._end, self._taken, self._texts = start, end, 0, None
        self._rows = _ROW.findall(data, start, end) if whole else [_NO_ROW]
        return True
