"""``tls CERT KEY [CA]``: the certificate of a block's ``tls://`` keys (RFC 7858).

Which files there are, not what is in them: serve.certificate reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

from ocizone.corefile.arguments import text
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.report import did_you_mean
from ocizone.corefile.types import Position

#: What is asked of clients, in the words of CoreDNS (Go's crypto/tls).
ClientAuth = Literal["nocert", "request", "require", "verify_if_given", "require_and_verify"]
_CLIENT_AUTHS: Final[tuple[str, ...]] = get_args(ClientAuth)


@dataclass(frozen=True, slots=True)
class Tls:
    """One ``tls`` directive; paths are absolute.

    Attributes:
        certificate: PEM, the server's own first, then its chain.
        key: PEM, without a passphrase.
        authorities: PEM, whose client certificates are good; None when clients are not verified.
        client_auth: what is asked of clients.
        keylog: where secrets of sessions are written (debugging), or None.
        position: for messages.
    """

    certificate: str
    key: str
    authorities: str | None
    client_auth: ClientAuth
    keylog: str | None
    # A line that moved is not a change: two blocks with the same words agree.
    position: Position = field(compare=False)


def _client_auth(given: Given) -> ClientAuth:
    word = given.text
    if word not in _CLIENT_AUTHS:
        raise BadArgumentError(
            f"unknown authentication type '{given.words[0].shown}'",
            did_you_mean(word, _CLIENT_AUTHS) or f"known: {', '.join(_CLIENT_AUTHS)}",
        )
    return cast("ClientAuth", word)


def _acme(_given: Given) -> None:
    raise BadArgumentError(
        "'acme' is not supported by ocizone",
        "give CERT and KEY, and let an ACME client renew them: changed files are taken up",
        rule="property-not-supported",
    )


CERT = Argument(
    "CERT", text, "The certificate and its chain, PEM; relative to *root*.", required=True
)
KEY = Argument("KEY", text, "Its private key, PEM; relative to *root*.", required=True)
CA = Argument(
    "CA",
    lambda given: given.text if given.words else "",
    "Certificate authorities of clients, PEM; relative to *root*.",
)
CLIENT_AUTH = Property(
    "client_auth",
    "|".join(_CLIENT_AUTHS),
    _client_auth,
    "Whether clients are asked for a certificate, and whether CA must have signed it.",
    default="nocert",
)
KEYLOG = Property(
    "keylog",
    "FILE",
    text,
    "For debugging: writes the secrets of every session to FILE, so that who has it can read along.",
)
ACME = Property(
    "acme", "...", _acme, "Refused: let an ACME client renew CERT and KEY.", least=0, most=None
)


def _build(use: Use, scope: Scope) -> list[Tls]:
    authorities = use.argument(CA)
    client_auth = use.value(CLIENT_AUTH)
    if "verify" in client_auth and not authorities:
        raise BadArgumentError(
            f"client_auth {client_auth} needs a CA",
            "write 'tls CERT KEY CA'; without it CoreDNS takes every public authority's word",
        )
    keylog = use.last(KEYLOG)
    if keylog is not None:
        use.given.warn(
            "tls-keylog",
            f"session secrets are written to {keylog}",
            "leave 'keylog' out when you are done",
        )
    return [
        Tls(
            scope.resolve(use.argument(CERT)),
            scope.resolve(use.argument(KEY)),
            scope.resolve(authorities) if authorities else None,
            client_auth,
            None if keylog is None else scope.resolve(keylog),
            use.position,
        )
    ]


DIRECTIVE = Directive(
    "tls",
    "*tls* names the certificate that the server block's `tls://` keys are served with.",
    (CERT, KEY, CA),
    (CLIENT_AUTH, KEYLOG, ACME),
    build=_build,
    once=True,
)
