"""Server blocks, directives and their blocks: what is told, and that parsing goes on after it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.load import parse_text
from ocizone.corefile.parser import RawBlock, parse_blocks
from ocizone.corefile.report import Report
from ocizone.corefile.sources import World
from ocizone.corefile.stream import TokenStream
from ocizone.errors import ConfigError

NO_OPENING = "Unexpected '}' because no matching opening brace"


def parse(text: str) -> tuple[list[RawBlock], list[tuple[int, str]]]:
    report = Report()
    stream = TokenStream(text, "F", World(_none, lambda _: [], {"EMPTY": ""}, "/"), report)
    blocks = parse_blocks(stream, report)
    assert stream.peek() is None
    return blocks, [(found.line, found.message) for found in report.problems]


def _none(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def shape(blocks: list[RawBlock]) -> list[tuple[list[str], list[object]]]:
    """Return keys and directives as plain words; None is a directive without braces."""
    return [
        (
            [key.text for key in block.keys],
            [
                (
                    use.name.text,
                    [arg.text for arg in use.args],
                    None if use.body is None else [token.text for token in use.body],
                )
                for use in block.uses
            ],
        )
        for block in blocks
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [(["a"], [])]),
        ("a b, c,\nd {\n}", [(["a", "b", "c", "d"], [])]),
        ("a , b {\n}", [(["a", "b"], [])]),
        (". { }", [(["."], [])]),
        (". { x\n}", [(["."], [("x", [], None)])]),
        ("a {\n} b {\n}", [(["a"], []), (["b"], [])]),
        ("a\nx 1 2\ny", [(["a"], [("x", ["1", "2"], None), ("y", [], None)])]),
        (
            ". {\nx 1 {\np q\nr\n}\ny\n}",
            [(["."], [("x", ["1"], ["p", "q", "r"]), ("y", [], None)])],
        ),
        (". {\nx { p q }\n}", [(["."], [("x", [], ["p", "q"])])]),
        (". {\nx { p {\n q\n}\n}\n}", [(["."], [("x", [], ["p", "{", "q", "}"])])]),
        ('. {\nx "{"\ny "}"\n}', [(["."], [("x", ["{"], None), ("y", ["}"], None)])]),
        ('. {\nx "a\nb" c\n}', [(["."], [("x", ["a\nb", "c"], None)])]),
        ("{$EMPTY} a {\n}", [(["a"], [])]),
    ],
)
def test_shapes(text: str, expected: list[object]) -> None:
    """What the grammar makes of a text without mistakes."""
    blocks, problems = parse(text)
    assert shape(blocks) == expected
    assert problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("}", [(1, NO_OPENING)]),
        ("a {\n}\n}\nb {\n}", [(3, NO_OPENING)]),
        ("a\nx\n}\n", [(3, NO_OPENING)]),
        ("a }\n", [(1, NO_OPENING)]),
        (". {\nx {\np\n}\n", [(1, "Unexpected EOF")]),
        (". {\nx {\np\n", [(1, "Unexpected EOF"), (2, "Unexpected EOF")]),
        ("{\nx\n}", [(1, "server block has no zone")]),
        ('"" {\nx\n}', [(1, "server block has no zone")]),
        (
            ". {\nx {\n} y z\n w\n}",
            [(3, "Wrong argument count or unexpected line ending after '}'")],
        ),
        (
            ". {\nx {\n} y {\np\n}\nw\n}",
            [(3, "Wrong argument count or unexpected line ending after '}'")],
        ),
        (
            ". {\nx {\n} {\np\n}\nw\n}",
            [(3, "Wrong argument count or unexpected line ending after '}'")],
        ),
        (". {\nx {\n}\n{\np\n}\nw\n}", [(4, "Unexpected token '{', expecting a directive")]),
        (". {\n{\np\n}\nw\n}", [(2, "Unexpected token '{', expecting a directive")]),
        (". {\nx\n{\np\n}\nw\n}", [(3, "Unexpected '{': the block of 'x' must open on its line")]),
        ("(s)\nx", [(1, "snippet (s) needs a block in braces")]),
        ("(s) {\nx", [(1, "Unexpected EOF")]),
        (
            "(s) {\n}\n(s) {\n}\n",
            [(3, "redeclaration of previously declared snippet s")],
        ),
        ("a,\n{\n}", [(2, "Expected another address but had '{' - check for extra comma")]),
        (
            "a,\nimport k {\n}",
            [
                (2, "Expected another address but had '{' - check for extra comma"),
                (2, "Import takes only one argument (glob pattern or file)"),
            ],
        ),
        ("a,\n,", [(2, "Unexpected EOF")]),
    ],
)
def test_mistakes(text: str, expected: list[tuple[int, str]]) -> None:
    """Each mistake is told once, at its line, in CoreDNS' words."""
    assert parse(text)[1] == expected


def test_parsing_goes_on() -> None:
    """One run shows every mistake, sorted by place."""
    text = ". {\nnosuch\n}\n}\nb {\n nope\n log {\n class x\n }\n}\n:53 {\n}\n"
    with pytest.raises(ConfigError) as caught:
        parse_text(text, environ={}, cwd="/")
    assert [(found.line, found.message) for found in caught.value.problems] == [
        (2, "Unknown directive 'nosuch'"),
        (4, NO_OPENING),
        (6, "Unknown directive 'nope'"),
        (8, "plugin/log: invalid Class: x"),
        (11, "zone is not a valid domain name: "),
    ]


PIECES = st.sampled_from(
    [
        ".",
        "a.org",
        "(",
        "(s)",
        ")",
        "import",
        "s",
        "{",
        "}",
        "{}",
        ",",
        '"',
        "#",
        "\\",
        "{$A}",
        "{%B%}",
        "{$}",
        ":53",
        "10.0.0.0/8",
        "::/0",
        "tls://",
        "https://x",
        "root",
        "file",
        "auto",
        "oci",
        "bind",
        "errors",
        "log",
        "acl",
        "health",
        "ready",
        "log",
        "forward",
        "nosuch",
        "block",
        "type",
        "net",
        "A",
        "*",
        "interval",
        "path",
        "url",
        "username",
        "password",
        "class",
        "consolidate",
        "5s",
        "-1",
        "1h",
        "directory",
        "db\\.(.*)",
        "(?=x)",
        "{1}",
        "x/*.conf",
        "../y",
        "\x00",
        "\ufeff",
        "\u3000",
        "\r",
    ]
)
TEXT = st.lists(st.tuples(PIECES, st.sampled_from([" ", "\n", ""])), max_size=40).map(
    lambda parts: "".join(word + after for word, after in parts)
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, st.text(max_size=60)))
def test_any_text_loads_or_is_refused(text: str) -> None:
    """Nothing but ConfigError ever comes out, and it always names a place."""
    try:
        corefile = parse_text(text, environ={"A": "x y"}, cwd="/", read=_none, glob=lambda _: [])
    except ConfigError as error:
        problems = error.problems
    else:
        problems = corefile.notices
        assert corefile.blocks
        assert all(block.keys for block in corefile.blocks)
    assert all(found.file == "Corefile" and found.message for found in problems)
