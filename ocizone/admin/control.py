"""The control socket: the admin pages on a unix socket in the state directory, owner only.

Works when the Corefile names no admin address; every control command finds a server by it. The
state directory's lock is held, so a socket that is left from before belongs to nobody.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.web.server import Site

from ocizone.admin.connections import site
from ocizone.admin.pages import Pages
from ocizone.state_dir import CONTROL_SOCKET


class ListensUnix(Protocol):
    """The part of a reactor that listens on a path."""

    def listenUNIX(  # noqa: N802 - the reactor's name
        self, address: str, factory: Site, backlog: int = 50, mode: int = 0o666
    ) -> IListeningPort:
        """Listen on a path."""


class ControlSocket:
    """The open control socket."""

    def __init__(self, reactor: ListensUnix, directory: Path, pages: Pages) -> None:
        """Open it.

        Raises:
            OSError: the directory cannot be entered or written.
        """
        (directory / CONTROL_SOCKET).unlink(missing_ok=True)
        self._site = site(pages)
        # A socket address holds 108 octets (unix(7)): the path goes through the open directory,
        # which stays open, because the port removes the socket by that path when it closes.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        path = f"/proc/self/fd/{self._directory}/{CONTROL_SOCKET}"
        self._port = reactor.listenUNIX(path, self._site, mode=0o600)

    def move_to(self, pages: Pages) -> None:
        """Serve other pages."""
        self._site.resource = pages

    def close(self) -> None:
        """Close and remove it."""
        closed = maybeDeferred(self._port.stopListening)
        closed.addBoth(lambda _: os.close(self._directory))
