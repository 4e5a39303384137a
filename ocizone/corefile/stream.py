"""The token stream of a Corefile: imports spliced in where they stand, environment expanded.

A snippet or file that imports itself can only go on for ever (there are no conditions), so it
is refused at once, in the words CoreDNS uses when it reaches its limit.
"""

from __future__ import annotations

import glob
import hashlib
import os.path
from dataclasses import dataclass, replace

from ocizone.corefile.lexer import Token, expand, tokenize
from ocizone.corefile.report import Report, did_you_mean
from ocizone.corefile.sources import World
from ocizone.limits import (
    COREFILE_FILE_IMPORTS,
    COREFILE_SNIPPET_EXPANSIONS,
    COREFILE_TOKENS,
)


@dataclass(slots=True)
class _Frame:
    """Tokens being read, and what they are the content of."""

    label: str
    tokens: list[Token]
    at: int = 0


class TokenStream:
    """Tokens in the order they mean something, one of look-ahead."""

    def __init__(self, text: str, path: str, world: World, report: Report) -> None:
        self._world = world
        self._report = report
        self._hash = hashlib.sha256()
        self._frames: list[_Frame] = []
        self._snippets: dict[str, list[Token]] = {}
        self._rows = 0
        self._pushed = 0
        self._expansions = 0
        self._imports = 0
        self._last_row = -1
        self.files: dict[str, None] = {}
        self._push(f"file {world.absolute(path)}", tokenize(text, path, report))

    @property
    def fingerprint(self) -> str:
        """Return the hex SHA-256 of everything taken so far; positions do not count."""
        return self._hash.hexdigest()

    def peek(self) -> Token | None:
        """Return the next token as written, or None at the end."""
        frame = self._current()
        return frame.tokens[frame.at] if frame else None

    def starts_row(self) -> bool:
        """Tell whether the next token is the first of its line."""
        token = self.peek()
        return token is not None and token.row != self._last_row

    def take(self) -> Token:
        """Return the next token, environment expanded, and go on."""
        token = expand(self._advance(), self._world.environ)
        for name in token.unset:
            self._report.warning(
                token, "environment-unset", f"environment variable {name} is not set"
            )
        new_row = b"\x01" if token.row != self._last_row else b"\x00"
        literal = b"\x01" if token.literal else b"\x00"
        self._last_row = token.row
        data = token.text.encode("utf-8", "surrogatepass")
        self._hash.update(new_row + literal + len(data).to_bytes(8) + data)
        return token

    def take_raw(self) -> Token:
        """Return the next token as written and go on: the body of a snippet, expanded at its use."""
        token = self._advance()
        self._last_row = token.row
        return token

    def define(self, name: str, at: Token, body: list[Token]) -> None:
        """Keep a snippet for later imports."""
        if name in self._snippets:
            self._report.error(
                at, "snippet-redeclared", f"redeclaration of previously declared snippet {name}"
            )
            return
        self._snippets[name] = body

    def splice_import(self) -> None:
        """Take ``import PATTERN`` and put what it names in its place."""
        keyword = self.take()
        words = []
        while (token := self.peek()) and token.row == keyword.row:
            if token.is_brace("{") or token.is_brace("}"):
                self._report.error(
                    token,
                    "import-arguments",
                    "Import takes only one argument (glob pattern or file)",
                    f"put '{token.text}' on a line of its own",
                )
                return
            words.append(self.take())
        if not words:
            self._report.error(
                keyword,
                "argument-count",
                "Wrong argument count or unexpected line ending after 'import'",
            )
        elif len(words) > 1:
            self._report.error(
                words[1],
                "import-arguments",
                "Import takes only one argument (glob pattern or file)",
            )
        elif not words[0].text:
            self._report.error(words[0], "import-arguments", "Import requires a non-empty filepath")
        elif words[0].text in self._snippets:
            self._splice_snippet(words[0])
        else:
            self._splice_files(words[0])

    # --- Imports -----------------------------------------------------------------------------

    def _splice_snippet(self, word: Token) -> None:
        label = f"snippet {word.text}"
        self._expansions += 1
        if self._is_open(label) or self._expansions > COREFILE_SNIPPET_EXPANSIONS:
            self._report.error(
                word,
                "import-depth",
                "maximum snippet import depth (10000) exceeded",
                f"snippet '{word.shown}' imports itself" if self._is_open(label) else "",
            )
            return
        self._push(label, self._snippets[word.text])

    def _splice_files(self, word: Token) -> None:
        pattern = word.text
        has_wildcard = any(character in pattern for character in "*?[")
        if pattern.count("*") > 1 or pattern.count("?") > 1 or "[" in pattern:
            self._report.error(
                word,
                "import-pattern",
                f"Glob pattern may only contain one wildcard (*), but has others: {word.shown}",
            )
            return
        self._imports += 1
        if self._imports > COREFILE_FILE_IMPORTS:
            self._report.error(word, "import-depth", "maximum file import depth (10000) exceeded")
            return
        # Relative to the file the line stands in, which is absolute unless it is the first one.
        folder = os.path.dirname(self._world.absolute(word.file))  # noqa: PTH120 - text, not a file
        if not has_wildcard:
            self._splice_file(word, os.path.normpath(os.path.join(folder, pattern)))  # noqa: PTH118 - keeps ".." for normpath
            return
        absolute = pattern if pattern.startswith("/") else f"{glob.escape(folder)}/{pattern}"
        paths = [] if "\0" in absolute else sorted(self._world.glob(absolute))
        if not paths:
            self._report.warning(
                word,
                "import-nothing",
                f"No files matching import glob pattern: {word.shown}",
            )
        for path in reversed(paths):
            self._splice_file(word, os.path.normpath(path))

    def _splice_file(self, word: Token, path: str) -> None:
        label = f"file {path}"
        if self._is_open(label):
            self._report.error(
                word,
                "import-depth",
                "maximum file import depth (10000) exceeded",
                f"{path} imports itself",
            )
            return
        try:
            text = self._world.read(path)
        except IsADirectoryError:
            self._report.error(
                word, "import-unreadable", f"Could not import {word.shown}: is a directory"
            )
        except (FileNotFoundError, ValueError):
            hint = did_you_mean(word.text, list(self._snippets))
            self._report.error(
                word,
                "import-missing",
                f"File to import not found: {word.shown}",
                hint or f"no snippet of that name above, and no file {path}",
            )
        except OSError as error:
            self._report.error(
                word, "import-unreadable", f"Could not import {word.shown}: {error.strerror}"
            )
        else:
            self.files[path] = None
            self._push(label, tokenize(text, path, self._report))

    def _is_open(self, label: str) -> bool:
        # Files of one glob wait unread (at 0) below one another: they are no cycle.
        return any(frame.label == label and frame.at for frame in self._frames)

    # --- Frames ------------------------------------------------------------------------------

    def _push(self, label: str, tokens: list[Token]) -> None:
        """Put tokens in front of the rest, on rows no other token has."""
        if not tokens:
            return
        self._pushed += len(tokens)
        if self._pushed > COREFILE_TOKENS:
            self._report.error(
                tokens[0], "too-many-tokens", f"more than {COREFILE_TOKENS} words after imports"
            )
            self._frames.clear()
            return
        base = self._rows - tokens[0].row
        self._frames.append(
            _Frame(label, [replace(token, row=token.row + base) for token in tokens])
        )
        self._rows = tokens[-1].row + base + 1

    def _current(self) -> _Frame | None:
        # A finished frame stays until the next token is taken: while its last import is read,
        # it still is what that import would come back to.
        for frame in reversed(self._frames):
            if frame.at < len(frame.tokens):
                return frame
        return None

    def _advance(self) -> Token:
        frame = self._current()
        assert frame is not None  # callers peek first
        while self._frames[-1] is not frame:
            self._frames.pop()
        frame.at += 1
        return frame.tokens[frame.at - 1]
