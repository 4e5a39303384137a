"""One occurrence of a directive, read by its declaration: words counted, properties parsed.

Every mistake of the occurrence is reported, in CoreDNS' words. Words on the line of a secret
property are never shown: a forgotten quote must not print half a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ocizone.corefile.directive import (
    BadArgumentError,
    Declaration,
    Given,
    Property,
    Setting,
    Use,
)
from ocizone.corefile.lexer import Token
from ocizone.corefile.parser import Occurrence
from ocizone.corefile.report import Report, did_you_mean


def read(declared: Declaration, occurrence: Occurrence, report: Report) -> Use | None:
    """Return an occurrence with its properties parsed; None when it is wrong, which is reported."""
    given = Given(declared.name, occurrence.name, occurrence.args, report)
    counted = _check_arguments(declared, given)
    settings = _settings(declared, given, occurrence.body or ())
    if settings is None or not counted:
        return None
    return Use(declared, given, tuple(settings))


def refuse(given: Given, error: BadArgumentError) -> None:
    """Report a bad argument at its word."""
    at = error.at or (given.words[0] if given.words else given.name)
    given.report.error(at, error.rule, f"plugin/{given.plugin}: {error}", error.hint)


def _check_arguments(declared: Declaration, given: Given) -> bool:
    needed = sum(argument.required for argument in declared.arguments)
    many = declared.surplus or any(argument.many for argument in declared.arguments)
    hint = f"write '{declared.synopsis}'"
    if len(given.words) < needed:
        _refuse_count(given, given.words[-1] if given.words else given.name, hint)
        return False
    if len(given.words) > len(declared.arguments) and not many:
        _refuse_count(given, given.words[len(declared.arguments)], hint)
        return False
    return True


def _settings(declared: Declaration, given: Given, body: Sequence[Token]) -> list[Setting] | None:
    """Return the block's properties; None when one is wrong, all of them reported.

    A property takes its words and the next one may follow on its line, as in CoreDNS.
    """
    known = {one.name: one for one in declared.properties}
    settings: list[Setting] = []
    wrong = False
    row, secret = -1, False
    before: Property[Any] | None = None
    at = 0
    while at < len(body):
        token = body[at]
        if token.row != row:
            row, secret, before = token.row, False, None
        found = None if _is_brace(token) else known.get(token.text)
        if found is None:
            wrong = True
            _refuse_name(declared, given, token, before, shown=not secret)
            at = _next_row(body, at)
            continue
        secret, before = secret or found.secret, found
        words = _words(body, at + 1, row, found.most)
        at += 1 + len(words)
        setting = _set(found, Given(given.plugin, token, words, given.report))
        if setting is None:
            wrong = True
            at = _next_row(body, at - 1)
        else:
            settings.append(setting)
    return None if wrong else settings


def _set(declared: Property[Any], given: Given) -> Setting | None:
    if len(given.words) < declared.least:
        _refuse_count(given, given.name, f"write '{declared.name} {declared.takes}'")
        return None
    try:
        return Setting(declared, declared.parse(given), given.name)
    except BadArgumentError as error:
        refuse(given, error)
        return None


def _refuse_name(
    declared: Declaration,
    given: Given,
    token: Token,
    before: Property[Any] | None,
    *,
    shown: bool,
) -> None:
    """Report a word that is no property of this directive."""
    names = [one.name for one in declared.properties]
    prefix = f"plugin/{declared.name}: "
    if _is_brace(token) or not names:
        given.report.error(
            token,
            "unexpected-brace",
            f"{prefix}Unexpected token '{{', expecting argument",
            "blocks do not nest" if names else f"{declared.name} takes no block",
        )
    elif before is not None:
        given.report.error(
            token,
            "argument-count",
            f"{prefix}Wrong argument count or unexpected line ending after"
            f" '{token.shown if shown else '***'}'",
            f"{before.name} takes {before.takes or 'no argument'}",
        )
    else:
        given.report.error(
            token,
            "unknown-property",
            f"{prefix}unknown property '{token.shown}'",
            did_you_mean(token.shown, names) or f"known: {', '.join(names)}",
        )


def _refuse_count(given: Given, at: Token, hint: str) -> None:
    message = f"Wrong argument count or unexpected line ending after '{at.shown}'"
    given.report.error(at, "argument-count", f"plugin/{given.plugin}: {message}", hint)


def _is_brace(token: Token) -> bool:
    return token.is_brace("{") or token.is_brace("}")


def _words(body: Sequence[Token], start: int, row: int, most: int | None) -> tuple[Token, ...]:
    """Return the words from ``start`` on this row, at most ``most``, up to a brace."""
    end = start
    while (
        end < len(body)
        and body[end].row == row
        and (most is None or end - start < most)
        and not _is_brace(body[end])
    ):
        end += 1
    return tuple(body[start:end])


def _next_row(body: Sequence[Token], at: int) -> int:
    """Return the index of the first token on a later row, past a nested block."""
    row = body[at].row
    depth = 0
    while at < len(body) and (depth or body[at].row == row):
        depth += body[at].is_brace("{") - body[at].is_brace("}")
        row = body[at].row
        at += 1
    return at
