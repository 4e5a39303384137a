"""``artifacts``: what is kept of artifacts may be fetched over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import address
from ocizone.corefile.directive import Argument, Directive, Scope, Use
from ocizone.corefile.types import Position


@dataclass(frozen=True, slots=True)
class Artifacts:
    """One ``artifacts`` directive: where to listen ("" is every address)."""

    host: str
    port: int
    position: Position


ADDRESS = Argument(
    "ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default="127.0.0.1:8184"
)


def _build(use: Use, _scope: Scope) -> list[Artifacts]:
    host, port = use.argument(ADDRESS)
    return [Artifacts(host, port, use.position)]


DIRECTIVE = Directive(
    "artifacts",
    "*artifacts* gives the blobs of served artifacts to whoever knows their digest.",
    (ADDRESS,),
    build=_build,
)
