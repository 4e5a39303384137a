"""Talking to a running server: over the unix socket in its state directory, or over HTTP.

The same pages both ways (admin.verbs); the socket works when the Corefile has no admin address
at all. Blocking. Not here: what the verbs mean and how their answers are shown (cli.results).
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ocizone.errors import OcizoneError
from ocizone.limits import CONTROL_ANSWER_OCTETS, CONTROL_S
from ocizone.state_dir import socket_path


class ControlError(OcizoneError):
    """No server answers; the message says where, and what to do."""


class NoServerError(ControlError):
    """Nobody listens in the state directory, or at the address."""


@dataclass(frozen=True, slots=True)
class Node:
    """A server by the address of its ``api`` directive.

    Attributes:
        host: name or address.
        port: TCP.
        tls: whether the address is https.
        token: sent with each request, "" for none; never shown.
    """

    host: str
    port: int
    tls: bool = False
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str, token: str = "") -> Node:
        """Return the node that ``http://HOST:PORT``, ``https://...`` or ``HOST:PORT`` names.

        Raises:
            ValueError: the text is none of them.
        """
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username is not None
            or parts.path.strip("/")
            or parts.query
        ):
            raise ValueError("write http://HOST:PORT")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, token)


#: A server: the state directory it owns, or its address.
Where = Path | Node


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, directory: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._directory = directory

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with socket_path(self._directory) as path:
            self.sock.connect(path)


def ask(where: Where, path: str, timeout_s: float = CONTROL_S) -> tuple[int, bytes]:
    """Return the status and body of a page of a server.

    Args:
        where: the state directory it owns, or its address.
        path: with the query, if any.
        timeout_s: without an octet from it.

    Raises:
        NoServerError: nobody listens there.
        ControlError: nobody answers, or too much; with the place and a hint.
    """
    return _request(where, "GET", path, None, timeout_s)


def tell(
    where: Where, path: str, body: dict[str, Any], timeout_s: float = CONTROL_S
) -> tuple[int, dict[str, Any]]:
    """Post a JSON object to a server; return the status and the object it answers.

    What is no JSON object comes back as ``{"message": text}``.

    Raises:
        ControlError: as for ``ask``.
    """
    status, answer = _request(where, "POST", path, json.dumps(body).encode(), timeout_s)
    return status, as_object(answer)


def as_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object a body is; ``{"message": text}`` of anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    return {"message": body.decode("utf-8", "replace").strip()}


def _request(
    where: Where, method: str, path: str, body: bytes | None, timeout_s: float
) -> tuple[int, bytes]:
    connection = _connection(where, timeout_s)
    headers = {} if body is None else {"Content-Type": "application/json"}
    if isinstance(where, Node) and where.token:
        headers["Authorization"] = f"Bearer {where.token}"
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NoServerError(_silence(where, error)) from error
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read(CONTROL_ANSWER_OCTETS + 1)
    except TimeoutError as error:
        raise ControlError(
            f"the server {_at(where)} is there and did not answer within {timeout_s:g} s"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise ControlError(_silence(where, error)) from error
    finally:
        connection.close()
    if len(answer) > CONTROL_ANSWER_OCTETS:
        raise ControlError(f"{where} answers with over {CONTROL_ANSWER_OCTETS} octets")
    # A bounded read ends quietly where the connection did.
    if response.length:
        raise ControlError(f"the answer of the server {_at(where)} was cut short")
    return response.status, answer


def _connection(where: Where, timeout_s: float) -> http.client.HTTPConnection:
    if isinstance(where, Path):
        return _UnixConnection(where, timeout_s)
    if where.tls:
        return http.client.HTTPSConnection(
            where.host, where.port, timeout=timeout_s, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(where.host, where.port, timeout=timeout_s)


def _silence(where: Where, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(where, Path):
        return (
            f"no server answers {_at(where)}: {reason} "
            "(is `ocizone serve` running there? give its directory with --state-dir "
            "or OCIZONE_STATE_DIR)"
        )
    return f"no server answers {_at(where)}: {reason} (its Corefile needs `api {where}`)"


def _at(where: Where) -> str:
    return f"in {where}" if isinstance(where, Path) else f"at {where}"
