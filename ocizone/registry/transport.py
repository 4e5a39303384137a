"""HTTP as a registry client needs it, for requests and urllib3.

Differences from a plain requests.Session: every wait obeys an Attempt; no redirect is followed;
no environment (proxy, netrc, CA variables), no cookies; one TLS context decides what is trusted;
politeness is asked before each request and told of each answer. Does no authentication.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
from requests.utils import urldefragauth
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ocizone import __version__, limits
from ocizone.registry.attempt import Attempt, tls_socket_class
from ocizone.registry.dialer import Dialer
from ocizone.registry.proxy import Proxy
from ocizone.registry.redaction import Redaction
from ocizone.registry.route import Route
from ocizone.registry.sharing import Kind, Sharing

# What paths hold (distribution spec), first that fits.
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("/blobs/", "blob"),
    ("/manifests/sha256:", "metadata"),
    ("/manifests/", "tags"),
    ("/tags/list", "tags"),
)
_PORTS = {"http": 80, "https": 443}
# Code 299 and no agent: nothing else is a warning to people.
_WARNING = re.compile(r'(?:^|,\s*)299 - "((?:[^"\\]|\\.)*)"')

# They quote URLs and header lines of strangers, in warnings even where nobody configured logging.
for _logger in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_logger).disabled = True


class _Adapter(requests.adapters.HTTPAdapter):
    """Sends over the dialer's connections, and once more if a kept one turned out closed."""

    def __init__(
        self, dialer: Dialer, context: ssl.SSLContext | None, proxy: Proxy | None = None
    ) -> None:
        self._dialer = dialer
        self._proxy = proxy
        self._context = context
        super().__init__(pool_connections=4, pool_maxsize=2)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - the signature of requests
        **pool_kwargs: Any,
    ) -> None:
        pool_kwargs["ssl_context"] = self._context
        super().init_poolmanager(connections, maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._dialer)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host_parameters, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host_parameters, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave trust to the one context: oras passes a ``verify`` of its own with each call."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return the request target: the whole URL for a proxy (RFC 9112 3.2.2)."""
        if self._proxy is None:
            return super().request_url(request, proxies)
        return urldefragauth(request.url or "")

    def add_headers(self, request: requests.PreparedRequest, **_kwargs: Any) -> None:
        """Tell the proxy who we are; through a tunnel it would go to the registry instead."""
        if self._proxy is not None and self._proxy.authorization:
            request.headers["Proxy-Authorization"] = self._proxy.authorization

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        opened = self._dialer.opened
        try:
            return super().send(request, *args, **kwargs)
        except requests.ConnectionError:
            # A server may close a kept connection just as we write to it (RFC 9112 9.5).
            if self._dialer.opened != opened or request.method not in ("GET", "HEAD"):
                raise
        return super().send(request, *args, **kwargs)


def _pool_classes(dialer: Dialer) -> dict[str, Any]:
    class PlainConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dialer.dial(self.host, self.port or 80)

    class TLSConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return dialer.dial(self.host, self.port or 443, tunnel=True)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    return {"http": PlainPool, "https": TLSPool}


class Session(requests.Session):
    """A requests.Session that follows no redirect and reads nothing from the environment.

    Args:
        attempt: bounds every wait.
        where: ``registry/repository``: for messages, and for politeness.
        home: ``scheme://host[:port]`` of the registry.
        route: the way to it.
        sharing: politeness, and who is told of requests.
        secrets: what nobody is told of; learns that of the proxy.
    """

    def __init__(
        self,
        attempt: Attempt,
        where: str,
        home: str,
        route: Route,
        sharing: Sharing,
        secrets: Redaction,
    ) -> None:
        super().__init__()
        self._secrets = secrets
        self._attempt = attempt
        self._where = where
        self._home = f"{home}/".lower()
        self._route = route
        self._sharing = sharing
        self._kind: Kind | None = None
        self._proxy = route.read_proxy(where)
        if self._proxy is not None and self._proxy.authorization:
            secrets.learn_basic(self._proxy.authorization)
        self._dialer = Dialer(attempt, where, urlsplit(home).hostname or "", self._proxy)
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers.clear()
        self.headers.update({"User-Agent": f"ocizone/{__version__}", "Accept-Encoding": "identity"})
        self.adapters.clear()
        self.mount("http://", _Adapter(self._dialer, None, self._proxy))

    def get_adapter(self, url: str) -> requests.adapters.BaseAdapter:
        """Return the adapter; TLS is set up at its first use.

        Loading the system's CAs takes 0.1 s, which a plain-HTTP registry need not cost. A client
        certificate is for the registry alone: another host gets an adapter without it.
        """
        if not url.lower().startswith("https://"):
            return super().get_adapter(url)
        at_home = self._route.client_cert is not None and url.lower().startswith(self._home)
        prefix = self._home if at_home else "https://"
        if prefix not in self.adapters:
            context = self._route.context(self._where, at_home=at_home)
            context.sslsocket_class = tls_socket_class(self._attempt)
            self.mount(prefix, _Adapter(self._dialer, context))
        return self.adapters[prefix]

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow nothing: redirects are judged where credentials are known."""

    @contextmanager
    def asking_for(self, kind: Kind) -> Iterator[None]:
        """Name the kind of the requests in here, which their URLs do not tell."""
        self._kind = kind
        try:
            yield
        finally:
            self._kind = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send when it is polite to, and tell what came of it.

        A server did its part when it answered, was not in trouble and did not refuse us: 404 is
        an answer, and so is the challenge to a request that carried no credentials.
        """
        url = request.url or ""
        politeness, host = self._sharing.politeness, _host_of(url)
        if politeness is not None:
            politeness.enter(host, self._where, self._attempt.sleep)
        began, success = time.monotonic(), False
        try:
            response = super().send(request, **kwargs)
            status = response.status_code
            refused = status == 403 or (status == 401 and "Authorization" in request.headers)
            success = status < 500 and status != 429 and not refused
        finally:
            kind = self._kind or _kind_of(url)
            self._sharing.on_request(kind, success, time.monotonic() - began)
        if politeness is not None:
            asked = response.headers.get("Retry-After")
            politeness.answered(host, self._where, status, asked, began)
        for text in warnings_in(response.headers.get("Warning", "")):
            self._sharing.on_warning(host, self._secrets.clean(text))
        return response


def warnings_in(header: str) -> list[str]:
    """Return the texts of a Warning header (distribution spec "Warnings"), few and short."""
    found = [match[1] for match in _WARNING.finditer(header[: limits.ERROR_BODY_OCTETS])]
    return [text[: limits.SHOWN_CHARACTERS] for text in found[: limits.WARNINGS_HEARD]]


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"


def _kind_of(url: str) -> Kind:
    path = urlsplit(url).path
    return next((kind for part, kind in _KINDS if part in path), "metadata")
