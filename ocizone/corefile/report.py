"""Findings on the way from text to values: collected, each once, and raised together at the end."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Protocol

from ocizone.errors import ConfigError, Problem, Severity
from ocizone.limits import PROBLEMS


class Place(Protocol):
    """Anything with a place in a file: a token, most often."""

    @property
    def file(self) -> str:
        """Return the file as positions name it."""

    @property
    def line(self) -> int:
        """Return the 1-based line; 0 for the whole file."""

    @property
    def column(self) -> int:
        """Return the 1-based column; 0 when unknown."""


class Report:
    """The findings so far. A snippet imported five times reports its mistake once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, int, str], Problem] = {}

    def error(self, at: Place, rule: str, message: str, hint: str = "") -> None:
        """Add what refuses the Corefile."""
        self._add(Problem(at.file, at.line, at.column, Severity.ERROR, rule, message, hint))

    def warning(self, at: Place, rule: str, message: str, hint: str = "") -> None:
        """Add what the operator should know."""
        self._add(Problem(at.file, at.line, at.column, Severity.WARNING, rule, message, hint))

    def _add(self, problem: Problem) -> None:
        key = (problem.file, problem.line, problem.column, problem.message)
        self._found.setdefault(key, problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the findings, sorted by place; at most limits.PROBLEMS."""
        return tuple(sorted(self._found.values())[:PROBLEMS])

    def raise_errors(self) -> None:
        """Raise what was found if any of it is an error.

        Raises:
            ConfigError: with every finding, warnings among them.
        """
        if any(problem.severity is Severity.ERROR for problem in self._found.values()):
            raise ConfigError(self.problems)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint that names the nearest known word, or ""."""
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.7)
    return f"did you mean '{near[0]}'?" if near else ""
