"""The conformance vectors: what CoreDNS' parser does with a text, and where ocizone differs."""

from __future__ import annotations

import pytest

from ocizone.corefile.keys import split_key
from ocizone.corefile.lexer import tokenize
from ocizone.corefile.load import parse_text
from ocizone.corefile.report import Report
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError
from ocizone.plugins.errors import Errors
from ocizone.plugins.whoami import Whoami
from ocizone.wire.name import to_text


def parse(text: str, **environ: str) -> Corefile:
    return parse_text(text, environ=environ, cwd="/srv", read=_missing, glob=lambda _: [])


def _missing(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def keys(corefile: Corefile) -> list[str]:
    return [f"{to_text(key.zone)}:{key.port}" for block in corefile.blocks for key in block.keys]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org\nwhoami", ["example.org.:53"]),
        ("a.org, b.org {\nwhoami\n}", ["a.org.:53", "b.org.:53"]),
        ("a.org,\nb.org {\nwhoami\n}", ["a.org.:53", "b.org.:53"]),
        ("a.org\n{\nwhoami\n}", ["a.org.:53"]),
        ("a.org b.org:1053 {\nwhoami\n}", ["a.org.:53", "b.org.:1053"]),
        ("10.0.0.0/24 {\nwhoami\n}", ["0.0.10.in-addr.arpa.:53"]),
        ("2001:db8::/32:1053 {\nwhoami\n}", ["8.b.d.0.1.0.0.2.ip6.arpa.:1053"]),
        ('. {\n whoami\n}\n"" x.org {\nwhoami\n}', [".:53", "x.org.:53"]),
    ],
)
def test_key_lines(text: str, expected: list[str]) -> None:
    """A key list ends with its line unless a comma promises more; braces may follow on the next."""
    corefile = parse(text)
    assert keys(corefile) == expected
    assert all(block.get(Whoami) for block in corefile.blocks)


def test_environment_in_keys() -> None:
    """Both forms are expanded in keys."""
    assert keys(parse("{$Z}:{%P%} {\nwhoami\n}", Z="example.org", P="1053")) == [
        "example.org.:1053"
    ]


@pytest.mark.parametrize(
    ("key", "port"),
    [("https://.:8053", 8053), ("tls://x.org", 853), ("grpc://y.org", 443), ("dns://z.org", 53)],
)
def test_ports_of_schemes(key: str, port: int) -> None:
    """A scheme brings its port; one written on the key wins."""
    assert split_key(key, 53).port == port


def test_snippet() -> None:
    """A snippet's directives stand where it is imported."""
    assert parse("(s) {\nerrors\n}\n. {\nimport s\n}").blocks[0].get(Errors)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a.org, {", 1, "Expected another address but had '{' - check for extra comma"),
        ("a.org,", 1, "Unexpected EOF"),
        ("a.org\nb.org {\n}", 2, "Unknown directive 'b.org'"),
        (". { whoami }", 1, "Unexpected '}' because no matching opening brace"),
        (". {\n log {\n class error\n }\n", 1, "Unexpected EOF"),
        (". {\n nosuch\n}", 2, "Unknown directive 'nosuch'"),
        (":53 {\nwhoami\n}", 1, "zone is not a valid domain name: "),
        (
            "EXAMPLE.ORG {\n}\nexample.org {\n}",
            3,
            "cannot serve dns://example.org.:53 - it is already defined",
        ),
        ("import a b", 1, "Import takes only one argument (glob pattern or file)"),
        (
            "import /*/*.conf",
            1,
            "Glob pattern may only contain one wildcard (*), but has others: /*/*.conf",
        ),
        ("import {$}", 1, "File to import not found: {$}"),
        ("import zones/*.conf", 1, "No files matching import glob pattern: zones/*.conf"),
        ("import zones/*.conf", 0, "no server blocks in Corefile"),
    ],
)
def test_refused(text: str, line: int, message: str) -> None:
    """Mistakes are told in CoreDNS' words, each with its line."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert ("Corefile", line, message) in [
        (found.file, found.line, found.message) for found in caught.value.problems
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('"x y" ', ["x y"]),
        (r'"a \"q\" b"', ['a "q" b']),
        (r'"C:\d"', [r"C:\d"]),
        (r'"a\\b"', [r"a\\b"]),
        ('"foo"bar', ["foo", "bar"]),
        ('a"b c"', ['a"b', 'c"']),
        ('""', [""]),
        ("\ufeffa", ["a"]),
        ("a\rb\r\nc", ["ab", "c"]),
        ("a\x1cb\u3000c\x85d", ["a\x1cb", "c", "d"]),
        ("a # b\nc", ["a", "c"]),
        ("foo#bar baz\nc", ["foo", "c"]),
        ('"# {" }', ["# {", "}"]),
        ("example.org{ {}", ["example.org{", "{}"]),
        (r"db\.(.*)", [r"db\.(.*)"]),
        ("a\\\nb", ["a\\", "b"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    """Tokens are runs of text between spaces; quotes, escapes and comments as in caddy."""
    assert [token.text for token in tokenize(text, "Corefile", Report())] == tokens
