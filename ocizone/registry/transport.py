"""HTTP connections as a registry client needs them, for requests and urllib3.

Differences from a plain requests.Session: every wait obeys an Attempt; no redirect is followed;
no environment (proxy, netrc, CA variables), no cookies; one TLS context decides what is trusted;
and a host that a registry merely named is never looked for at a link-local, metadata or (unless
the registry itself is there) loopback address. Does no authentication.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeAlias

import certifi
import requests
import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ocizone import __version__, limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.registry.attempt import Attempt, AttemptSocket, tls_socket_class

# Metadata services outside the link-local ranges: AWS over IPv6, Alibaba, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)
# How often a look-up, which nothing can interrupt, is left to see whether we should go on.
_LOOKUP_POLL_S = 0.2

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Addresses: TypeAlias = Sequence[tuple[Any, Any, int, str, tuple[Any, ...]]]


def tls_context(where: str, ca_file: str | None) -> ssl.SSLContext:
    """Return a verifying client context: this CA file alone, else the system's, else certifi's.

    Raises:
        Permanent: the CA file cannot be read or holds no certificate.
    """
    paths = ssl.get_default_verify_paths()
    if ca_file is None and not (paths.cafile or paths.capath):
        ca_file = certifi.where()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise Permanent(
            f"{where}: ca_file {ca_file}: {error}; give a PEM file with the registry's CA",
            reason=FetchReason.NETWORK,
        ) from error


class Dialer:
    """Opens TCP connections for one registry client.

    Attributes:
        opened: connections asked for so far; tells a reused connection from a new one.
    """

    def __init__(self, attempt: Attempt, where: str, home: str) -> None:
        self.opened = 0
        self._attempt = attempt
        self._where = where
        self._home = home.lower().rstrip(".")
        self._home_is_loopback = False

    def dial(self, host: str, port: int) -> socket.socket:
        """Connect to the first address that takes us, within CONNECT_S altogether.

        Raises:
            Permanent: the host is not the registry's and its address is forbidden.
            Transient: no address, refused, unreachable, too slow, or aborted.
        """
        self.opened += 1
        bare = host.strip("[]").lower().rstrip(".")
        found = self._look_up(bare, port)
        addresses = [
            ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found
        ]
        if bare == self._home:
            self._home_is_loopback = all(address.is_loopback for address in addresses)
        else:
            for address in addresses:
                self._check_foreign(bare, address)
        failure: OSError | None = None
        share_s = limits.CONNECT_S / len(found)
        for family, kind, protocol, _, sockaddr in found:
            sock = AttemptSocket(self._attempt, family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(self._attempt.remaining(share_s))
                sock.connect(sockaddr)
            except OSError as error:
                failure = error
                sock.close()
            except Transient:
                sock.close()
                raise
            else:
                return sock
        reason = FetchReason.TIMEOUT if isinstance(failure, TimeoutError) else FetchReason.NETWORK
        self._attempt.remaining(limits.CONNECT_S)
        raise Transient(
            f"{self._where}: cannot connect to {host}:{port}: {failure}", reason=reason
        ) from failure

    def _look_up(self, host: str, port: int) -> _Addresses:
        """Return getaddrinfo's answer, or give up: it can block for as long as it likes."""
        answers: queue.SimpleQueue[_Addresses | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError(str(error)))

        threading.Thread(target=ask, name=f"look-up {host}", daemon=True).start()
        waited_s = 0.0
        while waited_s < limits.CONNECT_S:
            pause_s = self._attempt.remaining(_LOOKUP_POLL_S)
            try:
                found = answers.get(timeout=pause_s)
            except queue.Empty:
                waited_s += pause_s
                continue
            if isinstance(found, OSError):
                raise Transient(
                    f"{self._where}: no address for {host}: {found}", reason=FetchReason.NETWORK
                ) from found
            return found
        raise Transient(
            f"{self._where}: no answer to the look-up of {host} in {limits.CONNECT_S:g} s",
            reason=FetchReason.TIMEOUT,
        )

    def _check_foreign(self, host: str, address: _Address) -> None:
        """Refuse what no honest registry names: CVE-2026-48978 and its like."""
        plain: _Address = address
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            plain = address.ipv4_mapped
        forbidden = (
            plain.is_link_local
            or plain.is_unspecified
            or plain.is_multicast
            or plain in _METADATA
            or (plain.is_loopback and not self._home_is_loopback)
        )
        if forbidden:
            raise Permanent(
                f"{self._where}: the registry names the host {host}, whose address {address} no "
                "registry may send us to",
                reason=FetchReason.PROTOCOL,
            )


class _Adapter(requests.adapters.HTTPAdapter):
    """Sends over the dialer's connections, and once more if a kept one turned out closed."""

    def __init__(self, dialer: Dialer, context: ssl.SSLContext | None) -> None:
        self._dialer = dialer
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
            return dialer.dial(self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    return {"http": PlainPool, "https": TLSPool}


class Session(requests.Session):
    """A requests.Session that follows no redirect and reads nothing from the environment."""

    def __init__(
        self, attempt: Attempt, dialer: Dialer, make_context: Callable[[], ssl.SSLContext]
    ) -> None:
        super().__init__()
        self._attempt = attempt
        self._dialer = dialer
        self._make_context = make_context
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers.clear()
        self.headers.update({"User-Agent": f"ocizone/{__version__}", "Accept-Encoding": "identity"})
        self.adapters.clear()
        self.mount("http://", _Adapter(dialer, None))

    def get_adapter(self, url: str) -> requests.adapters.BaseAdapter:
        """Return the adapter; TLS is set up at its first use.

        Loading the system's CAs takes 0.1 s, which a plain-HTTP registry need not cost.
        """
        if url.lower().startswith("https://") and "https://" not in self.adapters:
            context = self._make_context()
            context.sslsocket_class = tls_socket_class(self._attempt)
            self.mount("https://", _Adapter(self._dialer, context))
        return super().get_adapter(url)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow nothing: redirects are judged where credentials are known."""
