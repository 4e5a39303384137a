"""``health``: ``GET /health`` tells that the process is alive."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import address, duration
from ocizone.corefile.directive import Argument, Directive, Property, Scope, Use


@dataclass(frozen=True, slots=True)
class Health:
    """Where to listen ("" is every address) and how long to go on serving at shutdown."""

    host: str
    port: int
    lameduck_s: float


ADDRESS = Argument("ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default=":8080")
LAMEDUCK = Property(
    "lameduck",
    "DURATION",
    duration,
    "How long to go on serving after the order to stop.",
    default="0s",
)


def _build(use: Use, _scope: Scope) -> list[Health]:
    host, port = use.argument(ADDRESS)
    return [Health(host, port, use.value(LAMEDUCK))]


DIRECTIVE = Directive(
    "health",
    "*health* answers `GET /health` with 200 as long as the process lives.",
    (ADDRESS,),
    (LAMEDUCK,),
    build=_build,
)
