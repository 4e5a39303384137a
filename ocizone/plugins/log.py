"""``log``: one line a query, in CoreDNS' formats."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import zones
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.lexer import Token
from ocizone.wire.name import ROOT


@dataclass(frozen=True, slots=True)
class LogRule:
    """One ``log`` directive.

    Attributes:
        names: lower-case wire names; the query's name at or below one of them is logged.
        format: with ``{common}`` and ``{combined}`` already substituted.
        classes: of ``success``, ``denial``, ``error``, ``all``.
    """

    names: tuple[bytes, ...]
    format: str
    classes: frozenset[str]


COMMON = (
    '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}"'
    " {rcode} {>rflags} {rsize} {duration}"
)
COMBINED = COMMON + ' "{>opcode}"'
CLASSES = ("all", "success", "denial", "error")


def _classes(given: Given) -> frozenset[str]:
    for word in given.words:
        if word.text not in CLASSES:
            raise BadArgumentError(
                f"invalid Class: {word.shown}", f"one of {', '.join(CLASSES)}", at=word
            )
    return frozenset(word.text for word in given.words)


def _words(given: Given) -> tuple[tuple[bytes, ...], str]:
    """Return names and format: of two or more words the last one is a format if it has a brace."""
    *names, last = given.words
    if names and "{" in last.text:
        template = last.text.replace("{common}", COMMON).replace("{combined}", COMBINED)
        return _zones(given, tuple(names)), template
    if "{" in last.text:
        given.warn(
            "format-without-name",
            f"'{last.shown}' is read as a name, so nothing is logged",
            f"write 'log . {last.shown}'",
        )
    return _zones(given, given.words), COMMON


def _zones(given: Given, words: tuple[Token, ...]) -> tuple[bytes, ...]:
    return zones(Given(given.plugin, given.name, words, given.report))


WORDS = Argument(
    "NAMES... FORMAT",
    lambda given: _words(given) if given.words else ((ROOT,), COMMON),
    "Log queries for names at or below NAMES (all names without any). With a name before it, a"
    " last word with a brace is the FORMAT: `{common}`, `{combined}`, or a text of placeholders.",
    many=True,
)
CLASS = Property(
    "class",
    "CLASS...",
    _classes,
    "Log only answers of these classes: `success`, `denial`, `error`, `all`.",
    default="all",
    most=None,
)


def _build(use: Use, _scope: Scope) -> list[LogRule]:
    names, template = use.argument(WORDS)
    classes = frozenset().union(*use.every(CLASS)) or use.value(CLASS)
    return [LogRule(names, template, classes)]


DIRECTIVE = Directive(
    "log",
    "*log* writes one line a query on standard output.",
    (WORDS,),
    (CLASS,),
    build=_build,
)
