"""``api``: the control API over TCP; changes need a token."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import address
from ocizone.corefile.directive import Argument, Directive, Property, Scope, Use
from ocizone.corefile.types import Position
from ocizone.plugins.loopback import is_loopback, resolved, secret_file


@dataclass(frozen=True, slots=True)
class Api:
    """One ``api`` directive.

    Attributes:
        host: to listen on; "" is every address.
        port: to listen on.
        token: absolute path of the file that holds it, read at each use; None: reading only.
        position: for messages.
    """

    host: str
    port: int
    token: str | None
    position: Position


ADDRESS = Argument(
    "ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default="127.0.0.1:8183"
)
TOKEN = Property(
    "token",
    "FILE",
    secret_file,
    "A file that holds the token changes need, relative to *root*; without it nothing can be"
    " changed here.",
)


def _build(use: Use, scope: Scope) -> list[Api]:
    host, port = use.argument(ADDRESS)
    token = resolved(use, TOKEN, scope)
    if token is None and not is_loopback(host):
        use.given.warn(
            "api-open",
            "without a token everybody who reaches this address can read status and history",
            "add 'token FILE', or listen on 127.0.0.1",
        )
    return [Api(host, port, token, use.position)]


DIRECTIVE = Directive(
    "api",
    "*api* answers status, history and what controls the server at `/v1/`.",
    (ADDRESS,),
    (TOKEN,),
    build=_build,
)
