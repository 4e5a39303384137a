"""The one place that talks through oras: a Registry whose unsafe parts are replaced.

What stays oras': ``do_request`` (bare, without its 131 seconds of sleeping retries) and with it
when to authenticate. Replaced: the session (transport.py), the auth backend (auth.py), and every
method that reads a body, which would verify nothing (client.py, push.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import oras.provider
import requests
import urllib3.exceptions

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError
from ocizone.registry import body, failure
from ocizone.registry.attempt import Attempt
from ocizone.registry.auth import ChallengeAuth
from ocizone.registry.credentials import GetLogin
from ocizone.registry.manifest import BadManifestError
from ocizone.registry.route import Route
from ocizone.registry.sharing import Sharing
from ocizone.registry.transport import Session

_PORTS = {"http": 80, "https": 443}


def same_origin(one: SplitResult, other: SplitResult) -> bool:
    """Tell whether two URLs share scheme, host and port (RFC 6454 4)."""
    return _origin(one) == _origin(other)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


class Calls(oras.provider.Registry):  # type: ignore[misc]  # oras ships no types
    """Requests to one repository of one registry; raises RegistryError and nothing else.

    Args:
        host: ``host[:port]`` to talk to.
        repository: its repository.
        where: what messages call the two.
        route: the way to it; its files are read again when replaced.
        login: who we are, called at each use.
        now: seconds since the epoch.
        attempt: bounds every wait.
        sharing: politeness, and who is told of requests.
    """

    def __init__(
        self,
        *,
        host: str,
        repository: str,
        where: str,
        route: Route,
        login: GetLogin,
        now: Callable[[], float],
        attempt: Attempt,
        sharing: Sharing,
    ) -> None:
        super().__init__(hostname=host, insecure=route.insecure)
        origin = f"{self.prefix}://{host}"
        self.where = where
        self.base = f"{origin}/v2/{repository}"
        self._now = now
        self._home = urlsplit(origin)
        self._route = route
        self._sharing = sharing
        self.attempt = attempt
        self._stamp: tuple[tuple[int, int], ...] | None = None
        self.auth = ChallengeAuth(
            where=where,
            origin=origin,
            repository=repository,
            login=login,
            now=now,
        )

    def do_request(
        self,
        url: str,
        method: str = "GET",
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        stream: bool = True,  # noqa: FBT001, FBT002 - the signature of oras
    ) -> requests.Response:
        """Send one request to the registry itself, authenticated when it asks for that.

        Raises:
            Permanent: the URL is not the registry's own, or it refused us.
            Transient: nothing answered, or not in time.
        """
        if not self.is_home(url):
            raise Permanent(
                f"{self.where}: the registry sends us to another host, scheme or port "
                f"({self.shown(url)}); credentials do not go there. Behind a proxy that "
                "ends TLS, make it send X-Forwarded-Proto and Host",
                reason=FetchReason.PROTOCOL,
            )
        with self.translated():
            self._open_session()
            self.auth.refresh()
            # The bare function: the decorated one sleeps and retries on any exception.
            bare = oras.provider.Registry.do_request.__wrapped__
            response: requests.Response = bare(
                self, url, method, data, dict(headers or {}), json, stream
            )
        return response

    def _open_session(self) -> None:
        """Make the session at the first request, and anew when one of its files was replaced."""
        stamp = self._route.stamp()
        if stamp == self._stamp:
            return
        self.close()
        home = urlunsplit(self._home)
        self.session: Session = Session(
            self.attempt, self.where, home, self._route, self._sharing, self.auth.secrets
        )
        self.auth.session = self.session
        self._stamp = stamp

    def absolute(self, url: str, target: str, asked: str) -> str:
        """Return where a Location or Link leads from ``url``.

        Raises:
            Permanent: it is no address.
        """
        try:
            return urljoin(url, target)
        except ValueError:
            # Not chained: the error quotes what may be a secret.
            raise Permanent(
                f"{self.where}: {asked}: sent to what is no address",
                reason=FetchReason.PROTOCOL,
            ) from None

    def shown(self, url: str) -> str:
        """Return as much of a stranger's URL as a message may show."""
        return self.auth.secrets.clean(failure.shown_host(url))

    def close(self) -> None:
        """Close the kept connections."""
        self.session.close()

    def is_home(self, url: str) -> bool:
        """Tell whether a URL is at the registry's own origin, without credentials inside."""
        try:
            parts = urlsplit(url)
            return same_origin(parts, self._home) and parts.username is None
        except ValueError:
            return False

    def get_elsewhere(self, url: str) -> requests.Response:
        """GET from a host a redirect named, with no credentials and no cookies."""
        with self.translated(), self.session.asking_for("blob"):
            return self.session.get(url, stream=True)

    def expect(self, response: requests.Response, asked: str, *statuses: int) -> requests.Response:
        """Return the response when its status is one of these; else drain it and raise."""
        if response.status_code in statuses:
            return response
        with self.translated():
            beginning = body.read_capped(response, limits.ERROR_BODY_OCTETS)
            if response.status_code in (401, 403):
                raise self.auth.refused(response, beginning)
            raise failure.status_error(
                self.where, asked, response.status_code, response.headers, beginning, self._now()
            )

    def read(self, response: requests.Response, asked: str, most: int) -> bytes:
        """Return the whole body.

        Raises:
            Permanent: it has more than ``most`` octets.
            Transient: it was cut short.
        """
        with self.translated():
            whole = body.read_capped(response, most + 1)
        if len(whole) > most:
            raise Permanent(
                f"{self.where}: {asked}: more than the limit of {most} octets",
                reason=FetchReason.TOO_LARGE,
            )
        return whole

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Let out Transient and Permanent only, whatever the libraries below raise.

        And without our secrets, should whoever answered have sent them back.
        """
        try:
            yield
        except RegistryError as error:
            self._check_silent(error, error)
            raise
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            UnicodeError,
        ) as error:
            # An abort or the deadline shows as whatever the libraries make of a cut connection.
            self.attempt.remaining(limits.READ_S)
            told = failure.request_error(self.where, error)
            self._check_silent(told, error)
            raise told from error

    @contextmanager
    def usable(self, asked: str) -> Iterator[None]:
        """Let out Permanent when a manifest cannot be used."""
        with self.translated():
            try:
                yield
            except BadManifestError as error:
                raise Permanent(
                    f"{self.where}: {asked}: {error}", reason=FetchReason.PROTOCOL
                ) from error

    def _check_silent(self, told: RegistryError, cause: Exception) -> None:
        """Raise what is told without our secrets, and without its causes, if they hold one."""
        secrets, text = self.auth.secrets, str(told)
        if secrets.holds(f"{text} {failure.chain(cause)}"):
            raise type(told)(
                secrets.clean(text),
                reason=told.reason,
                status=told.status,
                retry_after_s=told.retry_after_s,
            ) from None
