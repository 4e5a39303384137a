"""Where the admin pages listen, and moving from one set of addresses to another.

The same address named by several directives is one endpoint with all their pages. New ones
are opened before old ones close, and a reload that fails changes nothing (CoreDNS issue 2339
is what happens otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.server import Site

from ocizone.admin.pages import Pages, Render, site

Address = tuple[str, int]


class AdminBindError(OSError):
    """An admin address could not be bound; the message names it."""


class ListensTCP(Protocol):
    """The part of a reactor that listens."""

    def listenTCP(  # noqa: N802 - the reactor's name
        self, port: int, factory: Site, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Listen on an address."""


class AdminEndpoints:
    """Owns every open admin address."""

    def __init__(self, reactor: ListensTCP) -> None:
        self._reactor = reactor
        self._open: dict[Address, tuple[IListeningPort, Pages]] = {}

    @property
    def open(self) -> dict[Address, IListeningPort]:
        """The open addresses; a copy."""
        return {address: port for address, (port, _) in self._open.items()}

    def prepare(
        self, wanted: Mapping[Address, Mapping[str, Render]]
    ) -> dict[Address, tuple[IListeningPort, Pages]]:
        """Open what is wanted and not open yet.

        Raises:
            AdminBindError: one cannot be opened; none of the new ones is left open.
        """
        made: dict[Address, tuple[IListeningPort, Pages]] = {}
        for (host, port), pages in wanted.items():
            if (host, port) in self._open:
                continue
            served = site(pages)
            assert isinstance(served.resource, Pages)
            try:
                listening = self._reactor.listenTCP(port, served, interface=host or "::")
            except CannotListenError as error:
                for opened, _ in made.values():
                    opened.stopListening()
                raise AdminBindError(
                    f"cannot listen on tcp {host or '*'}:{port} for the admin pages: "
                    f"{error.socketError} (another server, or another block of this one, has it)"
                ) from error
            made[host, port] = (listening, served.resource)
        return made

    def move_to(
        self,
        wanted: Mapping[Address, Mapping[str, Render]],
        made: Mapping[Address, tuple[IListeningPort, Pages]],
    ) -> None:
        """Take up what ``prepare`` opened, give kept addresses their pages, close the rest."""
        self._open.update(made)
        for address in set(self._open) - set(wanted):
            port, _ = self._open.pop(address)
            port.stopListening()
        for address, (_, pages) in self._open.items():
            pages.pages = dict(wanted[address])

    def close(self) -> None:
        """Close every address."""
        for port, _ in self._open.values():
            port.stopListening()
        self._open.clear()
