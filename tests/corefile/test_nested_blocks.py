"""Properties with properties of their own: the block opens on their line."""

from __future__ import annotations

from ocizone.corefile.arguments import switch, text
from ocizone.corefile.directive import (
    BadArgumentError,
    Declaration,
    Given,
    Property,
)
from ocizone.corefile.parser import parse_blocks
from ocizone.corefile.reading import read
from ocizone.corefile.report import Report
from ocizone.corefile.sources import World
from ocizone.corefile.stream import TokenStream
from ocizone.plugins.docs import table

KEY = Property(
    "key", "FILE...", lambda given: tuple(w.text for w in given.words), "Keys.", most=None
)
POLICY = Property("policy", "WORD", text, "What then.", default="require")
PIN = Property("pin", "NUMBER", text, "Not to be shown.", secret=True)


def _verify(given: Given) -> tuple[object, ...]:
    if given.braced and not given.settings:
        raise BadArgumentError("an empty block says nothing")
    return (given.braced, given.every(KEY), given.value(POLICY), given.last(PIN))


VERIFY = Property(
    "verify",
    "{ ... }",
    _verify,
    "Whom to trust.",
    least=0,
    most=0,
    properties=(KEY, POLICY, PIN),
)
PATH = Property("path", "PATH", text, "Where.")
FLAG = Property("flag", "", switch, "On.", least=0, most=0)
SECRET = Property("password", "WORD", text, "Hidden.", secret=True)
DECLARED = Declaration("it", "*it* is made up.", (), (VERIFY, PATH, FLAG, SECRET))
NO_FILES = World(lambda _: "", lambda _: [], {}, "/")


def settings(text: str, declared: Declaration = DECLARED) -> list[tuple[str, object]] | list[str]:
    """Return (name, value) of each property, or the messages of what is wrong."""
    report = Report()
    (block,) = parse_blocks(TokenStream(f". {{\n{text}\n}}", "F", NO_FILES, report), report)
    use = read(declared, block.uses[0], report)
    if report.problems:
        assert use is None
        return [
            f"{one.line}: {one.message.removeprefix('plugin/it: ')}"
            + (f" ({one.hint})" if one.hint else "")
            for one in report.problems
        ]
    assert use is not None
    return [(one.declared.name, one.value) for one in use.settings]


FULL = ("verify", (True, (("a", "b"), ("c",)), "warn", None))


def test_lines_of_the_inner_block():
    """Each line is a property of the property; those of the outer block go on after it."""
    assert settings("it {\nverify {\nkey a b\nkey c\npolicy warn\n}\npath x\n}") == [
        FULL,
        ("path", "x"),
    ]


def test_one_line():
    """Braces are words: all of it may stand on one line, and more after it."""
    assert settings("it { verify { policy warn key a b } flag path x }") == [
        ("verify", (True, (("a", "b"),), "warn", None)),
        ("flag", True),
        ("path", "x"),
    ]
    assert settings("it {\npath x verify {\nkey a b\nkey c policy\npolicy warn }\nflag\n}") == [
        ("path", "x"),
        ("verify", (True, (("a", "b"), ("c", "policy")), "warn", None)),
        ("flag", True),
    ]


def test_without_the_block():
    """It may be left out: what that means, the property's parser says."""
    assert settings("it {\nverify\nflag\n}") == [
        ("verify", (False, (), "require", None)),
        ("flag", True),
    ]


def test_mistakes_inside_are_told_with_the_rest():
    """Each at its line, and what follows the block is read."""
    assert settings("it {\nverify {\nkye a\nkey\npolicy x y\n}\nnosuch\npath\n}") == [
        "4: unknown property 'kye' (known: key, policy, pin)",
        "5: Wrong argument count or unexpected line ending after 'key' (write 'key FILE...')",
        "6: Wrong argument count or unexpected line ending after 'y' (policy takes WORD)",
        "8: unknown property 'nosuch' (known: verify, path, flag, password)",
        "9: Wrong argument count or unexpected line ending after 'path' (write 'path PATH')",
    ]
    assert settings("it {\nverify { } nosuch\nnosuch\n}") == [
        "3: an empty block says nothing",
        "3: Wrong argument count or unexpected line ending after 'nosuch' (verify takes { ... })",
        "4: unknown property 'nosuch' (known: verify, path, flag, password)",
    ]


def test_braces_in_the_wrong_place():
    """Only where a block is declared, and on its line; no third level."""
    only = "only verify may have a block here, opened on the same line"
    expecting = "Unexpected token '{', expecting argument"
    assert settings("it {\nverify\n{\nkey a\n}\nflag\n}") == [f"4: {expecting} ({only})"]
    assert settings("it {\nflag {\nkey a\n}\n}") == [f"3: {expecting} ({only})"]
    assert settings("it {\nverify {\npolicy x {\nkey a\n}\n}\n}") == [
        f"4: {expecting} (blocks do not nest)"
    ]
    bare = Declaration("it", "*it* has none.")
    assert settings("it {\nflag\n}", bare) == [f"3: {expecting} (it takes no block)"]


def test_a_block_that_never_ends():
    """The parser tells of it; reading what there is does no harm."""
    report = Report()
    (block,) = parse_blocks(TokenStream(". {\nit {\nverify {\nkye", "F", NO_FILES, report), report)
    assert read(DECLARED, block.uses[0], report) is None
    assert {one.rule for one in report.problems} == {"unexpected-eof", "unknown-property"}


def test_secrets_stay_hidden():
    """A word after a secret on its line may be half of it, also in the inner block and after it."""
    for written in (
        "it {\npassword ab verify { hunter2 }\n}",
        "it {\nverify { pin 1 hunter2 }\n}",
        "it {\nverify {\npin 1 hunter2\n}\n}",
        "it {\nverify { pin 1 } hunter2\n}",
    ):
        said = settings(written)
        assert len(said) == 1
        assert "hunter2" not in str(said)


def test_the_page_names_the_inner_properties():
    """Under the property they belong to."""
    rows = table(DECLARED).splitlines()
    assert "| `verify { policy }` | *WORD* | `require` | What then. |" in rows
