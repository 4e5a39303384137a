"""Findings on a terminal or as JSON: the same for ``check`` and ``push``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

import click

from ocizone.errors import Problem, Severity
from ocizone.limits import KIB, MIB
from ocizone.observe.printable import printable

_COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
SCHEMA = "ocizone.check/v1"


def show(problems: Iterable[Problem], *, err: bool) -> None:
    """Print findings, a line each and a line for the hint."""
    for problem in problems:
        kind = click.style(f"{problem.severity}[{problem.rule}]", fg=_COLOUR[problem.severity])
        echo(f"{printable(problem.where())}: {kind}: {printable(problem.message)}", err=err)
        if problem.hint:
            echo(f"   = {printable(problem.hint)}", err=err)


def as_json(problems: Iterable[Problem], zones: Iterable[dict[str, object]]) -> str:
    """Return findings and zones as a JSON document."""
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
    return json.dumps({"schema": SCHEMA, "findings": found, "zones": list(zones)}, indent=2)


def tally(problems: Iterable[Problem]) -> str:
    """Return ``1 error, 0 warnings``."""
    severities = [problem.severity for problem in problems]
    return ", ".join(
        amount(severities.count(one), one) for one in (Severity.ERROR, Severity.WARNING)
    )


def amount(count: int, word: str) -> str:
    """Return ``1 zone``, ``1,204 records``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def octets(count: int) -> str:
    """Return a size as people read it: ``512 B``, ``18.2 KiB``."""
    if count < KIB:
        return f"{count} B"
    size, unit = (count / KIB, "KiB") if count < MIB else (count / MIB, "MiB")
    return f"{size:,.1f} {unit}"


def echo(text: str, *, err: bool) -> None:
    """Print a line; colour only on a terminal, and never under NO_COLOR (no-color.org)."""
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)
