"""``chaos``: CH TXT version.bind, version.server, authors.bind, hostname.bind, id.server."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Argument, Directive, Given, Scope, Use


@dataclass(frozen=True, slots=True)
class Chaos:
    """What to say: an empty version means ocizone's own."""

    version: str
    authors: tuple[str, ...]


def _version(given: Given) -> str:
    return given.text if given.words else ""


def _authors(given: Given) -> tuple[str, ...]:
    return tuple(word.text for word in given.words)


VERSION = Argument("VERSION", _version, "What version.bind says; without it ocizone's version.")
AUTHORS = Argument("AUTHORS", _authors, "What authors.bind says, one record a word.", many=True)


def _build(use: Use, _scope: Scope) -> list[Chaos]:
    return [Chaos(use.argument(VERSION), use.argument(AUTHORS))]


DIRECTIVE = Directive(
    "chaos",
    "*chaos* answers the CH class questions that ask a server about itself.",
    (VERSION, AUTHORS),
    build=_build,
)
