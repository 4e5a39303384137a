"""The artifact endpoint, as HTTP clients see it, over StringTransport on a clock."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from ocizone.admin.artifacts import ArtifactPages
from ocizone.admin.connections import site
from ocizone.limits import ADMIN_CONNECTIONS, ARTIFACT_PIECE_OCTETS, ARTIFACT_STALL_S
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.published import Published
from ocizone.store.store import Store
from tests.fakes.following import digest_of

ZONE = b"@ SOA ns h 1 2 3 4 60\n"
LARGE = bytes(range(256)) * (ARTIFACT_PIECE_OCTETS // 64)


class Threads:
    """Runs work at once, or when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] | None = None

    def __call__(self, work: Callable[[], Any]) -> Deferred[Any]:
        if self.waiting is None:
            return maybeDeferred(work)
        result: Deferred[Any] = Deferred()
        self.waiting.append(lambda: maybeDeferred(work).chainDeferred(result))
        return result

    def run(self) -> None:
        """Do what waits, and what it leads to."""
        while self.waiting:
            self.waiting.pop(0)()


class Endpoint:
    """An endpoint over a store with one deployment of two layers."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.clock = Clock()
        self.threads = Threads()
        self.keys = ["one"]
        layers = []
        for title, data in (("db.example.org", ZONE), ("large", LARGE)):
            temporary = self.store.disk.temporary()
            temporary.write_bytes(data)
            self.store.blobs.ingest(temporary, digest_of(data))
            layers.append(StoredLayer(digest_of(data), len(data), title, False, "text/dns"))
        made = Deployment("one", "r", digest_of(b"m"), tuple(layers), "f" * 64, (), (), 5, 1)
        self.store.source("one").commit(made)
        pages = ArtifactPages(Published(self.store), lambda: self.keys, self.threads, self.clock)
        self.site: Any = site(pages)
        self.site.reactor = self.clock
        self.transport, self.protocol = self.connect()

    def connect(self) -> tuple[StringTransport, Any]:
        transport, protocol = StringTransport(), self.site.buildProtocol(None)
        if protocol is not None:
            protocol.makeConnection(transport)
        return transport, protocol

    def ask(self, path: str, method: str = "GET", **headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: x"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.protocol.dataReceived("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        self.transport.clear()
        self.ask(path, method, **headers)
        raw = self.transport.value()

        class Socket:
            def makefile(self, _mode: str) -> BytesIO:
                return BytesIO(raw)

        response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]  # it only reads
        response.begin()
        return response.status, dict(response.getheaders()), response.read()


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    made = Endpoint(tmp_path / "state")
    yield made
    made.store.close()


def blob(data: bytes) -> str:
    return f"/artifacts/{digest_of(data)}"


def test_a_layer_by_its_digest(endpoint: Endpoint):
    """The octets that were pulled; the entity tag is the digest."""
    status, headers, body = endpoint.get(blob(ZONE))
    assert (status, body) == (200, ZONE)
    assert headers["ETag"] == f'"{digest_of(ZONE)}"'
    assert headers["Content-Length"] == str(len(ZONE))
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in headers


def test_files_of_a_deployment_by_its_manifest(endpoint: Endpoint):
    """As tar.gz, twice the same; the tag is that of these octets."""
    status, headers, body = endpoint.get(f"/artifacts/{digest_of(b'm')}.tar.gz")
    assert (status, headers["Content-Type"]) == (200, "application/gzip")
    assert headers["ETag"] == f'"{digest_of(body)}"'
    assert ZONE in gzip.decompress(body)
    assert endpoint.get(f"/artifacts/{digest_of(b'm')}.tar.gz")[2] == body


def test_a_large_file_comes_in_pieces(endpoint: Endpoint):
    """Whole, whatever its size."""
    assert endpoint.get(blob(LARGE))[2] == LARGE


def test_head_has_the_headers_alone(endpoint: Endpoint):
    """And opens nothing that stays open."""
    status, headers, body = endpoint.get(blob(ZONE), "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(ZONE)), b"")


def test_a_range(endpoint: Endpoint):
    """206 with the octets asked for; 416 behind the end."""
    status, headers, body = endpoint.get(blob(ZONE), Range="bytes=2-4")
    assert (status, body) == (206, ZONE[2:5])
    assert headers["Content-Range"] == f"bytes 2-4/{len(ZONE)}"
    status, headers, body = endpoint.get(blob(ZONE), Range="bytes=99-")
    assert (status, body) == (416, b"")
    assert headers["Content-Range"] == f"bytes */{len(ZONE)}"
    start = ARTIFACT_PIECE_OCTETS - 5
    assert (
        endpoint.get(blob(LARGE), Range=f"bytes={start}-{start + 9}")[2]
        == (LARGE[start : start + 10])
    )


def test_what_is_known_is_not_sent_again(endpoint: Endpoint):
    """304 for its digest."""
    status, headers, body = endpoint.get(blob(ZONE), If_None_Match=f'"{digest_of(ZONE)}"')
    assert (status, body) == (304, b"")
    assert headers["ETag"] == f'"{digest_of(ZONE)}"'


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/artifacts",
        "/artifacts/",
        "/artifacts/sha256:",
        f"/artifacts/{digest_of(b'unknown')}",
        f"/artifacts/{digest_of(b'm')}",
        f"/artifacts/{digest_of(ZONE)}.tar.gz",
        f"/artifacts/{digest_of(ZONE)}.lock",
        f"/artifacts/{digest_of(ZONE).upper()}",
        f"/artifacts/../artifacts/{digest_of(ZONE)}",
        f"//artifacts/{digest_of(ZONE)}",
        f"/artifacts/{digest_of(ZONE)}/",
        "/artifacts/..%2f..%2flock",
    ],
)
def test_there_is_nothing_else(endpoint: Endpoint, path: str):
    """No listing, no way out, and no difference between unknown and odd."""
    status, _, body = endpoint.get(path)
    assert (status, body) == (404, b"not found\n")


def test_sources_that_are_gone_give_nothing(endpoint: Endpoint):
    """What the Corefile no longer names is nobody's."""
    endpoint.keys = []
    assert endpoint.get(blob(ZONE))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(endpoint: Endpoint, method: str):
    """405, and which methods there are."""
    status, headers, _ = endpoint.get(blob(ZONE), method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_what_cannot_be_read_is_an_error_without_a_path(endpoint: Endpoint):
    """The log has the reason; the client learns nothing of our disk."""
    path = endpoint.store.blobs.path(digest_of(ZONE))
    path.unlink()
    path.symlink_to(endpoint.store.root)
    status, _, body = endpoint.get(blob(ZONE))
    assert (status, body) == (500, b"cannot read it\n")


def test_a_client_that_takes_nothing_is_left(endpoint: Endpoint):
    """Its place and its descriptor are for others."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    endpoint.protocol.pauseProducing()
    endpoint.threads.run()
    sent = len(endpoint.transport.value())
    assert sent < len(LARGE)
    endpoint.clock.advance(ARTIFACT_STALL_S - 1)
    assert [endpoint.transport.disconnected] == [False]
    endpoint.clock.advance(1)
    assert [endpoint.transport.disconnected] == [True]
    assert len(endpoint.transport.value()) == sent


def test_a_client_is_not_left_because_the_disk_is_slow(endpoint: Endpoint):
    """It would have taken what nobody read yet."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    endpoint.clock.pump([ARTIFACT_STALL_S] * 3)
    endpoint.threads.run()
    assert endpoint.transport.value().endswith(LARGE)


def test_a_client_that_is_slow_is_not_left(endpoint: Endpoint):
    """Each piece it takes gives it as long again."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    for _ in range(len(LARGE) // ARTIFACT_PIECE_OCTETS - 1):
        endpoint.protocol.pauseProducing()
        endpoint.threads.waiting.pop(0)()
        endpoint.clock.advance(ARTIFACT_STALL_S * 0.7)
        endpoint.protocol.resumeProducing()
    endpoint.threads.run()
    assert endpoint.transport.value().endswith(LARGE)


def test_a_client_that_pauses_goes_on(endpoint: Endpoint):
    """Where it was."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    endpoint.protocol.pauseProducing()
    endpoint.threads.run()
    endpoint.protocol.resumeProducing()
    endpoint.threads.run()
    assert endpoint.transport.value().endswith(LARGE)
    assert endpoint.clock.getDelayedCalls() != []  # the keep-alive clock of the connection
    endpoint.clock.advance(ARTIFACT_STALL_S)
    assert endpoint.transport.disconnecting


@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_leaves(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, *, begun: bool):
    """Before its file is found, or while it is read: the descriptor is closed, once."""
    closed: list[int] = []
    monkeypatch.setattr("ocizone.admin.artifacts.os.close", closed.append)
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    if begun:
        endpoint.threads.waiting.pop(0)()
    endpoint.protocol.connectionLost(Failure(ConnectionLost()))
    assert closed == []
    endpoint.threads.run()
    assert len(closed) == 1
    assert endpoint.clock.getDelayedCalls() == []


def test_a_file_that_ends_early_is_no_whole_answer(endpoint: Endpoint):
    """The connection is cut: an answer that ends early must not look whole."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    path = endpoint.store.blobs.path(digest_of(LARGE))
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(10)
    endpoint.threads.run()
    assert endpoint.transport.disconnected


@pytest.mark.parametrize("left", [False, True])
def test_a_disk_that_fails(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, *, left: bool):
    """In the middle: the connection is cut, unless the client cut it; the file is closed."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(LARGE))
    endpoint.threads.waiting.pop(0)()
    closed: list[int] = []
    monkeypatch.setattr("ocizone.admin.artifacts.os.close", closed.append)

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("ocizone.admin.artifacts.os.pread", broken)
    if left:
        endpoint.protocol.connectionLost(Failure(ConnectionLost()))
    endpoint.threads.run()
    assert len(closed) == 1
    assert endpoint.transport.disconnected != left
    assert [call for call in endpoint.clock.getDelayedCalls() if left] == []


def test_a_failure_to_find_after_the_client_left(endpoint: Endpoint):
    """Is told in the log alone."""
    endpoint.threads.waiting = []
    endpoint.ask(blob(ZONE))
    path = endpoint.store.blobs.path(digest_of(ZONE))
    path.unlink()
    path.symlink_to(endpoint.store.root)
    endpoint.protocol.connectionLost(Failure(ConnectionLost()))
    endpoint.threads.run()
    assert endpoint.transport.value() == b""


def test_connections_are_bounded(endpoint: Endpoint):
    """One too many ends the one that is idle for the longest time."""
    others = [endpoint.connect()[0] for _ in range(ADMIN_CONNECTIONS)]
    assert not any(one.disconnected for one in others)
    endpoint.connect()
    assert sum(one.disconnected for one in others) == 1
