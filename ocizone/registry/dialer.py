"""TCP connections of a registry client: bounded look-ups, judged addresses, a proxy if there is one.

A host that a registry merely named is never looked for at a link-local, metadata or (unless the
registry itself is there) loopback address. Knows nothing of HTTP but the tunnel (proxy.py).
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.registry.attempt import Attempt, AttemptSocket
from ocizone.registry.proxy import Proxy, open_tunnel

# Metadata services outside the link-local ranges: AWS over IPv6, Alibaba, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)
# How often a look-up, which nothing can interrupt, is left to see whether we should go on.
_LOOKUP_POLL_S = 0.2

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Addresses: TypeAlias = Sequence[tuple[Any, Any, int, str, tuple[Any, ...]]]


class Dialer:
    """Opens TCP connections for one registry client.

    Args:
        attempt: bounds every wait.
        where: for messages.
        home: the registry's own host, which may be anywhere.
        proxy: to go through, or None. It looks names up for us: then only addresses written as
            such can be judged.

    Attributes:
        opened: connections asked for so far; tells a reused connection from a new one.
    """

    def __init__(self, attempt: Attempt, where: str, home: str, proxy: Proxy | None = None) -> None:
        self.opened = 0
        self._attempt = attempt
        self._where = where
        self._home = home.lower().rstrip(".")
        self._proxy = proxy
        self._home_is_loopback = False

    def dial(self, host: str, port: int, *, tunnel: bool = False) -> socket.socket:
        """Connect to the host, or to the proxy in its stead.

        Args:
            host: name or address; an IPv6 address may be in brackets.
            port: of it.
            tunnel: through a proxy, have it connect us to the host (else it is asked for URLs).

        Raises:
            Permanent: the host is not the registry's and its address is forbidden.
            Transient: no address, refused, unreachable, too slow, or aborted.
        """
        self.opened += 1
        bare = host.strip("[]").lower().rstrip(".")
        if self._proxy is None:
            found = self._look_up(bare, port)
            self._judge(bare, found)
            return self._connect(host, port, found)
        self._judge(bare, _literal(bare, port))
        proxy = self._proxy
        sock = self._connect(proxy.host, proxy.port, self._look_up(proxy.host, proxy.port))
        if tunnel:
            try:
                open_tunnel(sock, proxy, bare, port, self._where)
            except BaseException:
                sock.close()
                raise
        return sock

    def _judge(self, bare: str, found: _Addresses) -> None:
        """Refuse a forbidden address; learn where home is.

        Raises:
            Permanent: one of the addresses is forbidden.
        """
        addresses = [
            ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found
        ]
        if bare == self._home:
            loopback = [address.is_loopback for address in addresses]
            self._home_is_loopback = bool(loopback) and all(loopback)
            return
        for address in addresses:
            self._check_foreign(bare, address)

    def _connect(self, host: str, port: int, found: _Addresses) -> socket.socket:
        """Connect to the first address that takes us, within CONNECT_S altogether."""
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


def _literal(host: str, port: int) -> _Addresses:
    """Return a host that is an address as a look-up would, a name as nothing."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ()
    return ((None, None, 0, "", (host, port)),)
