"""The line of source below a finding, and its caret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocizone.cli.snippet import snippets
from ocizone.errors import Problem, Severity
from ocizone.limits import SNIPPET_CHARACTERS


def problem(file: Path | str, line: int = 1, column: int = 1, rule: str = "r") -> Problem:
    return Problem(str(file), line, column, Severity.ERROR, rule, "wrong")


def below(path: Path, text: bytes, line: int, column: int) -> tuple[str, ...]:
    path.write_bytes(text)
    one = problem(path, line, column)
    return snippets([one]).get(one, ())


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        (b"a\nb A x\nc\n", 2, 5, ("    2 | b A x", "      |     ^")),
        (b"b A x", 1, 1, ("    1 | b A x", "      | ^")),
        (b"b A x\r\n", 1, 0, ("    1 | b A x",)),
        # One column a character, whatever it is; nothing that drives a terminal.
        (b"\tA x\n", 1, 4, ("    1 |  A x", "      |    ^")),
        (b"\x1b[2Jx\xff y\n", 1, 7, ("    1 |  [2Jx\ufffd y", "      |       ^")),
        ("\u202eb A\n".encode(), 1, 2, ("    1 |  b A", "      |  ^")),
        # At the end of an entry that stops too early.
        (b"b A\n", 1, 4, ("    1 | b A", "      |    ^")),
        (b"\n", 1, 1, ("    1 |", "      | ^")),
        (b"a\n", 2, 1, ()),
        (b"a\n", 0, 0, ()),
    ],
)
def test_a_line(tmp_path: Path, text: bytes, line: int, column: int, shown: tuple[str]) -> None:
    """As it is, with the caret under its column."""
    assert below(tmp_path / "f", text, line, column) == shown


def test_a_long_line(tmp_path: Path) -> None:
    """As much as a terminal shows, the place in it."""
    text = b"a" * 5_000 + b"X" + b"b" * 5_000
    source, caret = below(tmp_path / "f", text, 1, 5_001)
    assert len(source) == len("    1 | ") + SNIPPET_CHARACTERS
    assert source[caret.index("^")] == "X"


def test_several_of_one_file(tmp_path: Path) -> None:
    """Each has its own."""
    path = tmp_path / "f"
    path.write_text("one\ntwo\nthree\n")
    those = [problem(path, line) for line in (3, 1)]
    assert [snippets(those)[one][0] for one in those] == ["    3 | three", "    1 | one"]


def test_what_is_not_shown(tmp_path: Path) -> None:
    """What is no file on disk, and what a finding calls a secret."""
    (tmp_path / "key").write_text("-----BEGIN\n")
    os.mkfifo(tmp_path / "pipe")
    hidden = [
        problem(tmp_path / "key", rule="secret"),
        problem(tmp_path / "pipe"),
        problem(tmp_path / "gone"),
        problem(tmp_path),
        problem("localhost:5000/zones:prod"),
        problem("nul\0"),
    ]
    assert not snippets(hidden)


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding is shown all the same."""
    path = tmp_path / "f"
    path.write_text("a\n")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    assert not snippets([problem(path)])
