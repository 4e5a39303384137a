"""The admin side of the server, put together: pages, API, webhook, artifacts, control socket.

A part of the composition root (ocizone.app), apart because it is one idea: what a plan asks for
is opened before anything of the old plan closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Site

from ocizone.admin.api import ControlApi, Operations, Token
from ocizone.admin.control import ControlSocket
from ocizone.admin.desk import AdminDesk
from ocizone.admin.endpoints import Address, AdminBindError, AdminEndpoints
from ocizone.admin.pages import Pages
from ocizone.admin.secretfile import SecretFile
from ocizone.admin.shared import InThread
from ocizone.plan import Plan
from ocizone.plugins.api import Api

log = Logger(namespace="ocizone")

#: Returns the resource of each address a plan gives to something with an address of its own.
Others = Callable[[Plan], Mapping[Address, Resource]]


class Opened:
    """What a plan asks for, and the sockets that were opened for it."""

    def __init__(
        self,
        wanted: Mapping[Address, Resource],
        made: Mapping[Address, tuple[IListeningPort, Site]],
    ) -> None:
        self.wanted = wanted
        self.made = made


class Administration:
    """Owns every admin address and the control socket."""

    def __init__(
        self,
        reactor: Any,
        desk: AdminDesk,
        operations: Operations,
        others: Others,
        in_thread: InThread,
    ) -> None:
        """Make it; nothing listens before ``move_to``.

        Args:
            reactor: of Twisted.
            desk: makes the pages.
            operations: what the API may ask of the server.
            others: see Others.
            in_thread: writes what may be megabytes.
        """
        self._reactor = reactor
        self._desk = desk
        self._operations = operations
        self._others = others
        self._in_thread = in_thread
        self._endpoints = AdminEndpoints(reactor)
        self._control: ControlSocket | None = None

    @property
    def open(self) -> dict[Address, IListeningPort]:
        """The open addresses."""
        return self._endpoints.open

    def prepare(self, plan: Plan) -> Opened:
        """Open what a plan asks for and is not open yet.

        Raises:
            AdminBindError: one cannot be opened, or two things want it; nothing changed.
        """
        wanted = self._resources(plan)
        return Opened(wanted, self._endpoints.prepare(wanted))

    def move_to(self, plan: Plan, opened: Opened) -> None:
        """Serve what a plan asks for, and close what it does not."""
        self._endpoints.move_to(opened.wanted, opened.made)
        if self._control is not None:
            self._control.move_to(self._control_pages(plan))

    def open_control(self, directory: Path, plan: Plan) -> None:
        """Open the control socket; on a read-only state directory zones are served without it."""
        try:
            self._control = ControlSocket(self._reactor, directory, self._control_pages(plan))
        except (OSError, CannotListenError) as error:
            log.error("no control socket: commands will not find this server", error=str(error))

    def close(self) -> None:
        """Close everything."""
        self._endpoints.close()
        if self._control is not None:
            self._control.close()

    def _control_pages(self, plan: Plan) -> Pages:
        return Pages(self._desk.control(plan), ControlApi(self._operations, None, self._in_thread))

    def _resources(self, plan: Plan) -> dict[Address, Resource]:
        tokens: dict[Address, Token] = {
            (one.host, one.port): _token(one.token)
            for view in plan.views
            for one in view.block.all(Api)
        }
        pages = self._desk.addresses(plan)
        found: dict[Address, Resource] = {}
        for address in {**pages, **tokens}:
            token = tokens.get(address)
            api = None if token is None else ControlApi(self._operations, token, self._in_thread)
            found[address] = Pages(pages.get(address, {}), api)
        for address, resource in self._others(plan).items():
            if address in found:
                host, port = address
                raise AdminBindError(
                    f"tcp {host or '*'}:{port} is wanted by two directives that cannot share it: "
                    "give webhook and artifacts addresses of their own"
                )
            found[address] = resource
        return found


def _token(path: str | None) -> Token:
    """Return what reads the token at each use, so that it may be changed."""
    if path is None:
        return lambda: None
    file = SecretFile(path)

    def read() -> str | None:
        found = file.read()
        return None if found is None else found.decode("utf-8", "replace")

    return read
