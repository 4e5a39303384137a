"""Tokens: places, environment, and the law that quoting loses nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.lexer import Token, expand, tokenize
from ocizone.corefile.report import Report


def lex(text: str) -> list[Token]:
    return tokenize(text, "F", Report())


def one(text: str, **environ: str) -> Token:
    (token,) = lex(text)
    return expand(token, environ)


def test_places() -> None:
    """Line and column are those of the first character; a row is a line that quotes do not end."""
    tokens = lex('a  b\r\n"x\n y" c\n\n d')
    assert [(t.text, t.line, t.column, t.row) for t in tokens] == [
        ("a", 1, 1, 0),
        ("b", 1, 4, 0),
        ("x\n y", 2, 1, 1),
        ("c", 3, 5, 1),
        ("d", 5, 2, 3),
    ]
    assert str(tokens[2].position) == "F:2"


def test_unterminated_quote() -> None:
    """An error at the opening quote; what follows is not guessed at."""
    report = Report()
    assert [t.text for t in tokenize('a\n "b\nc', "F", report)] == ["a"]
    ((problem),) = report.problems
    assert (problem.where(), problem.message) == ("F:2:2", "unterminated quoted string")


@pytest.mark.parametrize(
    ("text", "warned"),
    [("a#b", True), ("a #b", False), ('"a"#b', False), ("#b", False), ("a\n#b", False)],
)
def test_glued_comment(text: str, *, warned: bool) -> None:
    """A '#' that cuts a word is told about."""
    report = Report()
    tokenize(text, "F", report)
    assert [found.rule for found in report.problems] == ["comment-in-token"] * warned


def test_quoted_braces_are_text() -> None:
    """Only a bare brace is structural."""
    bare, quoted = lex('{ "{"')
    assert bare.is_brace("{")
    assert not quoted.is_brace("{")
    assert not bare.is_brace("}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{$A}", "1"),
        ("{%A%}", "1"),
        ("x{$A}y{%B%}z", "x1y2 3z"),
        ('"q {$A}"', "q 1"),
        ("{$LOOP}", "{$LOOP}"),
        ("{$}", "{$}"),
        ("{%%}", "{%%}"),
        ("{$A", "{$A"),
        ("{%A}", "{%A}"),
        ("{$PORT$}", "9"),
        ("{$NONE}", ""),
        ("{{$A}}", "{1}"),
        ("{$}{$A}", "{$}1"),
    ],
)
def test_environment(text: str, expected: str) -> None:
    """Expansion is once, inside a token; what is malformed stays."""
    environ = {"A": "1", "B": "2 3", "LOOP": "{$LOOP}", "PORT$": "9"}
    assert one(text, **environ).text == expected


def test_expanded_tokens() -> None:
    """A value is never a brace, is shown as written, and an unset name is noted."""
    token = one("{$BRACE}{$NONE}", BRACE="{")
    assert token.text == "{"
    assert not token.is_brace("{")
    assert token.shown == "{$BRACE}{$NONE}"
    assert token.unset == ("NONE",)
    assert one("plain").shown == "plain"


def test_repr_hides_the_text() -> None:
    """A token may be a password."""
    assert "hunter2" not in repr(one("hunter2"))
    assert "hunter2" not in repr(one("{$P}", P="hunter2"))


def quote(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


# A backslash before a quote, or at the end, cannot be written in quotes: only \" is an escape.
WORDS = st.lists(
    st.text(max_size=12).filter(lambda text: not re.search(r'\\("|\Z)', text)), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.sampled_from([" ", "\n", "\t\r\n", " # comment\n"]))
def test_quoted_words_lex_back(words: list[str], between: str) -> None:
    """Any list of words lexes back from its quoted rendering."""
    text = between.join(quote(word) for word in words)
    # A byte order mark at the very start of a file is not text; the quote before it keeps it.
    assert [token.text for token in lex(text)] == words


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='ab"\\{}$%#\r\n\t \u3000\x1c', max_size=40))
def test_bare_tokens_hold_no_space(text: str) -> None:
    """Any text lexes; bare tokens are not empty and hold no space of Go's."""
    for token in lex(text):
        assert token.literal or re.fullmatch(r"[^\t\n\v\f\r \x85\xa0\u3000]+", token.text)
        assert token.line <= text.count("\n") + 1
