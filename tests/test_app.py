"""Start, reload and stop in one process, polled by hand; tests/e2e starts the real program."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.tcp import Port as TcpPort
from twisted.internet.unix import Port as UnixPort
from twisted.web.server import Site as WebSite

from ocizone.admin.pages import Page
from ocizone.app import Application, Options
from ocizone.errors import ConfigError
from tests.polling import PolledReactor

WHOAMI = "org {\n  bind 127.0.0.1\n  whoami\n}\n"


class Reactor(PolledReactor):
    """Listens as the real reactor does; what threads ask for is done in ``settle``."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: deque[Callable[[], object]] = deque()

    def callFromThread(self, act: Callable[..., object], *arguments: object) -> None:
        self.asked.append(lambda: act(*arguments))

    def settle(self) -> None:
        while self.asked:
            self.asked.popleft()()
        super().settle()

    def adoptStreamPort(self, fd: int, family: int, factory: object) -> IListeningPort:
        port: IListeningPort = TcpPort._fromListeningDescriptor(self, fd, family, factory)
        port.startListening()
        return port

    def listenTCP(
        self, port: int, factory: WebSite, backlog: int = 50, interface: str = ""
    ) -> TcpPort:
        made = TcpPort(port, factory, backlog, interface, self)
        made.startListening()
        return made

    def listenUNIX(
        self, address: str, factory: WebSite, backlog: int = 50, mode: int = 0o666
    ) -> UnixPort:
        made = UnixPort(address.encode(), factory, backlog, mode, self)
        made.startListening()
        return made


class Server:
    def __init__(self, directory: Path) -> None:
        self.corefile = directory / "Corefile"
        self.reactor = Reactor()
        options = Options(str(self.corefile), directory / "state", 0)
        self.lines: list[str] = []
        self.app = Application(
            self.reactor,
            options,
            {},
            query_line=self.lines.append,
            in_thread=maybeDeferred,
        )

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        pages: list[Page] = []
        self.app.status_page().addCallback(pages.append)
        # It is made in a thread.
        end = time.monotonic() + 10
        while not pages and time.monotonic() < end:
            self.reactor.settle()
            time.sleep(0.001)
        document: dict[str, Any] = json.loads(pages[0].body)
        return document

    def start(self, text: str = WHOAMI) -> None:
        self.corefile.write_text(text)
        self.app.startService()

    def stop(self) -> list[object]:
        ended: list[object] = []
        self.app.stopService().addBoth(ended.append)
        return ended

    def endpoints(self) -> list[str]:
        return [one["endpoint"] for one in self.status()["listeners"]]


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()
    made.reactor.advance(60)
    made.reactor.settle()


def test_it_starts_answers_and_stops(server, tmp_path):
    """Status while it runs; afterwards no reader and no socket are left."""
    server.start()
    assert server.endpoints() == ["dns://127.0.0.1:0"]
    assert server.status()["ready"]
    assert server.stop() == [None]
    server.reactor.settle()
    assert server.reactor.readers == []
    assert not (tmp_path / "state" / "control.sock").exists()
    # Asked again: by a second signal.
    assert server.stop() == [None]
    assert not server.app.reload()


def test_a_bad_corefile_does_not_start(server):
    """With all findings; nothing was opened."""
    with pytest.raises(ConfigError, match="Corefile:2"):
        server.start("org {\n nosuch\n}\n")
    assert server.reactor.readers == []


def test_a_reload_takes_up_what_changed(server):
    """Addresses, and the number of the snapshot."""
    server.start()
    before = server.app.snapshot.generation
    server.corefile.write_text(WHOAMI.replace("127.0.0.1", "127.0.0.2"))
    assert server.app.reload()
    assert server.endpoints() == ["dns://127.0.0.2:0"]
    assert server.app.snapshot.generation == before + 1


def test_a_refused_reload_changes_nothing(server):
    """Counted each time it is asked for; the watch says one refusal once."""
    server.start("org {\n  bind 127.0.0.1\n  whoami\n  reload 2s 0\n}\n")
    snapshot = server.app.snapshot
    server.corefile.write_text("org {\n nosuch\n}\n")
    for _ in range(3):
        server.reactor.advance(2)
    assert server.app._observing.counters.failed_reloads == 1
    assert not server.app.reload()
    assert server.app._observing.counters.failed_reloads == 2
    assert server.app.snapshot is snapshot
    assert server.endpoints() == ["dns://127.0.0.1:0"]


def test_the_watch_takes_up_changes_only(server):
    """``reload``: the same tokens are no reload."""
    server.start("org {\n  bind 127.0.0.1\n  whoami\n  reload 2s 0\n}\n")
    before = server.app.snapshot.generation
    server.reactor.advance(2)
    assert server.app.snapshot.generation == before
    server.corefile.write_text(WHOAMI)
    server.reactor.advance(2)
    assert server.app.snapshot.generation == before + 1


def test_a_reload_during_the_start_comes_after_it(server):
    """The start holds the sockets it bound until last good versions are restored."""
    server.start("org {\n  bind 127.0.0.1\n  root /z\n  oci localhost:1/x:y\n}\n")
    server.corefile.write_text(WHOAMI)
    assert server.endpoints() == []
    assert not server.app.reload()
    server.reactor.advance(2)
    assert server.endpoints() == ["dns://127.0.0.1:0"]
    assert server.status()["sources"] == []


def test_a_lame_duck_goes_on_answering(server):
    """Not ready at once, closed after the time ``health`` gives (corefile.md 2.10)."""
    server.start(
        "org {\n  bind 127.0.0.1\n  whoami\n  health 127.0.0.1:0 {\n    lameduck 5s\n  }\n}\n"
    )
    ended = server.stop()
    assert server.app.stopping
    server.reactor.advance(4)
    assert server.endpoints() == ["dns://127.0.0.1:0"]
    assert ended == []
    server.reactor.advance(1)
    assert ended == [None]


def test_it_serves_without_a_control_socket(server, monkeypatch):
    """A state directory that cannot be written is no reason not to answer."""

    def refuse(*_: object, **__: object) -> None:
        raise CannotListenError(None, "control.sock", OSError(30, "Read-only file system"))

    monkeypatch.setattr(server.reactor, "listenUNIX", refuse)
    server.start()
    assert server.endpoints() == ["dns://127.0.0.1:0"]
    assert server.app.reload()
