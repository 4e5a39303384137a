"""The source line a finding is about, with a caret under its place.

Of zone files on disk alone: a line of a Corefile may hold a password, and a terminal's output is
what people paste. Not here: the finding itself (cli.findings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from ocizone.errors import Problem
from ocizone.limits import SNIPPET_CHARACTERS

#: Lines to print below a finding.
Snippets = Mapping[Problem, tuple[str, ...]]


def snippets(problems: Iterable[Problem]) -> Snippets:
    """Return what to show below findings; each file is read once, one that cannot be is left out."""
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.line and problem.rule != "secret":
            by_file.setdefault(problem.file, []).append(problem)
    found: dict[Problem, tuple[str, ...]] = {}
    for file, those in by_file.items():
        lines = _lines(Path(file), {problem.line for problem in those})
        found |= {
            problem: _shown(lines[problem.line], problem)
            for problem in those
            if problem.line in lines
        }
    return found


def _lines(path: Path, wanted: set[int]) -> dict[int, str]:
    """Return lines of a file by number; without their ends."""
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            return {
                number: line.decode("utf-8", "replace").rstrip("\r\n")
                for number, line in enumerate(islice(file, max(wanted)), 1)
                if number in wanted
            }
    except (OSError, ValueError):
        return {}


def _shown(line: str, problem: Problem) -> tuple[str, ...]:
    """Return the line and its caret: one column a character, whatever it is."""
    start = max(0, problem.column - SNIPPET_CHARACTERS)
    part = line[start : start + SNIPPET_CHARACTERS]
    text = "".join(char if char.isprintable() else " " for char in part)
    first = f"{problem.line:>5} | {text}".rstrip()
    if not problem.column:
        return (first,)
    return first, f"      | {' ' * (problem.column - 1 - start)}^"
