"""``webhook``: a registry says that a repository changed, and it is looked at now."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import address
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.types import Position
from ocizone.plugins.loopback import is_loopback, resolved, secret_file


@dataclass(frozen=True, slots=True)
class Webhook:
    """One ``webhook`` directive.

    Attributes:
        host: to listen on; "" is every address.
        port: to listen on.
        secret: absolute path of the file that holds it, read at each use; None only on loopback.
        position: for messages.
    """

    host: str
    port: int
    secret: str | None
    position: Position


ADDRESS = Argument(
    "ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default="127.0.0.1:8182"
)
SECRET = Property(
    "secret",
    "FILE",
    secret_file,
    "A file that holds the secret senders must know, relative to *root*; needed unless only this"
    " machine can reach ADDRESS.",
)


def _build(use: Use, scope: Scope) -> list[Webhook]:
    host, port = use.argument(ADDRESS)
    secret = resolved(use, SECRET, scope)
    if secret is None and not is_loopback(host):
        raise BadArgumentError(
            "without a secret anybody who reaches this address could have registries asked",
            "add 'secret FILE', or listen on 127.0.0.1",
            rule="webhook-open",
        )
    return [Webhook(host, port, secret, use.position)]


DIRECTIVE = Directive(
    "webhook",
    "*webhook* lets a registry say that something was pushed: `POST /hook`.",
    (ADDRESS,),
    (SECRET,),
    build=_build,
)
