"""Bound sockets for an endpoint: what to ask of the kernel, and why.

Not here: reading and answering (udp, tcp), and which endpoints there are (ocizone.plan).
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ocizone.endpoint import Endpoint
from ocizone.limits import TCP_NOT_SENT_OCTETS

#: Asks for the destination address of each datagram, so that a reply to a wildcard socket
#: leaves from the address that was asked (RFC 1123 2.3; ip(7), ipv6(7)).
IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
#: Room for a burst while the process is busy elsewhere; the kernel caps it at rmem_max.
RECEIVE_OCTETS = 4 * 1024 * 1024
#: Connections the kernel completes for us while we are busy elsewhere.
BACKLOG = 1024
#: Path MTU discovery off: a reply never carries DF, so a spoofed ICMP cannot shrink it
#: (what BIND, NSD and Knot set; ip(7), IP_PMTUDISC_OMIT).
IP_MTU_DISCOVER, IP_PMTUDISC_OMIT = 10, 5
#: Bounds what the kernel buffers beyond what it may send (tcp(7)).
TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)


class BindError(OSError):
    """An address could not be bound; the message names it and says what to do."""


def bind(kind: socket.SocketKind, host: str, port: int, *, share: bool = False) -> socket.socket:
    """Return a bound, non-blocking socket; a stream socket listens too.

    Args:
        kind: SOCK_DGRAM or SOCK_STREAM.
        host: a literal address, or "" for every address of both families.
        port: 0 lets the system choose.
        share: succeed beside a socket of ours that shares too (see ``sharing``).

    Raises:
        BindError: with the address, the system's reason and a hint.
    """
    family = socket.AF_INET if host and ":" not in host else socket.AF_INET6
    try:
        return _bind(family, kind, host or "::", port, share=share)
    except OSError as error:
        if not host and error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            # A kernel without IPv6: every address is every IPv4 address.
            try:
                return _bind(socket.AF_INET, kind, "0.0.0.0", port, share=share)  # noqa: S104 - asked for
            except OSError as second:
                error = second
        name = "udp" if kind == socket.SOCK_DGRAM else "tcp"
        shown = f"[{host}]" if ":" in host else host or "*"
        raise BindError(
            error.errno,
            f"cannot listen on {name} {shown}:{port}: {error.strerror}{_hint(error, port)}",
        ) from error


def _hint(error: OSError, port: int) -> str:
    if error.errno == errno.EACCES:
        return (
            f" (ports below 1024 need CAP_NET_BIND_SERVICE, or a key such as .:5300 instead of"
            f" port {port})"
        )
    if error.errno == errno.EADDRINUSE:
        resolved = (
            ": systemd-resolved holds 127.0.0.53:53; `bind` one address" if port == 53 else ""
        )
        return f" (another server holds it{resolved})"
    if error.errno == errno.EADDRNOTAVAIL:
        return " (no interface has this address)"
    return ""


def _bind(
    family: socket.AddressFamily, kind: socket.SocketKind, host: str, port: int, *, share: bool
) -> socket.socket:
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        if kind == socket.SOCK_STREAM:
            # A restart must not wait for connections in TIME_WAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Every connection it accepts inherits this.
            sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, TCP_NOT_SENT_OCTETS)
        else:
            _datagram_options(sock, family)
        with sharing([sock] if share else []):
            sock.bind((host, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _datagram_options(sock: socket.socket, family: socket.AddressFamily) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)
    sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)


@contextmanager
def sharing(sockets: Iterable[socket.socket]) -> Iterator[None]:
    """Let sockets share their port for a moment.

    A reload from every address to one, or back, binds the new socket while the old one still
    answers. Not for longer, unless they did before: a second server started by mistake must be
    refused the port.
    """
    own = [(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)) for sock in sockets]
    for sock, _ in own:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for sock, before in own:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, before)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """The sockets of one address; TLS has no datagrams."""

    datagram: socket.socket | None
    stream: socket.socket

    @property
    def all(self) -> tuple[socket.socket, ...]:
        """Every socket."""
        return (self.stream,) if self.datagram is None else (self.datagram, self.stream)

    @property
    def port(self) -> int:
        """The port, chosen by the system or not."""
        port: int = self.stream.getsockname()[1]
        return port

    def close(self) -> None:
        """Close every socket."""
        for sock in self.all:
            sock.close()

    def duplicate(self) -> Bound:
        """Return the same sockets by descriptors of their own."""
        datagram = self.datagram
        return Bound(None if datagram is None else datagram.dup(), self.stream.dup())


def bind_endpoint(endpoint: Endpoint, *, share: bool = False) -> Bound:
    """Return the bound sockets of an address; ``share`` as in ``bind``.

    Raises:
        BindError: one cannot be bound; none is left open.
    """
    if endpoint.scheme == "tls":
        return Bound(None, bind(socket.SOCK_STREAM, endpoint.host, endpoint.port, share=share))
    return Bound(*bind_pair(endpoint.host, endpoint.port, share=share))


def bind_pair(host: str, port: int, *, share: bool = False) -> tuple[socket.socket, socket.socket]:
    """Return a datagram and a stream socket on one port (RFC 7766: TCP is not optional).

    With port 0 the system chooses one that is free for both. ``share`` as in ``bind``.

    Raises:
        BindError: either cannot be bound; neither is left open.
    """
    tries = 1 if port else 20
    for left in range(tries - 1, -1, -1):
        datagram = bind(socket.SOCK_DGRAM, host, port, share=share)
        try:
            chosen = datagram.getsockname()[1]
            return datagram, bind(socket.SOCK_STREAM, host, chosen, share=share)
        except BindError as error:
            datagram.close()
            if left and error.errno == errno.EADDRINUSE:
                continue
            raise
    raise AssertionError("unreachable: the last try returns or raises")
