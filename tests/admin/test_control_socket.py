"""The control socket on a real path, polled by hand; the client side in a thread."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from twisted.internet.unix import Port
from twisted.web.server import Site

from ocizone.admin.control import ControlSocket
from ocizone.admin.pages import TEXT, Page, Pages
from ocizone.control import ControlError, ask
from ocizone.state_dir import CONTROL_SOCKET
from tests.polling import PolledReactor


class UnixReactor(PolledReactor):
    """Listens on a path as the real reactor does."""

    def listenUNIX(self, address: str, factory: Site, backlog: int = 50, mode: int = 0o666) -> Port:
        factory.reactor = self
        port = Port(address.encode(), factory, backlog, mode, self)
        port.startListening()
        return port


def ask_over(reactor: UnixReactor, directory: Path, path: str) -> tuple[int, bytes]:
    """Ask from another thread while this one serves."""
    answers: list[tuple[int, bytes]] = []
    asking = threading.Thread(target=lambda: answers.append(ask(directory, path)), daemon=True)
    asking.start()
    for _ in range(1000):
        if not asking.is_alive():
            break
        reactor.turn(0.01)
    return answers[0]


def test_pages_come_over_the_socket(tmp_path):
    """The same as over TCP; a reload changes them."""
    reactor = UnixReactor()
    control = ControlSocket(reactor, tmp_path, Pages({"/health": lambda: Page(200, TEXT, b"OK")}))
    assert ask_over(reactor, tmp_path, "/health") == (200, b"OK")
    control.move_to(Pages({"/ready": lambda: Page(503, TEXT, b"not yet")}))
    assert ask_over(reactor, tmp_path, "/ready") == (503, b"not yet")
    assert ask_over(reactor, tmp_path, "/health")[0] == 404
    control.close()
    reactor.settle()


def test_only_the_owner_may_use_it(tmp_path):
    """It tells of zones and registries, and later may do more."""
    reactor = UnixReactor()
    control = ControlSocket(reactor, tmp_path, Pages({}))
    mode = (tmp_path / CONTROL_SOCKET).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    control.close()
    reactor.settle()


def test_one_left_from_a_kill_is_replaced(tmp_path):
    """The lock of the state directory is held: nobody serves it."""
    (tmp_path / CONTROL_SOCKET).write_bytes(b"")
    reactor = UnixReactor()
    control = ControlSocket(reactor, tmp_path, Pages({"/health": lambda: Page(200, TEXT, b"OK")}))
    assert ask_over(reactor, tmp_path, "/health")[0] == 200
    control.close()
    reactor.settle()


def test_a_deep_directory_is_no_obstacle_and_nothing_is_left(tmp_path):
    """unix(7): 108 octets; the socket and the descriptor go away with the server."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    before = set(Path("/proc/self/fd").iterdir())
    reactor = UnixReactor()
    control = ControlSocket(reactor, deep, Pages({}))
    assert (deep / CONTROL_SOCKET).is_socket()
    control.close()
    reactor.settle()
    assert not (deep / CONTROL_SOCKET).exists()
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_nobody_there_is_told_with_a_hint(tmp_path):
    """No directory, no socket, and a socket nobody listens on."""
    for directory in (tmp_path / "gone", tmp_path):
        with pytest.raises(ControlError, match=r"no server answers in .*: No such file .*--state"):
            ask(directory, "/health")
