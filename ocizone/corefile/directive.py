"""A directive, declared once: its parser, its errors, its page's table and its help text.

A plugin module declares ``DIRECTIVE``; everything about its syntax comes from that value. What
a directive does is not here: it yields frozen values, which other parts read.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ocizone.corefile.lexer import Token
from ocizone.corefile.parser import Occurrence
from ocizone.corefile.report import Report, did_you_mean
from ocizone.corefile.types import Position

T = TypeVar("T")


class BadArgumentError(ValueError):
    """What stands there is not what the declaration asks for.

    Attributes:
        rule: of the Problem it becomes.
        hint: what to write instead, or "".
        at: the word at fault; None for the first one.
    """

    def __init__(
        self, message: str, hint: str = "", *, rule: str = "bad-argument", at: Token | None = None
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.hint = hint
        self.at = at


@dataclass(frozen=True, slots=True)
class Given:
    """Words to parse, and where warnings about them go.

    Attributes:
        plugin: the directive's name.
        name: the token before the words.
        words: what stands there.
    """

    plugin: str
    name: Token
    words: tuple[Token, ...]
    report: Report

    @property
    def text(self) -> str:
        """Return the first word."""
        return self.words[0].text

    def warn(self, rule: str, message: str, hint: str = "") -> None:
        """Tell the operator something about these words."""
        at = self.words[0] if self.words else self.name
        self.report.warning(at, rule, f"plugin/{self.plugin}: {message}", hint)

    def each(self, parse: Callable[[Given], T]) -> tuple[T, ...]:
        """Return every word, parsed on its own."""
        return tuple(
            parse(Given(self.plugin, self.name, (word,), self.report)) for word in self.words
        )


Parse = Callable[[Given], T]


@dataclass(frozen=True, slots=True)
class Argument(Generic[T]):
    """A word, or with ``many`` the rest of the words, on the directive's line.

    Attributes:
        name: in capitals, as pages show it.
        doc: one sentence.
        default: as it would be written; "" parses no words.
    """

    name: str
    parse: Parse[T]
    doc: str
    default: str = ""
    required: bool = False
    many: bool = False

    @property
    def synopsis(self) -> str:
        """Return ``NAME``, ``[NAME]`` or ``[NAME...]``."""
        text = self.name + ("..." if self.many else "")
        return text if self.required else f"[{text}]"


@dataclass(frozen=True, slots=True)
class Property(Generic[T]):
    """A line of a directive's block.

    Attributes:
        takes: its arguments, as pages show them.
        doc: one sentence.
        default: as it would be written; None when there is none.
        least: words it needs.
        most: words it takes at most; None for the rest of the line.
        secret: no word on its line is ever shown.
    """

    name: str
    takes: str
    parse: Parse[T]
    doc: str
    default: str | None = None
    least: int = 1
    most: int | None = 1
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A property as it was set, in the order written."""

    declared: Property[Any]
    value: Any
    token: Token


@dataclass(frozen=True, slots=True)
class Use:
    """One occurrence of a directive, its properties parsed."""

    directive: Declaration
    given: Given
    settings: tuple[Setting, ...]

    @property
    def position(self) -> Position:
        """Return where the directive stands."""
        return self.given.name.position

    def argument(self, declared: Argument[T]) -> T:
        """Return an argument's value, or its default's.

        Raises:
            BadArgumentError: it is not what the declaration asks for.
        """
        index = self.directive.arguments.index(declared)
        words = self.given.words[index:] if declared.many else self.given.words[index : index + 1]
        return declared.parse(
            self._given(words or _default_words(self.given.name, declared.default))
        )

    def value(self, declared: Property[T]) -> T:
        """Return a property's last value, or its default's."""
        values = self.every(declared)
        if values:
            return values[-1]
        assert declared.default is not None
        return declared.parse(self._given(_default_words(self.given.name, declared.default)))

    def last(self, declared: Property[T]) -> T | None:
        """Return a property's last value, or None when it is not set."""
        values = self.every(declared)
        return values[-1] if values else None

    def every(self, declared: Property[T]) -> tuple[T, ...]:
        """Return each value of a property, in the order written."""
        return tuple(item.value for item in self.settings if item.declared is declared)

    def _given(self, words: tuple[Token, ...]) -> Given:
        return Given(self.given.plugin, self.given.name, words, self.given.report)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a directive may know of its server block.

    Attributes:
        cwd: the working directory, absolute.
        root: what ``root`` says, absolute, or None.
        origins: the block's zones, each once, lower-case wire names.
    """

    cwd: str
    root: str | None
    origins: tuple[bytes, ...]

    def resolve(self, path: str) -> str:
        """Return a path made absolute from ``root``, else from the working directory."""
        return os.path.normpath(os.path.join(self.root or self.cwd, path))  # noqa: PTH118 - PurePath keeps ".."


@dataclass(frozen=True, slots=True)
class Declaration:
    """The syntax of a directive, and what pages say of it.

    Attributes:
        summary: one sentence, the first of its page.
        surplus: words beyond the arguments are left to ``build``.
    """

    name: str
    summary: str
    arguments: tuple[Argument[Any], ...] = ()
    properties: tuple[Property[Any], ...] = ()
    surplus: bool = False

    @property
    def synopsis(self) -> str:
        """Return the line a page shows, such as ``oci REPO [PATH] { ... }``."""
        words = [self.name, *(argument.synopsis for argument in self.arguments)]
        return " ".join(words) + (" { ... }" if self.properties else "")

    def read(self, occurrence: Occurrence, report: Report) -> Use | None:
        """Return an occurrence with its properties parsed; None when reported as wrong."""
        given = Given(self.name, occurrence.name, occurrence.args, report)
        counted = self._check_arguments(given)
        settings = self._settings(given, occurrence.body or ())
        if settings is None or not counted:
            return None
        return Use(self, given, tuple(settings))

    def _check_arguments(self, given: Given) -> bool:
        needed = sum(argument.required for argument in self.arguments)
        many = self.surplus or any(argument.many for argument in self.arguments)
        hint = f"write '{self.synopsis}'"
        if len(given.words) < needed:
            _refuse_count(given, given.words[-1] if given.words else given.name, hint)
            return False
        if len(given.words) > len(self.arguments) and not many:
            _refuse_count(given, given.words[len(self.arguments)], hint)
            return False
        return True

    def _settings(self, given: Given, body: Sequence[Token]) -> list[Setting] | None:
        """Return the block's properties; None when one is wrong, all of them reported.

        A property takes its words and the next may follow on its line, as in CoreDNS.
        """
        known = {declared.name: declared for declared in self.properties}
        settings: list[Setting] = []
        wrong = False
        at = 0
        row, secret = -1, False
        before: Property[Any] | None = None
        while at < len(body):
            token = body[at]
            secret = secret and token.row == row
            declared = None if token.is_brace("{") or token.is_brace("}") else known.get(token.text)
            if declared is None:
                wrong = True
                self._refuse_name(
                    given, token, before if token.row == row else None, shown=not secret
                )
                at = _next_row(body, at)
                continue
            row, secret, before = token.row, secret or declared.secret, declared
            words = _words(body, at + 1, token.row, declared.most)
            at += 1 + len(words)
            setting = _set(declared, Given(given.plugin, token, words, given.report))
            if setting is None:
                wrong = True
                at = _next_row(body, at - 1)
            else:
                settings.append(setting)
        return None if wrong else settings

    def _refuse_name(
        self, given: Given, token: Token, before: Property[Any] | None, *, shown: bool
    ) -> None:
        """Report a word that is no property of this directive."""
        prefix = f"plugin/{self.name}: "
        names = [declared.name for declared in self.properties]
        if token.is_brace("{") or token.is_brace("}") or not names:
            given.report.error(
                token,
                "unexpected-brace" if names else "argument-count",
                f"{prefix}Unexpected token '{{', expecting argument",
                "blocks do not nest" if names else f"{self.name} takes no block",
            )
        elif before is not None:
            text = token.shown if shown else "***"
            given.report.error(
                token,
                "argument-count",
                f"{prefix}Wrong argument count or unexpected line ending after '{text}'",
                f"{before.name} takes {before.takes or 'no argument'}",
            )
        else:
            hint = did_you_mean(token.shown, names) or f"known: {', '.join(names)}"
            given.report.error(
                token, "unknown-property", f"{prefix}unknown property '{token.shown}'", hint
            )


@dataclass(frozen=True, slots=True)
class Directive(Declaration):
    """A directive that works: a declaration, and what an occurrence yields.

    Attributes:
        build: returns the values of one occurrence; raises BadArgumentError.
        once: it may stand in a server block only once.
    """

    build: Callable[[Use, Scope], Iterable[object]] = field(kw_only=True)
    once: bool = False


def _words(body: Sequence[Token], start: int, row: int, most: int | None) -> tuple[Token, ...]:
    """Return the words from ``start`` on this row, at most ``most``, up to a brace."""
    end = start
    while (
        end < len(body)
        and body[end].row == row
        and (most is None or end - start < most)
        and not body[end].is_brace("{")
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


def _set(declared: Property[Any], given: Given) -> Setting | None:
    if len(given.words) < declared.least:
        hint = f"write '{declared.name} {declared.takes}'"
        _refuse_count(given, given.words[-1] if given.words else given.name, hint)
        return None
    try:
        return Setting(declared, declared.parse(given), given.name)
    except BadArgumentError as error:
        refuse(given, error)
        return None


def refuse(given: Given, error: BadArgumentError) -> None:
    """Report a bad argument at its word."""
    at = error.at or (given.words[0] if given.words else given.name)
    given.report.error(at, error.rule, f"plugin/{given.plugin}: {error}", error.hint)


def _refuse_count(given: Given, at: Token, hint: str) -> None:
    message = f"Wrong argument count or unexpected line ending after '{at.shown}'"
    given.report.error(at, "argument-count", f"plugin/{given.plugin}: {message}", hint)


def _default_words(at: Token, text: str) -> tuple[Token, ...]:
    return tuple(
        Token(word, at.file, at.line, at.column, at.row, literal=True) for word in text.split()
    )
