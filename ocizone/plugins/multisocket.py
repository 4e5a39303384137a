"""``multisocket [N]``: how many processes answer on each listening address."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import number
from ocizone.corefile.directive import Argument, Directive, Given, Scope, Use


@dataclass(frozen=True, slots=True)
class MultiSocket:
    """Workers wanted; None for one a core."""

    workers: int | None


_count = number(1, 1024)


def _workers(given: Given) -> int | None:
    return _count(given) if given.words else None


WORKERS = Argument("WORKERS", _workers, "How many, 1 to 1024; without it one a core.")


def _build(use: Use, _scope: Scope) -> list[MultiSocket]:
    return [MultiSocket(use.argument(WORKERS))]


DIRECTIVE = Directive(
    "multisocket",
    "*multisocket* says how many processes answer.",
    (WORKERS,),
    build=_build,
)
