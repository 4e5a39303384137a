"""Asking a running server through the unix socket in its state directory. Blocking.

HTTP over the socket, the same pages as over TCP (admin.pages), so that it works when the
Corefile has no admin address at all. Used by ``status`` and ``healthcheck``.
"""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

from ocizone.errors import OcizoneError
from ocizone.limits import CONTROL_S
from ocizone.state_dir import socket_path


class ControlError(OcizoneError):
    """No server answers for the state directory; the message says what to do."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, directory: Path) -> None:
        super().__init__("localhost", timeout=CONTROL_S)
        self._directory = directory

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with socket_path(self._directory) as path:
            self.sock.connect(path)


def ask(directory: Path, path: str) -> tuple[int, bytes]:
    """Return the status and body of a page of the server that owns the state directory.

    Raises:
        ControlError: nobody answers, with the directory and a hint.
    """
    connection = _UnixConnection(directory)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ControlError(
            f"no server answers in {directory}: {reason} "
            "(is `ocizone serve` running there? give its directory with --state-dir "
            "or OCIZONE_STATE_DIR)"
        ) from error
    finally:
        connection.close()
