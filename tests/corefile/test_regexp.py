"""Regular expressions: RE2's, made Python's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.regexp import BadRegexpError, translate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"db\.(.*)", r"db\.(.*)"),
        ("", ""),
        ("a$", r"a\Z"),
        ("(?m)a$", "(?m)a$"),
        ("(?im)a", "(?aim)a"),
        ("(?mm)a", "(?m)a"),
        (r"a\z", r"a\Z"),
        (r"\Aa", r"\Aa"),
        (r"\d+", r"(?a)\d+"),
        (r"[\w-]+", r"(?a)[\w-]+"),
        ("(?<name>x)", "(?P<name>x)"),
        ("(?P<name>x)", "(?P<name>x)"),
        ("(?:x)", "(?:x)"),
        ("(?i:x)", "(?a)(?i:x)"),
        ("(?s-i:x)", "(?a)(?s-i:x)"),
        (r"\Qa.b\Ec", r"a\.bc"),
        (r"\Qa.b", r"a\.b"),
        (r"\x41\x{1F600}", "\\U00000041\\U0001f600"),
        (r"[^]a]", r"[^\]a]"),
        ("[a[&|~]", r"[a\[\&\|\~]"),
        ("[$.]", "[$.]"),
        (r"\t\/\-", r"\t\/\-"),
        ("a*?b+?c{2,3}?", "a*?b+?c{2,3}?"),
    ],
)
def test_translated(text: str, expected: str) -> None:
    """What the two spell alike stays as it is."""
    assert translate(text) == expected


@pytest.mark.parametrize(
    ("text", "subject", "found"),
    [
        ("^a$", "a\n", False),
        (r"^\d$", "\u0661", False),
        (r"^\w$", "\u00e9", False),
        ("^(?i:k)$", "\u212a", False),
        ("(?i)^DB$", "db", True),
        ("(?s)a.b", "a\nb", True),
        ("a.b", "a\nb", False),
        (r"^[\x{61}-c]$", "b", True),
        (r"^\Q(x)\E$", "(x)", True),
    ],
)
def test_finds_what_re2_finds(text: str, subject: str, *, found: bool) -> None:
    """`$` is the end of the text, classes are ASCII, as in Go."""
    assert bool(re.search(translate(text), subject)) is found


@pytest.mark.parametrize(
    "text",
    [
        "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?#a)", "(?(1)a)", "(?P=n)", "(?P>n)",
        r"(a)\1", r"\Z", r"\G", r"\pN", r"\N{DASH}", r"\C", "a*+", "a++", "a?+", "a{2}+", "a{2,}+",
        "a(?i)b", "(?m:a$)", "(?U)a", "(?a)b", "(?L:a)", "(", "a)", "[a", "[[:alpha:]]", "a**", "*",
        r"\x{110000}", r"\xg", "\\", r"[\b]", r"[\z]", r"[\A]", "[b-a]", "a{2,1}", "(?P<1>a)", "\\\u00e9",
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    """What RE2 does not know, or neither understands."""
    with pytest.raises(BadRegexpError):
        translate(text)


def test_too_large() -> None:
    """CoreDNS' bound and word."""
    translate("a" * 10_000)
    with pytest.raises(BadRegexpError, match=r"^regexp too large$"):
        translate("a" * 10_001)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=r"ab1()[]{}?*+|^$\.-:<>=!PimsQEzdwx&~# ", max_size=16))
def test_any_text_is_translated_or_refused(text: str) -> None:
    """What comes out always compiles, without a warning; nothing but BadRegexpError is raised."""
    try:
        pattern = translate(text)
    except BadRegexpError:
        return
    re.compile(pattern)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12).filter(lambda text: "\\E" not in text), st.text(max_size=3))
def test_quoted_text_finds_itself(text: str, around: str) -> None:
    r"""\Q...\E is the text itself."""
    assert re.search(translate(rf"\Q{text}\E"), around + text + around)
