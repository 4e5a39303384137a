"""Answering a registry's challenges: Basic or Bearer, by what it asks for, and to whom.

Rules (each has a test in tests/registry/test_auth.py):

- Credentials are for one host and one repository. They go to the registry's own origin, and to
  the token service its challenge names, where the realm rules allow that service.
- A realm must be https when the registry is. A plain-HTTP registry may name only its own host,
  and credentials go to a plain-HTTP realm at its own port alone.
- A refused token is dropped and asked for once more; a refused password is not tried again
  unless re-reading it (password_file) gave another one.
- Tokens are kept until shortly before they expire.
- An identity token goes to the token service by POST, never as a password.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import oras.auth
import requests

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry.body import read_capped
from ocizone.registry.challenge import Challenge, parse_challenges
from ocizone.registry.credentials import GetLogin, Login
from ocizone.registry.failure import shown_host, status_error
from ocizone.registry.redaction import Redaction
from ocizone.registry.strictjson import BadJSONError, read_json
from ocizone.registry.transport import Session

# The distribution token specification: a token without expires_in lives for a minute.
_DEFAULT_EXPIRY_S = 60.0
# A token is not used in its last seconds: it would expire on its way.
_MARGIN_S = 5.0


class ChallengeAuth(oras.auth.TokenAuth):  # type: ignore[misc]  # oras ships no types
    """oras' token backend with its decisions replaced.

    ``do_request`` of oras sends ``get_auth_header()`` when ``token`` is set, and calls
    ``authenticate_request`` on 401 and 403. Here ``token`` is the whole Authorization value.

    Args:
        where: ``host/repository``, for messages.
        origin: ``scheme://host[:port]`` of the registry.
        repository: the one repository credentials are for; "" for the registry alone.
        login: called at each use, so that a rotated password is seen.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        where: str,
        origin: str,
        repository: str,
        login: GetLogin,
        now: Callable[[], float],
    ) -> None:
        super().__init__()
        self.token: str | None = None
        self.session: Session
        self._where = where
        self._origin = urlsplit(origin)
        self._repository = repository
        self._login = login
        self._who: Login | None = None
        self._now = now
        self._expires = math.inf
        #: What no message may show.
        self.secrets = Redaction()

    def refresh(self) -> None:
        """Before a request: forget a token that has run out, re-read a password in use."""
        if self.token is None:
            return
        if self.token.startswith("Basic "):
            self.token = self._basic()
        elif self._now() >= self._expires:
            self.token = None

    def get_auth_header(self) -> dict[str, str]:
        """Return what a request carries before it is challenged."""
        return {"Authorization": self.token} if self.token is not None else {}

    def authenticate_request(
        self,
        original: requests.Response,
        headers: MutableMapping[str, str],
        refresh: bool = False,  # noqa: FBT001, FBT002 - the signature oras calls
    ) -> tuple[MutableMapping[str, str], bool]:
        """Return the headers for the second try of a request answered by 401 or 403.

        Raises:
            Permanent: nothing we have, or may send, would satisfy the registry.
            Transient: the token service failed.
        """
        body = read_capped(original, limits.ERROR_BODY_OCTETS)
        challenge = _choose(parse_challenges(original.headers.get("WWW-Authenticate", "")))
        if refresh or challenge is None:
            raise self.refused(original, body)
        sent, self.token = headers.pop("Authorization", None), None
        if challenge.scheme == "bearer":
            given = self._bearer(challenge, sent)
        else:
            basic = self._basic()
            given = None if basic == sent else basic
        if given is None:
            raise self.refused(original, body)
        self.token = given
        headers["Authorization"] = self.token
        return headers, True

    def refused(self, response: requests.Response, body: bytes) -> Permanent:
        """Return the error for a 401 or 403 that nothing more can be done about."""
        who = str(self._who or "anonymous access (no username is configured)")
        error = status_error(
            self._where, f"{who} refused", response.status_code, response.headers, body, self._now()
        )
        return Permanent(str(error), reason=FetchReason.AUTH, status=response.status_code)

    def _basic(self) -> str | None:
        self._who = who = self._login()
        if who is None:
            return None
        self.secrets.learn(who.password, who.identity_token, who.registry_token)
        if not who.username:
            return None
        if not who.password and (who.identity_token or who.registry_token):
            return None
        pair = f"{who.username}:{who.password}".encode()
        basic = "Basic " + base64.b64encode(pair).decode("ascii")
        self.secrets.learn_basic(basic)
        return basic

    # --- Bearer (distribution "Token Authentication Specification") -----------------------------

    def _bearer(self, challenge: Challenge, sent: str | None) -> str | None:
        """Return a new token, or the registry token we have unless it was just refused."""
        realm = challenge.parameters["realm"]
        basic = self._basic()
        who = self._who or Login()
        host = self._check_realm(realm, anonymous=self._who is None)
        if who.registry_token:
            given = f"Bearer {who.registry_token}"
            self._expires = math.inf
            return None if given == sent else given
        asked_with = {"scope": scope} if (scope := self._scope(challenge)) else {}
        if "service" in challenge.parameters:
            asked_with["service"] = challenge.parameters["service"]
        if who.identity_token:
            response = self._post_identity(realm, asked_with, who.identity_token)
        else:
            headers = {"Accept": "application/json"}
            if basic is not None:
                headers["Authorization"] = basic
            with self.session.asking_for("token"):
                response = self.session.get(realm, params=asked_with, headers=headers, stream=True)
        body = read_capped(response, limits.TOKEN_OCTETS)
        if response.status_code in (401, 403):
            raise self.refused(response, body)
        if response.status_code != requests.codes.ok:
            raise status_error(
                self._where,
                f"token service {host}",
                response.status_code,
                response.headers,
                body,
                self._now(),
            )
        token, expires_in_s = self._read_token(host, body)
        self._expires = self._now() + expires_in_s - min(_MARGIN_S, expires_in_s / 2)
        return f"Bearer {token}"

    def _post_identity(
        self, realm: str, asked_with: Mapping[str, str], identity_token: str
    ) -> requests.Response:
        """Ask by an identity token (distribution "OAuth2 Token Authentication")."""
        form = {
            "grant_type": "refresh_token",
            "client_id": "ocizone",
            "refresh_token": identity_token,
            **asked_with,
        }
        headers = {"Accept": "application/json"}
        with self.session.asking_for("token"):
            return self.session.post(realm, data=form, headers=headers, stream=True)

    def _scope(self, challenge: Challenge) -> str:
        """Return the scope the registry asks for, unless it names another repository.

        Without a repository of ours (a check of a login) no scope at all.
        """
        if not self._repository:
            return ""
        ours = f"repository:{self._repository}:"
        scope = challenge.parameters.get("scope", f"{ours}pull")
        foreign = any(
            part.startswith("repository:") and not part.startswith(ours) for part in scope.split()
        )
        return f"{ours}pull" if foreign else scope

    def _check_realm(self, realm: str, *, anonymous: bool) -> str:
        """Return the realm's host when credentials may go there (GHSA-xf85-363p-868w)."""
        try:
            url = urlsplit(realm)
            host, port = url.hostname, url.port
        except ValueError:
            url, host, port = urlsplit(""), None, None
        wrong = ""
        if url.scheme not in ("http", "https") or not host or url.username is not None:
            wrong = "which is no plain http or https address"
        elif self._origin.scheme == "https" and url.scheme != "https":
            wrong = "which is not https while the registry is"
        elif self._origin.scheme == "http" and host != self._origin.hostname:
            wrong = "another host, and over plain HTTP nobody can tell who named it"
        elif url.scheme == "http" and not anonymous and (port or 80) != (self._origin.port or 80):
            wrong = "another port of its host, whoever listens there"
        if wrong or host is None:
            raise Permanent(
                f"{self._where}: the registry sends us for a token to {shown_host(realm)}, {wrong}; "
                "credentials were not sent",
                reason=FetchReason.PROTOCOL,
            )
        return host

    def _read_token(self, host: str, body: bytes) -> tuple[str, float]:
        try:
            document = read_json(body)
        except BadJSONError as error:
            raise self._bad_token(host, str(error)) from error
        fields: dict[str, Any] = document if isinstance(document, dict) else {}
        token = fields.get("token") or fields.get("access_token")
        # RFC 6750 2.1 b64token is visible ASCII; anything else could split a header.
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise self._bad_token(host, "no usable token in the answer")
        self.secrets.learn(token)
        expires_in = fields.get("expires_in")
        if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
            expires_in = _DEFAULT_EXPIRY_S
        return token, max(0.0, float(min(expires_in, limits.MAXIMUM_INTERVAL_S)))

    def _bad_token(self, host: str, why: str) -> Permanent:
        return Permanent(f"{self._where}: token service {host}: {why}", reason=FetchReason.PROTOCOL)


def _choose(challenges: tuple[Challenge, ...]) -> Challenge | None:
    """Return the Bearer challenge with a realm, else the Basic one, else None."""
    for challenge in challenges:
        if challenge.scheme == "bearer" and "realm" in challenge.parameters:
            return challenge
    return next((challenge for challenge in challenges if challenge.scheme == "basic"), None)
