"""Who may enter the lab registry: nobody asks, Basic, or Bearer with a token service of its own.

The token service follows the distribution "Token Authentication Specification".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum


class Access(StrEnum):
    """How the registry authenticates."""

    OPEN = "open"
    BASIC = "basic"
    BEARER = "bearer"


class Gate:
    """Checks Authorization headers and issues tokens.

    Args:
        access: the scheme asked for.
        users: passwords by name; with BEARER and no users, tokens are for anybody.
        token_s: how long a token lives.
        now: seconds; a test may let them pass.

    Attributes:
        identities: OAuth2 refresh tokens that get tokens, too.
    """

    def __init__(
        self, access: Access, users: Mapping[str, str], token_s: float, now: Callable[[], float]
    ) -> None:
        self.access = access
        self.users = dict(users)
        self.token_s = token_s
        self.now = now
        self.identities: set[str] = set()
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[float, str]] = {}

    def revoke(self) -> None:
        """Refuse every token issued so far."""
        with self._lock:
            self._tokens.clear()

    def allows(self, authorization: str, scope: str) -> bool:
        """Tell whether a request with this header may act on ``repository:NAME:ACTIONS``."""
        if self.access is Access.OPEN:
            return True
        scheme, _, value = authorization.partition(" ")
        if self.access is Access.BASIC:
            return scheme.lower() == "basic" and self._knows(value)
        with self._lock:
            expires, granted = self._tokens.get(value, (0.0, ""))
        return scheme.lower() == "bearer" and self.now() < expires and _covers(granted, scope)

    def challenge(self, realm: str, scope: str) -> str:
        """Return the WWW-Authenticate value of a refusal."""
        if self.access is Access.BASIC:
            return 'Basic realm="ocizone lab"'
        asked = f',scope="{scope}"' if scope else ""
        return f'Bearer realm="{realm}",service="ocizone-lab"{asked}'

    def issue(self, authorization: str, scope: str) -> str | None:
        """Return a new token for the scope, or None for credentials that are wrong."""
        scheme, _, value = authorization.partition(" ")
        if self.users and not (scheme.lower() == "basic" and self._knows(value)):
            return None
        return self._grant(scope)

    def renew(self, identity: str, scope: str) -> str | None:
        """Return a new token for an identity token, or None for one that is unknown."""
        return self._grant(scope) if identity in self.identities else None

    def _grant(self, scope: str) -> str:
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[token] = (self.now() + self.token_s, scope)
        return token

    def _knows(self, value: str) -> bool:
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = self.users.get(user)
        return known is not None and hmac.compare_digest(known.encode(), password.encode())


def _covers(granted: str, asked: str) -> bool:
    """Tell whether one of the granted scopes names the repository and all the actions."""
    if not asked:
        return True
    name, _, actions = asked.rpartition(":")
    for scope in granted.split():
        granted_name, _, granted_actions = scope.rpartition(":")
        if granted_name == name and set(actions.split(",")) <= set(granted_actions.split(",")):
            return True
    return False
