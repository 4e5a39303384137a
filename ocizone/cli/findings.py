"""Findings on a terminal or as JSON: the same for ``check`` and ``push``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Final

import click

from ocizone.cli.snippet import Snippets
from ocizone.errors import Problem, Severity
from ocizone.limits import KIB, MIB
from ocizone.observe.printable import printable

_COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
SCHEMA = "ocizone.check/v1"
_NO_SNIPPETS: Final[Snippets] = {}


def show(problems: Iterable[Problem], *, err: bool, below: Snippets = _NO_SNIPPETS) -> None:
    """Print findings, a line each, a line for the hint, and between them what they are about.

    Args:
        problems: in this order.
        err: on stderr.
        below: lines of source (cli.snippet).
    """
    for problem in problems:
        kind = click.style(f"{problem.severity}[{problem.rule}]", fg=_COLOUR[problem.severity])
        place = f"{printable(problem.where())}: " if problem.file else ""
        echo(f"{place}{kind}: {printable(problem.message)}", err=err)
        source = below.get(problem, ())
        for line in source:
            echo(line, err=err)
        if problem.hint:
            # Below the bar of the lines of source.
            echo(f"{'      ' if source else '   '}= {printable(problem.hint)}", err=err)


def as_json(problems: Iterable[Problem], zones: Iterable[dict[str, object]], tests: int = 0) -> str:
    """Return findings, zones and how many zone tests held as a JSON document."""
    found = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "severity": str(problem.severity),
            "rule": problem.rule,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]
    document = {"schema": SCHEMA, "findings": found, "zones": list(zones), "tests": tests}
    return json.dumps(document, indent=2)


def tally(problems: Iterable[Problem]) -> str:
    """Return ``1 error, 0 warnings``."""
    severities = [problem.severity for problem in problems]
    return ", ".join(
        amount(severities.count(one), one) for one in (Severity.ERROR, Severity.WARNING)
    )


def amount(count: int, word: str) -> str:
    """Return ``1 zone``, ``1,204 records``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def and_tests(held: int) -> str:
    """Return ``, 3 zone tests`` for the end of a tally; of none, nothing."""
    return f", {amount(held, 'zone test')}" if held else ""


def octets(count: int) -> str:
    """Return a size as people read it: ``512 B``, ``18.2 KiB``."""
    if count < KIB:
        return f"{count} B"
    size, unit = (count / KIB, "KiB") if count < MIB else (count / MIB, "MiB")
    return f"{size:,.1f} {unit}"


def echo(text: str, *, err: bool) -> None:
    """Print a line; colour only on a terminal, and never under NO_COLOR (no-color.org)."""
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)
