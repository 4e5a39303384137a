"""Findings are bounded, sorted, and safe to print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.cli.findings import show
from ocizone.errors import Problem, Severity
from ocizone.findings import Findings, shown
from ocizone.limits import SHOWN_CHARACTERS


@given(st.one_of(st.text(), st.binary()))
def test_shown_is_one_line_of_printable_ascii(text: str | bytes) -> None:
    """Law: nothing hostile survives, whatever came in."""
    safe = shown(text)
    assert safe.isascii()
    assert safe == "" or safe.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("db.example.org", "db.example.org"),
        (b"a\x1b[31m", "a\\x1b[31m"),
        (b"\xff\xc3\xa9", "\\xff\\xe9"),
        ("\udcff\u202e", "\\udcff\\u202e"),
        ("x" * (SHOWN_CHARACTERS + 1), "x" * SHOWN_CHARACTERS + "..."),
    ],
)
def test_shown(text: str | bytes, expected: str) -> None:
    """Escapes look as in Python; what is cut says so."""
    assert shown(text) == expected


def test_warnings_do_not_crowd_out_errors() -> None:
    """Each severity has its own bound; what is left out is counted, and still refuses."""
    findings = Findings(2)
    for line in range(9, 0, -1):
        findings.warning("db", line, 1, "w", "warn")
    assert (findings.refused, findings.full) == (False, False)
    for line in range(3):
        findings.error("db", line + 20, 1, "e", "err")
    assert (findings.refused, findings.full) == (True, True)
    problems = findings.problems()
    assert [problem.line for problem in problems] == [8, 9, 20, 21, 0, 0]
    assert {(problem.severity, problem.message) for problem in problems[4:]} == {
        (Severity.WARNING, "7 more warnings are not listed"),
        (Severity.ERROR, "1 more errors are not listed"),
    }


@pytest.mark.parametrize(
    ("file", "line", "column", "place"),
    [
        ("db.org", 3, 9, "db.org:3:9: "),
        ("db.org", 3, 0, "db.org:3: "),
        ("db.org", 0, 9, "db.org: "),
        ("", 0, 0, ""),
    ],
)
def test_a_finding_begins_with_its_place(file, line, column, place, capsys):
    """As much as is known; one about the artifact as a whole has none, and no colon for it."""
    problem = Problem(file, line, column, Severity.ERROR, "type-not-allowed", "no zone type")
    assert str(problem) == f"{place}error[type-not-allowed]: no zone type"
    show([problem], err=False)
    assert capsys.readouterr().out == f"{problem}\n"
