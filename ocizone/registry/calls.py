"""The one place that talks through oras: a Registry whose unsafe parts are replaced.

What stays oras': ``do_request`` (bare, without its 131 seconds of sleeping retries) and with it
when to authenticate. What is replaced, and why, is listed in docs beside tests/registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import oras.provider
import requests
import urllib3.exceptions

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.registry import body, failure
from ocizone.registry.attempt import Attempt
from ocizone.registry.auth import ChallengeAuth
from ocizone.registry.transport import Dialer, Session, tls_context

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
        insecure: plain HTTP.
        username: or None for anonymous.
        password: called at each use.
        ca_file: PEM file trusted instead of the system's CAs, or None.
        now: seconds since the epoch.
        attempt: bounds every wait.
    """

    def __init__(
        self,
        *,
        host: str,
        repository: str,
        where: str,
        insecure: bool,
        username: str | None,
        password: Callable[[], str] | None,
        ca_file: str | None,
        now: Callable[[], float],
        attempt: Attempt,
    ) -> None:
        super().__init__(hostname=host, insecure=insecure)
        origin = f"{self.prefix}://{host}"
        self.where = where
        self.base = f"{origin}/v2/{repository}"
        self._now = now
        self._home = urlsplit(origin)
        dialer = Dialer(attempt, where, self._home.hostname or host)
        self.session = Session(attempt, dialer, tls_context(where, ca_file))
        self.auth = ChallengeAuth(
            where=where,
            origin=origin,
            repository=repository,
            username=username,
            password=password,
            now=now,
        )
        self.auth.session = self.session

    def do_request(  # noqa: PLR0917 - the signature of oras
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
                f"({urlsplit(url).hostname}); credentials do not go there. Behind a proxy that "
                "ends TLS, make it send X-Forwarded-Proto and Host",
                reason=FetchReason.PROTOCOL,
            )
        with self.translated():
            self.auth.refresh()
            # The bare function: the decorated one sleeps and retries on any exception.
            bare = oras.provider.Registry.do_request.__wrapped__
            response: requests.Response = bare(
                self, url, method, data, dict(headers or {}), json, stream
            )
        return response

    def is_home(self, url: str) -> bool:
        """Tell whether a URL is at the registry's own origin, without credentials inside."""
        try:
            parts = urlsplit(url)
            return same_origin(parts, self._home) and parts.username is None
        except ValueError:
            return False

    def get_elsewhere(self, url: str) -> requests.Response:
        """GET from a host a redirect named, with no credentials and no cookies."""
        with self.translated():
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
        """Let out Transient and Permanent only, whatever the libraries below raise."""
        try:
            yield
        except RegistryError:
            raise
        except requests.RequestException as error:
            raise failure.request_error(self.where, error) from error
        except urllib3.exceptions.IncompleteRead as error:
            raise Transient(
                f"{self.where}: the answer was cut short", reason=FetchReason.NETWORK
            ) from error
        except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise failure.request_error(self.where, error) from error
