"""Corefile text to tokens, with caddy v1's rules for space, quotes, escapes and comments.

Three rules differ, on purpose: a quoted token that never ends is an error (caddy takes the rest
of the file), a ``#`` glued to a token comments to the end of its line (caddy only to the next
space), and a quoted ``{`` is text (caddy takes it for a brace). Environment variables are
expanded here too, but token by token, after the text was cut: a value cannot add tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ocizone.corefile.report import Report
from ocizone.corefile.types import Position
from ocizone.limits import SHOWN_CHARACTERS

# Go's unicode.IsSpace. Python's str.isspace adds U+001C to U+001F, which are text in CoreDNS.
_SPACE: Final = (
    "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
)
_BLANK: Final = _SPACE.replace("\\n", "")
_PIECE: Final = re.compile(
    rf"""
      (?P<space> [{_BLANK}]++ )
    | (?P<newline> \n )
    | (?P<comment> \#[^\n]*+ )
    | " (?P<quoted> [^"\\]*+ (?: \\. [^"\\]*+ )* ) "
    | (?P<open> " )
      # A carriage return inside a token is dropped: `a\rb` is `ab`.
    | (?P<bare> [^{_SPACE}\#"][^{_SPACE}\#]*+ (?: \r++ [^{_SPACE}\#]++ )* )
    """,
    re.VERBOSE | re.DOTALL,
)
_ENVIRONMENT: Final = re.compile(r"\{%((?:(?!%\}).)+)%\}|\{\$([^}]+)\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a Corefile. Its text never shows in a repr: it may be a password.

    Attributes:
        text: without quotes, escapes undone, environment expanded.
        file: as Position has it.
        line: 1-based, of its first character.
        column: 1-based, of its first character.
        row: id of its logical line. Unlike a line number it is unique in the whole token
            stream, so that a snippet imported twice does not glue two lines together.
        literal: it stood in quotes, or came from the environment: never a brace.
        written: as it stood in the file when that differs from ``text``, else "".
        unset: names of environment variables in it that are not set.
    """

    text: str = field(repr=False)
    file: str
    line: int
    column: int
    row: int
    literal: bool = False
    written: str = field(default="", repr=False)
    unset: tuple[str, ...] = ()

    @property
    def position(self) -> Position:
        """Return where it stands."""
        return Position(self.file, self.line)

    @property
    def shown(self) -> str:
        """Return it for a message: as written, so that no value of the environment shows."""
        text = self.written or self.text
        return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."

    def is_brace(self, brace: str) -> bool:
        """Tell whether it is this brace, and structural."""
        return self.text == brace and not self.literal


def tokenize(text: str, file: str, report: Report) -> list[Token]:
    """Return the tokens of a text; rows count from 0.

    Args:
        text: the whole file, a byte order mark allowed.
        file: what positions call it.
        report: takes the unterminated quote (error) and the glued ``#`` (warning).
    """
    tokens: list[Token] = []
    text = text.removeprefix("\ufeff")
    line, line_start, row, at = 1, 0, 0, 0
    while at < len(text):
        match = _PIECE.match(text, at)
        assert match is not None  # the alternatives cover every character
        kind, column = match.lastgroup, at - line_start + 1
        match kind:
            case "newline":
                line, line_start, row = line + 1, match.end(), row + 1
            case "quoted":
                raw = match["quoted"]
                tokens.append(Token(_unescape(raw), file, line, column, row, literal=True))
                if newlines := raw.count("\n"):
                    line += newlines
                    line_start = match.start("quoted") + raw.rindex("\n") + 1
            case "bare":
                tokens.append(Token(match["bare"].replace("\r", ""), file, line, column, row))
            case "open":
                quote = Token('"', file, line, column, row)
                report.error(quote, "unterminated-quote", "unterminated quoted string")
                return tokens
            case "comment" if tokens and _glued(tokens[-1], line, column):
                report.warning(
                    Token("#", file, line, column, row),
                    "comment-in-token",
                    "'#' cuts the word before it: the rest of the line is a comment",
                    'put the word in double quotes to keep the "#"',
                )
            case _:
                pass
        at = match.end()
    return tokens


def _glued(last: Token, line: int, column: int) -> bool:
    """Tell whether a comment at this place directly follows the last token, a bare one."""
    return not last.literal and last.line == line and last.column + len(last.text) == column


def _unescape(raw: str) -> str:
    """Return what stands in quotes; only an escaped quote is undone, pair by pair."""
    if '\\"' not in raw:
        return raw
    return re.sub(r"\\(.)", lambda m: '"' if m[1] == '"' else m[0], raw, flags=re.DOTALL)


def expand(token: Token, environ: Mapping[str, str]) -> Token:
    """Return the token with ``{$NAME}`` and ``{%NAME%}`` replaced, once, not rescanned.

    An unset variable is the empty string; its name is noted in ``unset``. What is malformed
    (``{$}``, ``{$NAME``) stays as it is.
    """
    if "{" not in token.text:
        return token
    unset: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in environ:
            unset.append(name)
        return environ.get(name, "")

    text, replaced = _ENVIRONMENT.subn(value, token.text)
    if not replaced:
        return token
    return replace(token, text=text, literal=True, written=token.text, unset=tuple(unset))
