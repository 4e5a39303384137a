"""One occurrence of a directive, read by its declaration: words counted, properties parsed.

Every mistake of the occurrence is reported, in CoreDNS' words. Words on the line of a secret
property are never shown: a forgotten quote must not print half a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    body = occurrence.body
    settings = _Block(given, declared.name, declared.properties, body or ()).settings()
    if settings is None or not counted:
        return None
    return Use(declared, replace(given, settings=settings, braced=body is not None))


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


class _Block:
    """Reads the properties between two braces: of a directive, or of one of its properties."""

    def __init__(
        self,
        owner: Given,
        name: str,
        properties: Sequence[Property[Any]],
        body: Sequence[Token],
        *,
        row: int = -1,
        secret: bool = False,
    ) -> None:
        """Make it.

        Args:
            owner: what the block belongs to.
            name: of that.
            properties: it may have.
            body: between the braces.
            row: the opening brace is on; -1 for any.
            secret: no word of that row is shown.
        """
        self._owner = owner
        self._name = name
        self._known = {one.name: one for one in properties}
        self._body = body
        self._row = row
        self._secret = secret

    def settings(self) -> tuple[Setting, ...] | None:
        """Return them; None when one is wrong, all of them reported.

        A property takes its words and the next one may follow on its line, as in CoreDNS.
        """
        settings: list[Setting] = []
        wrong = False
        before: Property[Any] | None = None
        at = 0
        while at < len(self._body):
            token = self._body[at]
            if token.row != self._row:
                self._row, self._secret, before = token.row, False, None
            found = None if _is_brace(token) else self._known.get(token.text)
            if found is None:
                wrong = True
                self._refuse_name(token, before)
                at = _next_row(self._body, at)
                continue
            self._secret, before = self._secret or found.secret, found
            setting, at = self._read(found, at)
            if setting is None:
                wrong = True
            else:
                settings.append(setting)
        return None if wrong else tuple(settings)

    @property
    def last_row(self) -> tuple[int, bool]:
        """The row read last, and whether its words are secret."""
        return self._row, self._secret

    def _read(self, found: Property[Any], at: int) -> tuple[Setting | None, int]:
        """Return the property that begins here, None when it is wrong, and where to go on."""
        words = _words(self._body, at + 1, self._row, found.most)
        given = Given(self._owner.plugin, self._body[at], words, self._owner.report)
        end = at + 1 + len(words)
        opens = end < len(self._body) and self._body[end].is_brace("{")
        if not found.properties or not opens or self._body[end].row != self._row:
            setting = _set(found, given)
            return setting, end if setting else _next_row(self._body, end - 1)
        close = _closing(self._body, end)
        inner = _Block(
            given,
            found.name,
            found.properties,
            self._body[end + 1 : close],
            row=self._row,
            secret=self._secret,
        )
        settings = inner.settings()
        # What follows the closing brace is on a line with the last inner property.
        self._row, self._secret = inner.last_row
        if settings is None:
            return None, close + 1
        return _set(found, replace(given, settings=settings, braced=True)), close + 1

    def _refuse_name(self, token: Token, before: Property[Any] | None) -> None:
        """Report a word that is no property of this block."""
        names = list(self._known)
        prefix = f"plugin/{self._owner.plugin}: "
        report = self._owner.report
        shown = "***" if self._secret else token.shown
        if _is_brace(token) or not names:
            report.error(
                token,
                "unexpected-brace",
                f"{prefix}Unexpected token '{{', expecting argument",
                self._brace_hint(),
            )
        elif before is not None:
            report.error(
                token,
                "argument-count",
                f"{prefix}Wrong argument count or unexpected line ending after '{shown}'",
                f"{before.name} takes {before.takes or 'no argument'}",
            )
        else:
            report.error(
                token,
                "unknown-property",
                f"{prefix}unknown property '{shown}'",
                did_you_mean(token.shown, names) or f"known: {', '.join(names)}",
            )

    def _brace_hint(self) -> str:
        if not self._known:
            return f"{self._name} takes no block"
        nested = [one.name for one in self._known.values() if one.properties]
        if not nested:
            return "blocks do not nest"
        return f"only {' and '.join(nested)} may have a block here, opened on the same line"


def _set(declared: Property[Any], given: Given) -> Setting | None:
    if len(given.words) < declared.least:
        _refuse_count(given, given.name, f"write '{declared.name} {declared.takes}'")
        return None
    try:
        return Setting(declared, declared.parse(given), given.name)
    except BadArgumentError as error:
        refuse(given, error)
        return None


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


def _closing(body: Sequence[Token], at: int) -> int:
    """Return the index of the brace that closes the one at ``at``; the end without one."""
    depth = 0
    for index in range(at, len(body)):
        depth += body[index].is_brace("{") - body[index].is_brace("}")
        if not depth:
            return index
    return len(body)
