"""What an operator's verb came to, as the result of the control API: done or not, and why. Pure."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit, exit_code_of_reason
from ocizone.errors import Problem
from ocizone.follow.status import LookResult, Outcome, VerbRefused
from ocizone.follow.verbs import Done

_GOOD = {Outcome.UNCHANGED, Outcome.ACTIVATED}


async def told_of(verb: str, name: str, work: Awaitable[Done]) -> VerbResult:
    """Return the result of a verb about one source, once it is done."""
    return together([one_of(verb, name, await work)])


def one_of(verb: str, name: str, done: Done) -> tuple[bool, Exit, dict[str, Any]]:
    """Return whether it is done, the exit status, and what the result says of a source."""
    if isinstance(done, VerbRefused):
        return False, Exit.FAILED, {"name": name, "outcome": "not-done", "message": done.why}
    good = done.outcome in _GOOD or (verb == "suspend" and done.outcome is Outcome.SUSPENDED)
    shown = {
        "name": name,
        "digest": done.digest,
        "outcome": str(done.outcome),
        "reason": done.failure.reason if done.failure else "",
        "message": _message(verb, done),
        "problems": [_problem(problem) for problem in done.problems],
    }
    return good, Exit.OK if good else _exit(done), shown


def _exit(done: LookResult) -> Exit:
    if done.outcome is Outcome.HELD:
        return Exit.HELD
    reason = done.failure.reason if done.failure else ""
    return exit_code_of_reason(reason)


#: Verbs that are done before the look that follows them, and what is said of them then.
_DONE = {"unpin": "unpinned", "resume": "resumed", "approve": "approved"}


def _message(verb: str, done: LookResult) -> str:
    if done.failure is not None:
        said = done.failure.message.partition("\n")[0]
        return f"{_DONE[verb]}, but: {said}" if verb in _DONE else said
    match done.outcome:
        case Outcome.SUSPENDED:
            return "suspended; `ocizone resume` lets it look again"
        case Outcome.ACTIVATED:
            return f"serves {done.digest}"
        case Outcome.UNCHANGED:
            return f"serves {done.digest} already"
        case _:
            return str(done.outcome)


def together(found: list[tuple[bool, Exit, dict[str, Any]]]) -> VerbResult:
    """Return the result of a verb about several sources."""
    good = [one for one in found if one[0]]
    bad = [one for one in found if not one[0]]
    shown = tuple(one[2] for one in found)
    message = "; ".join(f"{one[2]['name']}: {one[2]['message']}" for one in bad or found)
    if not bad:
        return VerbResult(True, Exit.OK, message, shown)
    return VerbResult(False, Exit.PARTIAL if good else bad[0][1], message, shown)


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "where": problem.where(),
        "severity": str(problem.severity),
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
    }
