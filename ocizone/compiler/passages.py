"""The records that the changed lines of a master file lost and gained, where that can be proved.

What a line says depends on lines before it: ``$ORIGIN``, ``$TTL``, an owner that is inherited, an
open parenthesis. So each hunk is widened until it begins and ends between entries and nobody
behind it inherits from it, and is read by the complete reader behind the directives in force.
Where anything is doubtful the answer is None, and the file is read as a whole. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ocizone.compiler.hunks import Hunk, hunks
from ocizone.findings import Findings
from ocizone.limits import AMENDED_OCTETS, AMENDED_ODD_LINES
from ocizone.wire import name as names
from ocizone.zone.entry import EntryError, read_entry
from ocizone.zone.fastline import FastReader
from ocizone.zone.masterfile import read_master
from ocizone.zone.record import Record

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = (b" ", b"\t")
_CARRIED_OVER: Final = frozenset({b"$ORIGIN", b"$TTL"})
# Lines looked at for the owner of the one above a hunk.
_INHERITING: Final = 50
_FIRST_TOKEN: Final = re.compile(rb"[^ \t\r\n;()]+")
# Default TTLs that no record may depend on, where no $TTL stands before it.
_TTLS: Final = (b"$TTL 1\n", b"$TTL 2\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """What one stretch of a file said, and what it says now; both in order."""

    removed: tuple[Record, ...]
    added: tuple[Record, ...]


@dataclass(slots=True)
class Text:
    """A master file, and what in it lies across lines.

    Attributes:
        data: its octets; ends with a newline.
        entries: (start, end) of entries over several lines.
        directives: (offset, line) of ``$ORIGIN`` and ``$TTL``.
    """

    data: bytes
    entries: list[tuple[int, int]] = field(default_factory=list)
    directives: list[tuple[int, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, data: bytes) -> Text | None:
        """Return a file, None for one whose structure is not that of one record a line."""
        data = data.removeprefix(_BOM)
        text = cls(data if data.endswith(b"\n") else data + b"\n")
        return text if text._find_entries() and text._find_directives() else None

    def _find_entries(self) -> bool:
        data, end = self.data, 0
        if data.count(b"(") > AMENDED_ODD_LINES:
            return False
        at = data.find(b"(")
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            if start >= end:
                found = _entry_end(data, start)
                if found is None:
                    return False
                if data.find(b"\n", start) + 1 < found:
                    self.entries.append((start, found))
                end = found
            at = data.find(b"(", max(at + 1, end))
        return True

    def _find_directives(self) -> bool:
        data = self.data
        if data.count(b"$") > AMENDED_ODD_LINES:
            return False
        at = data.find(b"$")
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at) + 1
            if not data[start:at].strip(b" \t") and not self.inside(start):
                if data[at:end].split(None, 1)[0].upper() not in _CARRIED_OVER:
                    return False
                self.directives.append((start, data[start:end]))
            at = data.find(b"$", end)
        return True

    def inside(self, offset: int) -> bool:
        """Tell whether a line that begins here goes on with an entry begun before it."""
        return any(start < offset < end for start, end in self.entries)

    def before(self, offset: int) -> bytes:
        """Return the directives in force at an offset, as lines."""
        return b"".join(line for at, line in self.directives if at < offset)

    def states_ttl(self, offset: int) -> bool:
        """Tell whether a ``$TTL`` is in force at an offset."""
        return any(
            at < offset and line.lstrip()[:4].upper() == b"$TTL" for at, line in self.directives
        )

    def line(self, offset: int) -> bytes:
        """Return the line that begins here; b"" at the end."""
        return self.data[offset : self.data.find(b"\n", offset) + 1] if offset < len(self) else b""

    def __len__(self) -> int:
        return len(self.data)


def _entry_end(data: bytes, start: int) -> int | None:
    """Return where the entry that begins here ends; None for none that can be read."""
    first = data[start : data.find(b"\n", start) + 1]
    end = start + len(first)

    def following() -> Iterator[tuple[int, bytes]]:
        nonlocal end
        while end < len(data):
            line = data[end : data.find(b"\n", end) + 1]
            end += len(line)
            yield 1, line

    try:
        entry = read_entry(first, 1, following())
    except EntryError:
        return None
    # A directive behind a parenthesis is one nobody looks for there.
    return None if entry is not None and entry.tokens[0].raw[:1] == b"$" else end


def passages(old: bytes, new: bytes, apex: bytes) -> tuple[list[Passage], Text] | None:
    """Return what changed between two versions of a zone's master file, and the newer text.

    Args:
        old: octets; every record of it was read without a finding.
        new: octets.
        apex: lower-case wire name, the first origin.
    """
    was, now = Text.of(old), Text.of(new)
    if was is None or now is None:
        return None
    changed = hunks(was.data, now.data, AMENDED_OCTETS)
    if changed is None:
        return None
    of_directives = (at for at, _ in was.directives), (at for at, _ in now.directives)
    if any(_within(at, one.old_start, one.old_end) for at in of_directives[0] for one in changed):
        return None
    if any(_within(at, one.new_start, one.new_end) for at in of_directives[1] for one in changed):
        return None
    wide = _Widening(was, now, changed).run()
    if wide is None:
        return None
    found = []
    for one in wide:
        removed = _read(was, one.old_start, one.old_end, apex)
        added = _read(now, one.new_start, one.new_end, apex)
        if removed is None or added is None or not _passes_no_ttl_on(now, one.new_end):
            return None
        found.append(Passage(removed, added))
    return found, now


def _within(at: int, start: int, end: int) -> bool:
    return start <= at < end


def _read(text: Text, start: int, end: int, apex: bytes) -> tuple[Record, ...] | None:
    """Return the records of a range, None when there is anything to be told of it."""
    before, findings = text.before(start), Findings(1)
    every = []
    for default in (b"",) if text.states_ttl(start) else _TTLS:
        data = default + before + text.data[start:end]
        records = read_master(data, file="", origin=apex, findings=findings)
        every.append(tuple(one._replace(line=0, column=0) for one in records))
    return None if findings.problems() or any(one != every[0] for one in every) else every[0]


def _passes_no_ttl_on(text: Text, end: int) -> bool:
    """Tell whether no record behind a range takes its TTL from one in it."""
    if text.states_ttl(end):
        return True
    while (line := text.line(end)) and not _is_record(line):
        end += len(line)
    found = FastReader(names.ROOT).read(line)
    return not line or (found is not None and found.ttl is not None)


class _Widening:
    """Hunks being widened, so that each can be read by itself."""

    def __init__(self, old: Text, new: Text, changed: list[Hunk]) -> None:
        self._old = old
        self._new = new
        self._left = changed
        self._done: list[Hunk] = []

    def run(self) -> list[Hunk] | None:
        """Return the hunks, in order; those that meet are one; None when one has no end."""
        while self._left:
            hunk = self._left.pop(0)
            while True:
                wider = self._wider(hunk)
                if wider is None:
                    return None
                if wider == hunk:
                    break
                hunk = self._merged(wider)
            self._done.append(hunk)
        return self._done

    def _merged(self, hunk: Hunk) -> Hunk:
        """Return a hunk together with those it has come to touch."""
        while self._done and self._done[-1].old_end >= hunk.old_start:
            before = self._done.pop()
            hunk = Hunk(before.old_start, hunk.old_end, before.new_start, hunk.new_end)
        while self._left and self._left[0].old_start <= hunk.old_end:
            behind = self._left.pop(0)
            hunk = Hunk(hunk.old_start, behind.old_end, hunk.new_start, behind.new_end)
        return hunk

    def _wider(self, hunk: Hunk) -> Hunk | None:
        up, down = self._across(hunk)
        if not up and self._needs_owner(hunk):
            up = self._line_above(hunk)
            if not up:
                return None
        if not up and not down:
            down = self._heirs(hunk)
        if not up and not down:
            up, down = self._alike_above(hunk), self._alike_below(hunk)
        return Hunk(
            hunk.old_start - up, hunk.old_end + down, hunk.new_start - up, hunk.new_end + down
        )

    def _across(self, hunk: Hunk) -> tuple[int, int]:
        """Return how far entries over several lines reach out of a hunk, above and below."""
        up = down = 0
        for text, start, end in (
            (self._old, hunk.old_start, hunk.old_end),
            (self._new, hunk.new_start, hunk.new_end),
        ):
            for first, last in text.entries:
                if first < end and last > start:
                    up, down = max(up, start - first), max(down, last - end)
        return up, down

    def _needs_owner(self, hunk: Hunk) -> bool:
        """Tell whether the first record of either side inherits its owner."""
        return any(
            _first_record(text, start, end).startswith(_BLANK)
            for text, start, end in (
                (self._old, hunk.old_start, hunk.old_end),
                (self._new, hunk.new_start, hunk.new_end),
            )
        )

    def _line_above(self, hunk: Hunk) -> int:
        """Return the octets of the line above a hunk; above, both versions are alike."""
        if not hunk.old_start or not hunk.new_start:
            return 0
        return hunk.old_start - (self._old.data.rfind(b"\n", 0, hunk.old_start - 1) + 1)

    def _heirs(self, hunk: Hunk) -> int:
        """Return the octets behind a hunk up to the end of a record that inherits its owner."""
        at = hunk.old_end
        while line := self._old.line(at):
            at += len(line)
            if _is_record(line):
                return at - hunk.old_end if line.startswith(_BLANK) else 0
        return 0

    def _alike_above(self, hunk: Hunk) -> int:
        """Return the octets of the record above a hunk if its owner is one in it."""
        if not hunk.new_start:
            return 0
        data, at = self._old.data, hunk.old_start
        for _ in range(_INHERITING):
            if not at:
                return 0
            at = data.rfind(b"\n", 0, at - 1) + 1
            line = self._old.line(at)
            if not _is_record(line):
                return 0
            if not line.startswith(_BLANK):
                return hunk.old_start - at if self._is_of(line, hunk) else 0
        return 0

    def _alike_below(self, hunk: Hunk) -> int:
        line = self._old.line(hunk.old_end)
        return len(line) if self._is_of(line, hunk) else 0

    def _is_of(self, line: bytes, hunk: Hunk) -> bool:
        """Tell whether a line outside of a hunk has an owner of one in it: its order may count."""
        if not _is_record(line) or line.startswith(_BLANK):
            return False
        owner = _owner(line)
        return any(
            _owner(one) == owner
            for text, start, end in (
                (self._old, hunk.old_start, hunk.old_end),
                (self._new, hunk.new_start, hunk.new_end),
            )
            for one in text.data[start:end].split(b"\n")
            if one[:1] not in _BLANK
        )


def _owner(line: bytes) -> bytes:
    found = _FIRST_TOKEN.match(line)
    return found.group().lower() if found else b""


def _first_record(text: Text, start: int, end: int) -> bytes:
    """Return the first line in a range that is, or begins, a record."""
    while start < end:
        line = text.line(start)
        if _is_record(line):
            return line
        start += len(line)
    return b""


def _is_record(line: bytes) -> bool:
    first = line.lstrip(b" \t\r\n")[:1]
    return first not in (b"", b";", b"$")
