"""``ready``: ``GET /ready`` tells that every configured zone is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ocizone.corefile.arguments import address
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)


@dataclass(frozen=True, slots=True)
class Ready:
    """Where to listen ("" is every address), and whether a zone once ready is asked again."""

    host: str
    port: int
    monitor: Literal["until-ready", "continuously"]


def _monitor(given: Given) -> Literal["until-ready", "continuously"]:
    match given.text:
        case "until-ready":
            return "until-ready"
        case "continuously":
            return "continuously"
        case _:
            raise BadArgumentError(
                f"invalid monitor type: {given.words[0].shown}",
                "write until-ready or continuously",
            )


ADDRESS = Argument("ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default=":8181")
MONITOR = Property(
    "monitor",
    "until-ready|continuously",
    _monitor,
    "Whether a zone that was ready once is asked again.",
    default="until-ready",
)


def _build(use: Use, _scope: Scope) -> list[Ready]:
    host, port = use.argument(ADDRESS)
    return [Ready(host, port, use.value(MONITOR))]


DIRECTIVE = Directive(
    "ready",
    "*ready* answers `GET /ready` with 200 once every zone of the blocks that have it is served.",
    (ADDRESS,),
    (MONITOR,),
    build=_build,
    once=True,
)
