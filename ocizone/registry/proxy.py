"""An explicit HTTP proxy: its address, and the tunnel through it (RFC 9110 9.3.6 CONNECT).

https goes through a tunnel, so the proxy sees names and no content; plain http is asked for in
absolute form (RFC 9112 3.2.2). Nothing is read from the environment. Not here: dialling
(transport.py).
"""

from __future__ import annotations

import base64
import re
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient

# RFC 9110 4.2.1.
_PORT = 80
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n")


class BadProxyError(ValueError):
    """The text is no proxy address; the message says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's address; what it is told of us never shows in a repr.

    Attributes:
        host: name or address, without brackets.
        port: of it.
        authorization: the Proxy-Authorization value, or "".
    """

    host: str
    port: int
    authorization: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_proxy(text: str) -> Proxy:
    """Return what ``http://[user:pw@]host:port`` says.

    Raises:
        BadProxyError: it is written otherwise.
    """
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or _PORT
    except ValueError:
        # Not chained: the error quotes what may be a password.
        raise BadProxyError("not an address") from None
    if url.scheme != "http":
        raise BadProxyError("the address of a proxy begins with http://")
    if not host:
        raise BadProxyError("the address of a proxy has a host")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise BadProxyError("the address of a proxy ends after its port")
    authorization = ""
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        authorization = "Basic " + base64.b64encode(pair).decode("ascii")
    return Proxy(host, port, authorization)


def open_tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int, where: str) -> None:
    """Have the proxy connect a fresh connection to ``host:port``.

    Every wait is the socket's to bound.

    Raises:
        Permanent: the proxy refuses, or answers no HTTP.
        Transient: it cannot reach the host, or closed the connection.
        OSError: the connection broke.
    """
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    sock.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))
    head = _read_head(sock, proxy, where)
    status = _STATUS.match(head)
    if status is None:
        raise Permanent(f"{where}: proxy {proxy}: no HTTP answer", reason=FetchReason.PROTOCOL)
    code = int(status[1])
    said = f"{where}: proxy {proxy}: {code} to CONNECT {authority}"
    if code == 407:
        raise Permanent(
            f"{said}; check the user and the password of the proxy",
            reason=FetchReason.AUTH,
            status=code,
        )
    if code >= 500:
        raise Transient(said, reason=FetchReason.NETWORK, status=code)
    if not 200 <= code < 300:
        raise Permanent(f"{said}; does it allow this host?", reason=FetchReason.NETWORK)


def _read_head(sock: socket.socket, proxy: Proxy, where: str) -> bytes:
    """Return the answer up to its empty line; nothing may follow before we speak TLS."""
    head, buffer = b"", bytearray(4096)
    while b"\r\n\r\n" not in head:
        count = sock.recv_into(buffer)
        if not count:
            raise Transient(
                f"{where}: proxy {proxy} closed the connection", reason=FetchReason.NETWORK
            )
        head += buffer[:count]
        if len(head) > limits.PROXY_HEAD_OCTETS:
            raise Permanent(
                f"{where}: proxy {proxy}: its answer is too long", reason=FetchReason.PROTOCOL
            )
    if not head.endswith(b"\r\n\r\n") or head.count(b"\r\n\r\n") > 1:
        raise Permanent(
            f"{where}: proxy {proxy}: octets after its answer", reason=FetchReason.PROTOCOL
        )
    return head
