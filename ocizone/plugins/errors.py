"""``errors``: log what went wrong while answering; consolidate repeated lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ocizone.corefile.arguments import parse_duration, regexp, switch
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)


@dataclass(frozen=True, slots=True)
class Consolidate:
    """Errors matching ``regexp`` become one line each ``period_s`` seconds."""

    period_s: float
    regexp: str
    level: Literal["warning", "error", "info", "debug"]
    show_first: bool


@dataclass(frozen=True, slots=True)
class Errors:
    """Error logging is on for the block."""

    stacktrace: bool
    consolidate: tuple[Consolidate, ...]


_Level = Literal["warning", "error", "info", "debug"]


def _level(word: str) -> _Level | None:
    match word:
        case "warning" | "error" | "info" | "debug":
            return word
        case _:
            return None


def _consolidate(given: Given) -> Consolidate:
    """Parse ``DURATION REGEXP [LEVEL] [show_first]``."""
    period, pattern, *options = given.words
    try:
        seconds = parse_duration(period.text)
    except ValueError as error:
        raise BadArgumentError(str(error), "a duration is 30s, 5m or 1h30m") from error
    if seconds <= 0:
        raise BadArgumentError(f"invalid duration: {period.shown}", "it must be positive")
    found: _Level | None = None
    if options:
        found = _level(options[0].text)
    rest = options[1:] if found else options
    show_first = [word.text for word in rest] == ["show_first"]
    if rest and not show_first:
        raise BadArgumentError(
            f"unknown option in consolidate: {rest[0].shown}",
            "after the regexp: [warning|error|info|debug] [show_first]",
            at=rest[0],
        )
    expression = regexp(Given(given.plugin, given.name, (pattern,), given.report))
    return Consolidate(seconds, expression, found or "error", show_first)


def _target(given: Given) -> None:
    if given.text != "stdout":
        raise BadArgumentError(
            f"invalid log file: {given.words[0].shown}", "write stdout, or nothing"
        )


TARGET = Argument("stdout", _target, "The only target there is.", default="stdout")
STACKTRACE = Property(
    "stacktrace",
    "",
    switch,
    "Nothing more: the traceback of an internal error is always logged.",
    least=0,
    most=0,
)
CONSOLIDATE = Property(
    "consolidate",
    "DURATION REGEXP [LEVEL] [show_first]",
    _consolidate,
    "Log errors that match as one line a DURATION, at LEVEL (warning, error, info or debug),"
    " the first one at once with `show_first`.",
    least=2,
    most=4,
)


def _build(use: Use, _scope: Scope) -> list[Errors]:
    use.argument(TARGET)
    return [Errors(bool(use.every(STACKTRACE)), use.every(CONSOLIDATE))]


DIRECTIVE = Directive(
    "errors",
    "*errors* logs what went wrong while a query was answered.",
    (TARGET,),
    (STACKTRACE, CONSOLIDATE),
    build=_build,
    once=True,
)
