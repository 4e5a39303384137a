"""A directive, declared once: its parser, its errors, its page's table and its help text.

A plugin module declares ``DIRECTIVE``; everything about its syntax comes from that value:
corefile.reading parses by it, plugins.docs and plugins.help print it. What a directive does is
not here: it yields frozen values, which other parts read.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ocizone.corefile.lexer import Token
from ocizone.corefile.report import Report
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
        settings: of the block after the words, in the order written.
        braced: such a block is there.
    """

    plugin: str
    name: Token
    words: tuple[Token, ...]
    report: Report
    settings: tuple[Setting, ...] = ()
    braced: bool = False

    @property
    def text(self) -> str:
        """Return the first word."""
        return self.words[0].text

    def warn(self, rule: str, message: str, hint: str = "") -> None:
        """Tell the operator something about these words."""
        at = self.words[0] if self.words else self.name
        self.report.warning(at, rule, f"plugin/{self.plugin}: {message}", hint)

    def value(self, declared: Property[T]) -> T:
        """Return the last value of a property of the block, or its default's."""
        values = self.every(declared)
        if values:
            return values[-1]
        assert declared.default is not None
        return declared.parse(self.over(_default_words(self.name, declared.default)))

    def last(self, declared: Property[T]) -> T | None:
        """Return the last value of a property of the block, or None when it is not set."""
        values = self.every(declared)
        return values[-1] if values else None

    def every(self, declared: Property[T]) -> tuple[T, ...]:
        """Return each value of a property of the block, in the order written."""
        return tuple(item.value for item in self.settings if item.declared is declared)

    def over(self, words: tuple[Token, ...]) -> Given:
        """Return other words at the same place."""
        return Given(self.plugin, self.name, words, self.report)


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
        properties: lines of its own block, which opens on its line; ``parse`` finds them in its
            Given. The block may always be left out.
    """

    name: str
    takes: str
    parse: Parse[T]
    doc: str
    default: str | None = None
    least: int = 1
    most: int | None = 1
    secret: bool = False
    properties: tuple[Property[Any], ...] = ()


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

    @property
    def position(self) -> Position:
        """Return where the directive stands."""
        return self.given.name.position

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Return its properties, in the order written."""
        return self.given.settings

    def argument(self, declared: Argument[T]) -> T:
        """Return an argument's value, or its default's.

        Raises:
            BadArgumentError: it is not what the declaration asks for.
        """
        index = self.directive.arguments.index(declared)
        words = self.given.words[index:] if declared.many else self.given.words[index : index + 1]
        return declared.parse(
            self.given.over(words or _default_words(self.given.name, declared.default))
        )

    def value(self, declared: Property[T]) -> T:
        """Return a property's last value, or its default's."""
        return self.given.value(declared)

    def last(self, declared: Property[T]) -> T | None:
        """Return a property's last value, or None when it is not set."""
        return self.given.last(declared)

    def every(self, declared: Property[T]) -> tuple[T, ...]:
        """Return each value of a property, in the order written."""
        return self.given.every(declared)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a directive may know of its server block.

    Attributes:
        cwd: the working directory, absolute.
        root: what ``root`` says, absolute, or None.
        origins: the block's zones, each once, lower-case wire names.
        read: returns the text of an absolute path; raises OSError or ValueError.
    """

    cwd: str
    root: str | None
    origins: tuple[bytes, ...]
    read: Callable[[str], str]

    def text_of(self, path: str) -> str:
        """Return the text of a file, relative to the working directory, as ``import`` takes it.

        Raises:
            BadArgumentError: it cannot be read.
        """
        try:
            return self.read(os.path.normpath(os.path.join(self.cwd, path)))  # noqa: PTH118 - PurePath keeps ".."
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise BadArgumentError(
                f"open {path}: {reason[:1].lower()}{reason[1:]}", rule="file-unreadable"
            ) from error

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


@dataclass(frozen=True, slots=True)
class Directive(Declaration):
    """A directive that works: a declaration, and what an occurrence yields.

    Attributes:
        build: returns the values of one occurrence; raises BadArgumentError.
        once: it may stand in a server block only once.
    """

    build: Callable[[Use, Scope], Iterable[object]] = field(kw_only=True)
    once: bool = False


def _default_words(at: Token, text: str) -> tuple[Token, ...]:
    return tuple(
        Token(word, at.file, at.line, at.column, at.row, literal=True) for word in text.split()
    )
