"""What a verb came to, in words and as an exit status: the same for every control command."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import click

from ocizone.cli.exit_codes import Exit
from ocizone.control import ControlError, Where, as_object, ask, tell
from ocizone.limits import CONTROL_VERB_S
from ocizone.observe.printable import printable


def post(where: Where, verb: str, body: dict[str, Any], timeout_s: float = CONTROL_VERB_S) -> int:
    """Post a verb and tell what became of it; return the exit status.

    Args:
        where: the server.
        verb: of admin.verbs.
        body: empty values are left out: the server has defaults.
        timeout_s: for its answer.
    """
    sent = {key: value for key, value in body.items() if value not in ("", None, [])}
    code, answer = tell(where, f"/v1/{verb}", sent, timeout_s)
    return conclude(code, answer)


def conclude(code: int, answer: dict[str, Any]) -> int:
    """Print what a verb came to: done on stdout, anything else on stderr; return its status.

    A source that did not do it says so in a line of its own, with its findings below.
    """
    ok = bool(answer.get("ok")) and code < HTTPStatus.BAD_REQUEST
    said = str(answer.get("message") or "") or f"the server answers {code}"
    click.echo(printable(said), err=not ok)
    sources = answer.get("sources")
    if not ok and isinstance(sources, list):
        for source in sources:
            _tell_source(source, said)
    for one in answer.get("damaged") or ():
        click.echo(printable(f"  {one['path']}: {one['message']}"), err=True)
    return Exit.OK if ok else _status(code, answer)


def _tell_source(source: dict[str, Any], said: str) -> None:
    message = str(source.get("message") or "")
    # One source's message is what the whole says already.
    if message and message.partition("\n")[0] not in said:
        reason = source.get("reason") or source.get("outcome") or ""
        line = f"{source.get('name', '')}  {reason}: {message.partition(chr(10))[0]}"
        click.echo(printable(line), err=True)
    for problem in source.get("problems") or ():
        click.echo(f"  {problem_line(problem)}", err=True)


def problem_line(problem: dict[str, Any]) -> str:
    """Return a finding of a JSON document as one line."""
    hint = f" ({problem['hint']})" if problem.get("hint") else ""
    # A finding about the artifact as a whole has no place.
    place = f"{problem['where']}: " if problem["where"] else ""
    return printable(f"{place}{problem['severity']}[{problem['rule']}]: {problem['message']}{hint}")


def _status(code: int, answer: dict[str, Any]) -> int:
    if code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Exit.AUTHENTICATION
    given = answer.get("exit")
    return given if isinstance(given, int) and given in set(Exit) and given else Exit.FAILED


def document(where: Where, path: str) -> dict[str, Any]:
    """Return the JSON document of a page.

    Raises:
        ControlError: the server has none there; with its own words.
    """
    code, body = ask(where, path)
    found = as_object(body)
    if code != HTTPStatus.OK:
        said = found.get("message") or f"the server answers {code}"
        raise ControlError(str(said))
    return found
