"""``root PATH``: what relative paths of the block's other directives start from."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import text
from ocizone.corefile.directive import Argument, Directive, Scope, Use


@dataclass(frozen=True, slots=True)
class Root:
    """The directory relative paths start from, absolute."""

    path: str


PATH = Argument(
    "PATH",
    text,
    "The directory; a relative one starts from the working directory.",
    required=True,
)


def _build(use: Use, scope: Scope) -> list[Root]:
    return [Root(scope.resolve(use.argument(PATH)))]


DIRECTIVE = Directive(
    "root",
    "*root* sets the directory that relative paths of the server block start from.",
    (PATH,),
    build=_build,
)
