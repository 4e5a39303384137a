"""Tokens to server blocks: key lines, directives with their arguments and blocks, snippets.

The grammar is caddy v1's as CoreDNS uses it. What a directive means is not known here. After a
mistake parsing goes on, so that one run shows every mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ocizone.corefile.lexer import Token
from ocizone.corefile.report import Report
from ocizone.corefile.stream import TokenStream

_NO_OPENING = "Unexpected '}' because no matching opening brace"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One use of a directive.

    Attributes:
        name: the directive.
        args: the rest of its line, up to the brace.
        body: what stands between its braces, nested braces included, or None without braces.
    """

    name: Token
    args: tuple[Token, ...]
    body: tuple[Token, ...] | None


@dataclass(frozen=True, slots=True)
class RawBlock:
    """One server block: key tokens (commas stripped) and directives, in the order written."""

    keys: tuple[Token, ...]
    uses: tuple[Occurrence, ...]


def parse_blocks(stream: TokenStream, report: Report) -> list[RawBlock]:
    """Return the server blocks of a stream; mistakes go to ``report``."""
    return _Parser(stream, report).blocks()


class _Parser:
    """Recursive descent, without the recursion: the grammar is three levels deep."""

    def __init__(self, stream: TokenStream, report: Report) -> None:
        self._stream = stream
        self._report = report

    def blocks(self) -> list[RawBlock]:
        found = []
        while token := self._stream.peek():
            if token.is_brace("}"):
                self._stray(self._stream.take())
            elif token.text == "import":
                self._stream.splice_import()
            elif block := self._block(token):
                found.append(block)
        return found

    def _block(self, first: Token) -> RawBlock | None:
        keys = self._keys()
        opening = self._stream.peek()
        braced = opening is not None and opening.is_brace("{")
        if len(keys) == 1 and keys[0].text.startswith("(") and keys[0].text.endswith(")"):
            if braced:
                self._snippet(keys[0])
                return None
            self._report.error(
                keys[0],
                "snippet-braces",
                f"snippet {keys[0].shown} needs a block in braces",
            )
        if braced:
            self._stream.take()
        uses = self._directives(opening if braced else None)
        if not keys:
            self._report.error(
                first, "no-key", "server block has no zone", "name one before the '{', such as '.'"
            )
            return None
        return RawBlock(tuple(keys), tuple(uses))

    def _keys(self) -> list[Token]:
        """Take the key list, to the brace or the end of its line."""
        keys: list[Token] = []
        last: Token | None = None
        more = False
        while token := self._stream.peek():
            if token.is_brace("{"):
                if more:
                    self._report.error(
                        token,
                        "extra-comma",
                        "Expected another address but had '{' - check for extra comma",
                    )
                return keys
            if token.is_brace("}") or (last and token.row != last.row and not more):
                return keys
            if token.text == "import" and self._stream.starts_row():
                self._stream.splice_import()
                continue
            last = self._stream.take()
            text = last.text.removesuffix(",")
            if last.text:
                more = text != last.text
            if text:
                keys.append(replace(last, text=text, written=last.written.removesuffix(",")))
        if more and last:
            self._report.error(last, "unexpected-eof", "Unexpected EOF", "the comma promises a key")
        return keys

    def _snippet(self, name: Token) -> None:
        """Take a snippet's block as it is; it is parsed where it is imported."""
        opening = self._stream.take_raw()
        body: list[Token] = []
        depth = 1
        while token := self._stream.peek():
            self._stream.take_raw()
            depth += token.is_brace("{") - token.is_brace("}")
            if not depth:
                self._stream.define(name.text[1:-1], name, body)
                return
            body.append(token)
        self._unclosed(opening, "snippet")

    def _directives(self, opening: Token | None) -> list[Occurrence]:
        """Take directives to the closing brace, or to the end of a block without braces."""
        uses: list[Occurrence] = []
        while token := self._stream.peek():
            if token.is_brace("}"):
                self._stream.take()
                if opening is None:
                    self._stray(token)
                return uses
            if token.is_brace("{"):
                self._report.error(
                    token, "unexpected-brace", "Unexpected token '{', expecting a directive"
                )
                self._body(self._stream.take())
            elif token.text == "import" and self._stream.starts_row():
                self._stream.splice_import()
            else:
                uses.append(self._occurrence())
        if opening is not None:
            self._unclosed(opening, "server block")
        return uses

    def _occurrence(self) -> Occurrence:
        name = self._stream.take()
        args: list[Token] = []
        body: tuple[Token, ...] | None = None
        row = name.row
        while token := self._stream.peek():
            if token.is_brace("{") and body is None:
                if token.row != row:
                    self._report.error(
                        token,
                        "brace-on-next-line",
                        f"Unexpected '{{': the block of '{name.shown}' must open on its line",
                        f"write '{name.shown} ... {{'",
                    )
                opening = self._stream.take()
                body, row = self._body(opening)
            elif token.row != row:
                break
            elif token.is_brace("}"):
                # It closes the server block, whose other directives are on other lines.
                self._report.error(
                    token, "unexpected-brace", _NO_OPENING, "put '}' on a line of its own"
                )
                break
            elif body is None:
                args.append(self._stream.take())
            else:
                self._report.error(
                    token,
                    "argument-count",
                    "Wrong argument count or unexpected line ending after '}'",
                    "a directive ends with its block",
                )
                self._skip_row(row)
        if body is None and args and args[-1].text == "{}" and not args[-1].literal:
            self._report.warning(
                args[-1], "empty-block", "'{}' is read as an empty block", "leave it out"
            )
            args.pop()
            body = ()
        return Occurrence(name, tuple(args), body)

    def _body(self, opening: Token) -> tuple[tuple[Token, ...], int]:
        """Take a directive's block; return it and the row its closing brace is on."""
        body: list[Token] = []
        depth = 1
        while token := self._stream.peek():
            if token.text == "import" and self._stream.starts_row():
                self._stream.splice_import()
                continue
            depth += token.is_brace("{") - token.is_brace("}")
            taken = self._stream.take()
            if not depth:
                return tuple(body), taken.row
            body.append(taken)
        self._unclosed(opening, "block")
        return tuple(body), -1

    def _skip_row(self, row: int) -> None:
        while (token := self._stream.peek()) and token.row == row and not token.is_brace("}"):
            if token.is_brace("{"):
                self._body(self._stream.take())
                return
            self._stream.take()

    def _stray(self, token: Token) -> None:
        self._report.error(token, "unexpected-brace", _NO_OPENING)

    def _unclosed(self, opening: Token, what: str) -> None:
        self._report.error(
            opening, "unexpected-eof", "Unexpected EOF", f"this '{{' opens a {what} that never ends"
        )
