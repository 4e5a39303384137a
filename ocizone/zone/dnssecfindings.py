"""Findings of the DNSSEC rules: at a record, under a policy, and not one for each of a million names."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ocizone.errors import Problem, Severity
from ocizone.findings import Findings
from ocizone.zone.record import Record

# Of a key that is gone every signature fails: the first few tell it, and a count the rest.
_SHOWN: Final = 10


class DnssecFindings:
    """Collects findings of DNSSEC rules."""

    def __init__(self, findings: Findings, *, refuse: bool) -> None:
        """Make it.

        Args:
            findings: where they go.
            refuse: False makes a warning of every error (``dnssec warn``).
        """
        self._findings = findings
        self._severity = Severity.ERROR if refuse else Severity.WARNING
        self._counts: Counter[tuple[Severity, str]] = Counter()
        self._last: dict[tuple[Severity, str], Problem] = {}

    def error(self, at: Record, rule: str, message: str, hint: str) -> None:
        """Add a finding that refuses the zone, unless the policy says that it warns."""
        self._add(Problem(at.file, at.line, at.column, self._severity, rule, message, hint))

    def warning(self, at: Record, rule: str, message: str, hint: str) -> None:
        """Add a finding that only tells."""
        self._add(Problem(at.file, at.line, at.column, Severity.WARNING, rule, message, hint))

    def _add(self, problem: Problem) -> None:
        kind = (problem.severity, problem.rule)
        self._counts[kind] += 1
        if self._counts[kind] <= _SHOWN:
            self._findings.add(problem)
        else:
            self._last[kind] = problem

    def close(self) -> None:
        """Tell how many findings of a rule are not listed, at the place of the last one."""
        for (severity, rule), last in self._last.items():
            count = self._counts[severity, rule] - _SHOWN
            message = f"{count} more like this, down to here: {last.message}"
            self._findings.add(
                Problem(last.file, last.line, last.column, severity, rule, message, last.hint)
            )
