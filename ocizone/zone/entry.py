"""Entries of a master file: tokens with their places, lines joined by parentheses (RFC 1035 5.1).

Not here: what the tokens mean (zone.masterfile).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ocizone.limits import ZONE_ENTRY_OCTETS

_TOKEN: Final = re.compile(
    rb"(?P<blank>[ \t]+)"
    rb"|(?P<comment>;.*)"
    rb"|(?P<paren>[()])"
    rb'|(?P<quoted>"[^"\\]*+(?:\\.[^"\\]*+)*")'
    # SvcParams: a quoted value belongs to the key before it (RFC 9460 2.1).
    rb'|(?P<plain>(?:[^ \t;"()\\]|\\.)+(?:(?<==)"[^"\\]*+(?:\\.[^"\\]*+)*")?)'
)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class EntryError(Exception):
    """The octets make no entry; where, and a Problem's rule, message and hint."""

    def __init__(self, line: int, column: int, rule: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.rule = rule
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Token:
    """A token as written, quotes and escapes included."""

    raw: bytes
    line: int
    column: int

    @property
    def quoted(self) -> bool:
        """Tell whether it is a quoted string."""
        return self.raw.startswith(b'"')

    def follows(self, other: Token) -> bool:
        """Tell whether nothing, not even a blank, stands between another token and this one."""
        return (self.line, self.column) == (other.line, other.column + len(other.raw))


@dataclass(slots=True)
class Entry:
    """The tokens of one entry.

    Attributes:
        owner_omitted: the first line began with a blank.
        tokens: at least one.
    """

    owner_omitted: bool
    tokens: list[Token] = field(default_factory=list)


def read_entry(first: bytes, number: int, following: Iterator[tuple[int, bytes]]) -> Entry | None:
    """Return the entry that begins with this line, or None for a blank one or a comment.

    Args:
        first: the line.
        number: its 1-based number.
        following: (number, line) after it; taken from only while a parenthesis is open.

    Raises:
        EntryError: a quote or parenthesis is not closed, a control character, too long.
    """
    entry = Entry(owner_omitted=first[:1] in (b" ", b"\t"))
    opened: list[Token] = []
    octets = 0
    line = first
    while True:
        octets += len(line)
        if octets > ZONE_ENTRY_OCTETS:
            start = opened[0] if opened else Token(b"", number, 1)
            raise EntryError(
                start.line,
                start.column,
                "entry-too-long",
                f"the entry is over {ZONE_ENTRY_OCTETS} octets",
                'a ")" may be missing',
            )
        _read_line(line, number, entry.tokens, opened)
        if not opened:
            return entry if entry.tokens else None
        number, line = next(following, (0, b""))
        if not number:
            start = opened[0]
            raise EntryError(
                start.line, start.column, "unclosed-parenthesis", '"(" is never closed'
            )


def _read_line(line: bytes, number: int, tokens: list[Token], opened: list[Token]) -> None:
    """Append a line's tokens; ``opened`` holds the parentheses that are open."""
    text = line.rstrip(b"\r\n")
    if control := _CONTROL.search(text):
        raise EntryError(
            number,
            control.start() + 1,
            "control-character",
            f"octet 0x{control.group()[0]:02x} in zone text",
            "zone files are text; write octets as \\DDD",
        )
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise EntryError(number, at + 1, *_why(text[at]))
        kind, raw = found.lastgroup, found.group()
        if kind == "paren":
            _parenthesis(Token(raw, number, at + 1), opened)
        elif kind in ("quoted", "plain"):
            tokens.append(Token(raw, number, at + 1))
        at = found.end()


def _why(octet: int) -> tuple[str, str]:
    if octet == 0x22:
        return "unclosed-quote", "the quote is not closed on its line"
    return "bad-escape", "a backslash ends the line"


def _parenthesis(token: Token, opened: list[Token]) -> None:
    if token.raw == b"(":
        opened.append(token)
    elif opened:
        opened.pop()
    else:
        raise EntryError(
            token.line, token.column, "unopened-parenthesis", '")" without an open "("'
        )
