"""Where the admin pages listen, and moving from one set of addresses to another.

An address has one resource: all pages several directives want there (admin.desk puts them
together), or the webhook, or the artifacts. New addresses are opened before old ones close, and a
reload that fails changes nothing (CoreDNS issue 2339 is what happens otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Site

from ocizone.admin.connections import site

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
        self._open: dict[Address, tuple[IListeningPort, Site]] = {}

    @property
    def open(self) -> dict[Address, IListeningPort]:
        """The open addresses; a copy."""
        return {address: port for address, (port, _) in self._open.items()}

    def prepare(
        self, wanted: Mapping[Address, Resource]
    ) -> dict[Address, tuple[IListeningPort, Site]]:
        """Open what is wanted and not open yet.

        Raises:
            AdminBindError: one cannot be opened; none of the new ones is left open.
        """
        made: dict[Address, tuple[IListeningPort, Site]] = {}
        for (host, port), resource in wanted.items():
            if (host, port) in self._open:
                continue
            served = site(resource)
            try:
                listening = self._reactor.listenTCP(port, served, interface=host or "::")
            except CannotListenError as error:
                for opened, _ in made.values():
                    opened.stopListening()
                raise AdminBindError(
                    f"cannot listen on tcp {host or '*'}:{port} for the admin pages: "
                    f"{error.socketError} (another server, or another block of this one, has it)"
                ) from error
            made[host, port] = (listening, served)
        return made

    def move_to(
        self,
        wanted: Mapping[Address, Resource],
        made: Mapping[Address, tuple[IListeningPort, Site]],
    ) -> None:
        """Take up what ``prepare`` opened, give kept addresses their resource, close the rest."""
        self._open.update(made)
        for address in set(self._open) - set(wanted):
            port, _ = self._open.pop(address)
            port.stopListening()
        for address, (_, served) in self._open.items():
            served.resource = wanted[address]

    def close(self) -> None:
        """Close every address."""
        for port, _ in self._open.values():
            port.stopListening()
        self._open.clear()
