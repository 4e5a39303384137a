"""An HTTP proxy for tests: loopback only, with a password if wanted, and it counts.

CONNECT makes tunnels (RFC 9110 9.3.6), absolute-form requests are passed on without
Proxy-Authorization and over a connection each (RFC 9112 3.2.2).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_HOP_BY_HOP = ("connection", "proxy-authorization", "transfer-encoding")


class LabProxy:
    """The proxy; a context manager.

    Args:
        user: ``NAME:PASSWORD`` it wants, or "".

    Attributes:
        host: ``address:port``, once started.
        requests: request lines, oldest first.
        seen: what each request carried as Proxy-Authorization, "" for nothing.
        connect: answer CONNECT with these octets instead, or None.
    """

    def __init__(self, user: str = "") -> None:
        self.wanted = f"Basic {base64.b64encode(user.encode()).decode()}" if user else ""
        self.host = ""
        self.requests: list[str] = []
        self.seen: list[str] = []
        self.connect: bytes | None = None
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = server = _Server(self)
        self.host = f"127.0.0.1:{server.server_port}"
        threading.Thread(
            target=server.serve_forever, args=(0.02,), name="lab proxy", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, lab: LabProxy) -> None:
        self.lab = lab
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _admitted(self) -> bool:
        lab = self.server.lab
        lab.requests.append(self.requestline)
        lab.seen.append(self.headers.get("Proxy-Authorization", ""))
        if lab.wanted in ("", lab.seen[-1]):
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="lab"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        self.close_connection = True
        canned = self.server.lab.connect
        if canned is not None:
            self.wfile.write(canned)
            return
        if not self._admitted():
            return
        host, _, port = self.path.rpartition(":")
        try:
            there = socket.create_connection((_loopback(host), int(port)), timeout=10)
        except (OSError, ValueError):
            self.send_error(502)
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        with there:
            back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
            back.start()
            _pump(self.connection, there)
            back.join()

    def _forward(self) -> None:
        if not self._admitted():
            return
        url = urlsplit(self.path)
        try:
            there = http.client.HTTPConnection(_loopback(url.hostname or ""), url.port or 80)
        except ValueError:
            self.send_error(400)
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        target = f"{url.path}?{url.query}" if url.query else url.path
        there.request(self.command, target, self.rfile.read(length), headers)
        answer = there.getresponse()
        body = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        there.close()

    do_GET = _forward  # noqa: N815 - the names http.server calls
    do_HEAD = _forward  # noqa: N815 - the same
    do_POST = _forward  # noqa: N815 - the same


def _loopback(host: str) -> str:
    """Return a loopback address; ``registry.example`` and its like are one, too.

    Raises:
        ValueError: it is another address.
    """
    bare = host.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return "127.0.0.1"
    if not address.is_loopback:
        raise ValueError(host)
    return bare


def _pump(source: socket.socket, destination: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            destination.sendall(piece)
    with contextlib.suppress(OSError):
        destination.shutdown(socket.SHUT_WR)
