"""Collecting findings: bounded, and safe to print whatever the input was.

One collector serves one compile or check. Errors and warnings are bounded apart, so that a
flood of warnings never hides the error that refuses. Not here: what is wrong (the checkers say).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ocizone.errors import Problem, Severity
from ocizone.limits import ARCHIVE_PATH_OCTETS, PROBLEMS, SHOWN_CHARACTERS


def shown(text: bytes | str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return hostile text as one line of printable ASCII, cut to ``limit`` characters.

    Octets are read as UTF-8 where they are; everything outside printable ASCII is written as
    a backslash escape, so that no terminal or log sees a control character.
    """
    decoded = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    cut = decoded[:limit]
    if cut.isascii() and cut.isprintable():
        safe = cut
    else:
        safe = "".join(
            char
            if char.isascii() and char.isprintable()
            else char.encode("unicode_escape", "backslashreplace").decode("ascii")
            for char in cut
        )
    return safe + "..." if len(decoded) > limit else safe


def shown_path(path: str) -> str:
    """Return a path as findings name a file: whole, where an artifact may hold it at all."""
    return shown(path, ARCHIVE_PATH_OCTETS)


@dataclass(slots=True)
class Findings:
    """A bounded list of Problems.

    Attributes:
        limit: how many errors, and how many warnings, are kept.
    """

    limit: int = PROBLEMS
    _kept: dict[Severity, list[Problem]] = field(
        default_factory=lambda: {severity: [] for severity in Severity}
    )
    _left_out: dict[Severity, int] = field(default_factory=dict)

    def error(
        self, file: str, line: int, column: int, rule: str, message: str, hint: str = ""
    ) -> None:
        """Add a finding that refuses; arguments as in Problem."""
        self.add(Problem(file, line, column, Severity.ERROR, rule, message, hint))

    def warning(
        self, file: str, line: int, column: int, rule: str, message: str, hint: str = ""
    ) -> None:
        """Add a finding that only tells; arguments as in Problem."""
        self.add(Problem(file, line, column, Severity.WARNING, rule, message, hint))

    def add(self, problem: Problem) -> None:
        """Add a finding, or count it when the limit is reached."""
        kept = self._kept[problem.severity]
        if len(kept) < self.limit:
            kept.append(problem)
        else:
            self._left_out[problem.severity] = self._left_out.get(problem.severity, 0) + 1

    @property
    def refused(self) -> bool:
        """Tell whether an error was found."""
        return bool(self._kept[Severity.ERROR])

    @property
    def full(self) -> bool:
        """Tell whether errors are no longer kept: a reader may as well stop."""
        return len(self._kept[Severity.ERROR]) >= self.limit

    def problems(self) -> tuple[Problem, ...]:
        """Return the findings sorted by place, and one line for those left out."""
        every = sorted(problem for kept in self._kept.values() for problem in kept)
        for severity, count in self._left_out.items():
            message = f"{count} more {severity}s are not listed"
            every.append(Problem("", 0, 0, severity, "more-findings", message))
        return tuple(every)
