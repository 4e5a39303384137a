"""A server that answers as admin.verbs says, on a real unix socket and on a TCP port."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from ocizone.admin.verbs import VerbResult
from ocizone.state_dir import CONTROL_SOCKET

Answer = Callable[[dict[str, Any]], VerbResult]


class Server:
    """Serves pages and verbs on the control socket of a directory, and over HTTP.

    Attributes:
        pages: (status, body) by path, the query left out.
        verbs: what a posted verb answers, given its body.
        asked: each request as ``GET /path?query`` or ``POST /path {json}``.
        token: what HTTP wants of posts, "" for nothing; the socket never asks.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = str(directory)
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.verbs: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.token = ""
        self._unix = socketserver.UnixStreamServer(
            str(directory / CONTROL_SOCKET), self._made(local=True)
        )
        self._tcp = socketserver.TCPServer(("127.0.0.1", 0), self._made(local=False))
        for server in (self._unix, self._tcp):
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
            ).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._tcp.server_address[1]}"

    def _made(self, *, local: bool) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(f"GET {self.path}")
                page = outer.pages.get(self.path.partition("?")[0], (404, b"not found\n"))
                self._send(*page)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(f"POST {self.path} {body.decode()}")
                given = self.headers.get("Authorization", "").removeprefix("Bearer ")
                verb = outer.verbs.get(self.path.removeprefix("/v1/"))
                if not local and given != outer.token:
                    self._send(401, b'{"message": "this needs the token"}')
                elif verb is None:
                    self._send(*outer.pages.get(self.path, (404, b"not found\n")))
                else:
                    result = verb(json.loads(body))
                    code = 200 if result.ok else 409
                    self._send(code, json.dumps(result.to_json()).encode())

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "somewhere"

            def log_message(self, *_: object) -> None: ...

        return Handler

    def status(self, shown: dict[str, Any]) -> None:
        self.page("/v1/status", shown)

    def page(self, path: str, shown: dict[str, Any]) -> None:
        self.pages[path] = (200, json.dumps(shown).encode())

    def close(self) -> None:
        for server in (self._unix, self._tcp):
            server.shutdown()
            server.server_close()
