"""Admin addresses across reloads: all or nothing (CoreDNS issue 2339)."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv6Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.web.server import Site
from zope.interface import implementer

from ocizone.admin.endpoints import AdminBindError, AdminEndpoints
from ocizone.admin.pages import TEXT, Page, Pages, Render

TAKEN = 9


def page(text: bytes) -> Render:
    return lambda: Page(200, TEXT, text)


@implementer(IListeningPort)
class FakePort:
    """A listening port of a FakeReactor."""

    def __init__(self, site: Site, interface: str, number: int) -> None:
        self.site = site
        self.interface = interface
        self.number = number
        self.open = True

    def startListening(self) -> None:
        self.open = True

    def getHost(self) -> IAddress:
        return IPv6Address("TCP", self.interface, self.number)

    def stopListening(self) -> None:
        self.open = False


class FakeReactor:
    """Listens on everything but port TAKEN."""

    def __init__(self) -> None:
        self.ports: list[FakePort] = []

    def listenTCP(
        self, port: int, factory: Site, backlog: int = 50, interface: str = ""
    ) -> FakePort:
        if port == TAKEN:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        self.ports.append(FakePort(factory, interface, port))
        return self.ports[-1]

    def listening(self) -> list[tuple[str, int]]:
        return [(one.interface, one.number) for one in self.ports if one.open]


def served(port: FakePort) -> dict[str, bytes]:
    pages = port.site.resource
    assert isinstance(pages, Pages)
    made = {path: render() for path, render in pages.pages.items()}
    return {path: one.body for path, one in made.items() if isinstance(one, Page)}


HEALTH = {("", 8080): Pages({"/health": page(b"one")})}


def test_addresses_are_opened():
    """Without a host: every address, both families."""
    reactor = FakeReactor()
    admin = AdminEndpoints(reactor)
    wanted = HEALTH | {("127.0.0.1", 9153): Pages({"/metrics": page(b"m")})}
    admin.move_to(wanted, admin.prepare(wanted))
    assert reactor.listening() == [("::", 8080), ("127.0.0.1", 9153)]
    assert set(admin.open) == set(wanted)


def test_a_kept_address_gets_its_new_pages():
    """The socket stays: a scrape during a reload is answered."""
    reactor = FakeReactor()
    admin = AdminEndpoints(reactor)
    admin.move_to(HEALTH, admin.prepare(HEALTH))
    wanted = {("", 8080): Pages({"/health": page(b"two"), "/ready": page(b"r")})}
    assert admin.prepare(wanted) == {}
    assert served(reactor.ports[0]) == {"/health": b"one"}
    admin.move_to(wanted, {})
    assert len(reactor.ports) == 1
    assert served(reactor.ports[0]) == {"/health": b"two", "/ready": b"r"}


def test_an_address_that_left_is_closed():
    """Only once the new ones are open."""
    reactor = FakeReactor()
    admin = AdminEndpoints(reactor)
    admin.move_to(HEALTH, admin.prepare(HEALTH))
    wanted = {("", 8081): Pages({"/health": page(b"two")})}
    made = admin.prepare(wanted)
    assert reactor.listening() == [("::", 8080), ("::", 8081)]
    admin.move_to(wanted, made)
    assert reactor.listening() == [("::", 8081)]


def test_a_taken_address_changes_nothing():
    """What was opened beside it is closed again, what ran goes on."""
    reactor = FakeReactor()
    admin = AdminEndpoints(reactor)
    admin.move_to(HEALTH, admin.prepare(HEALTH))
    wanted = {("", 8081): Pages({}), ("", TAKEN): Pages({"/health": page(b"x")})}
    with pytest.raises(AdminBindError, match=r"tcp \*:9 for the admin pages: .*already in use"):
        admin.prepare(wanted)
    assert reactor.listening() == [("::", 8080)]
    assert set(admin.open) == set(HEALTH)


def test_close_closes_all():
    """A stopped server holds nothing."""
    reactor = FakeReactor()
    admin = AdminEndpoints(reactor)
    admin.move_to(HEALTH, admin.prepare(HEALTH))
    admin.close()
    assert reactor.listening() == []
    assert admin.open == {}
