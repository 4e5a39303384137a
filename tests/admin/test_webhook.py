"""`POST /hook` over StringTransport on a clock: who may, what follows, and how often."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from http.client import HTTPResponse
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from ocizone import limits
from ocizone.admin.connections import site
from ocizone.admin.secretfile import SecretFile
from ocizone.admin.senders import Shown, knows
from ocizone.admin.webhook import Followed, Hook, Nudges

SECRET = b"an-obviously-fake-secret"


def body(*repositories: str) -> bytes:
    """A notification of distribution."""
    events = [
        {"action": "push", "target": {"repository": name, "tag": "prod"}} for name in repositories
    ]
    return json.dumps({"events": events}).encode()


class Server:
    """A hook behind its site; what it had looked at is in ``looks`` as (seconds, repository)."""

    def __init__(
        self,
        secret: bytes | None = SECRET,
        *,
        open_: bool = False,
        followed: Followed | None = None,
    ) -> None:
        self.clock = Clock()
        self.looks: list[tuple[float, str]] = []
        self.followed = {"dns/zones", "other"}
        self.nudges = Nudges(self.clock, self._changed, followed or (lambda _: True))
        self.secret = secret
        self.site: Any = site(Hook(self.nudges, None if open_ else lambda: self.secret))
        self.site.reactor = self.clock

    def _changed(self, repository: str) -> int:
        self.looks.append((round(self.clock.seconds(), 3), repository))
        return repository in self.followed

    def send(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the answer to some octets on a new connection."""
        transport = StringTransport()
        protocol = self.site.buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived(raw)
        written = transport.value()

        class Socket:
            def makefile(self, _mode: str) -> BytesIO:
                return BytesIO(written)

        method = raw.split(b" ")[0].decode()
        response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]  # it only reads
        response.begin()
        return response.status, dict(response.getheaders()), response.read()

    def post(self, content: bytes, path: str = "/hook", **headers: str) -> int:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = [
            f"POST {path} HTTP/1.1",
            "Host: localhost:9153",
            f"Content-Length: {len(content)}",
            *lines,
        ]
        return self.send("\r\n".join([*head, "", ""]).encode("latin-1") + content)[0]


def basic(password: bytes, user: bytes = b"anybody") -> str:
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def signed(content: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, content, hashlib.sha256).hexdigest()


BODY = body("dns/zones")


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hook", {"Authorization": f"Bearer {SECRET.decode()}"}),
        ("/hook", {"Authorization": f"bearer  {SECRET.decode()} "}),
        ("/hook", {"Authorization": SECRET.decode()}),
        ("/hook", {"Authorization": basic(SECRET)}),
        ("/hook", {"Authorization": basic(SECRET, b"")}),
        ("/hook", {"X-Hub-Signature-256": signed(BODY)}),
        (f"/hook/{SECRET.decode()}", {}),
        (f"/hook/{SECRET.decode().replace('-', '%2d')}", {}),
        (f"/hook?secret={SECRET.decode()}", {}),
        (f"/hook?a=b&secret={SECRET.decode().replace('-', '%2D')}", {}),
        # One right word is enough.
        (f"/hook?secret={SECRET.decode()}", {"Authorization": "Bearer wrong"}),
    ],
)
def test_who_knows_the_secret(path: str, headers: dict[str, str]):
    """Every way registries have to show it is accepted, and a look follows."""
    server = Server()
    assert server.post(BODY, path, **headers) == 202
    server.clock.advance(1)
    assert server.looks == [(1.0, "dns/zones")]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hook", {}),
        ("/hook", {"Authorization": ""}),
        ("/hook", {"Authorization": "Bearer"}),
        ("/hook", {"Authorization": f"Bearer {SECRET.decode()}x"}),
        ("/hook", {"Authorization": f"Bearer {SECRET.decode()[:-1]}"}),
        ("/hook", {"Authorization": f"Token {SECRET.decode()}"}),
        ("/hook", {"Authorization": basic(b"wrong", SECRET)}),
        ("/hook", {"Authorization": "Basic !!!"}),
        ("/hook", {"Authorization": "Basic " + base64.b64encode(SECRET).decode()}),
        ("/hook", {"X-Hub-Signature-256": signed(BODY, b"wrong")}),
        ("/hook", {"X-Hub-Signature-256": signed(BODY + b" ")}),
        ("/hook", {"X-Hub-Signature-256": signed(BODY).removeprefix("sha256=")}),
        ("/hook", {"X-Hub-Signature": signed(BODY)}),
        ("/hook", {"X-Hub-Signature-256": SECRET.decode()}),
        ("/hook/", {}),
        ("/hook/wrong", {}),
        ("/hook?secret=", {}),
        ("/hook?secret=wrong", {}),
        (f"/hook?Secret={SECRET.decode()}", {}),
        (f"/hook?{SECRET.decode()}", {}),
    ],
)
def test_who_does_not(path: str, headers: dict[str, str]):
    """401, and nothing is read of what was sent (forged notifications)."""
    server = Server()
    assert server.post(BODY, path, **headers) == 401
    server.clock.advance(1)
    assert server.looks == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": ""}])
def test_no_secret_to_be_had(headers: dict[str, str]):
    """A file that is missing or empty lets nobody in, not everybody."""
    server = Server(secret=None)
    assert server.post(BODY, **headers) == 401
    assert server.post(BODY, X_Hub_Signature_256=signed(BODY, b"")) == 401


def test_without_a_secret_in_the_corefile():
    """Open: the Corefile allows it on loopback only."""
    server = Server(open_=True)
    assert server.post(BODY) == 202
    server.clock.advance(1)
    assert [name for _, name in server.looks] == ["dns/zones"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost", "", 202),
        ("LOCALHOST.:8080", "", 202),
        ("a.localhost", "", 202),
        ("127.0.0.1:8080", "", 202),
        ("127.1.2.3", "", 202),
        ("[::1]:8080", "", 202),
        ("localhost", "http://localhost:3000", 202),
        ("evil.example:8080", "", 403),
        ("127.0.0.1.evil.example", "", 403),
        ("localhost@evil.example", "", 403),
        ("localhost.evil.example", "", 403),
        ("192.0.2.1", "", 403),
        ("[::1", "", 403),
        ("x", "", 403),
        ("localhost", "https://evil.example", 403),
        ("localhost", "null", 403),
    ],
)
def test_a_page_in_a_browser_may_not_send(host: str, origin: str, status: int):
    """Without a secret: any site may have a browser post text/plain to 127.0.0.1."""
    server = Server(open_=True)
    headers = f"Host: {host}\r\nContent-Type: text/plain\r\n"
    headers += f"Origin: {origin}\r\n" if origin else ""
    request = f"POST /hook HTTP/1.1\r\n{headers}Content-Length: {len(BODY)}\r\n\r\n"
    assert server.send(request.encode() + BODY)[0] == status
    server.clock.advance(1)
    assert bool(server.looks) is (status == 202)
    # Who knows the secret may send under any name.
    known = f"Authorization: {SECRET.decode()}\r\n{headers}"
    request = f"POST /hook HTTP/1.1\r\n{known}Content-Length: {len(BODY)}\r\n\r\n"
    assert Server().send(request.encode() + BODY)[0] == 202


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=20), st.binary(max_size=40), st.binary(max_size=30))
def test_only_the_secret_opens(secret: bytes, header: bytes, path: bytes):
    """No header and no path that lacks it; whatever octets there are."""
    content = b"{}"
    shown = Shown(authorization=header, path=path, query=path)
    if secret not in header and secret not in path and b"%" not in path:
        assert not knows(secret, shown, content) or header.lower().startswith(b"basic ")
    assert knows(secret, Shown(authorization=basic(secret).encode()), content)
    assert knows(secret, Shown(signature=signed(content, secret).encode()), content)
    assert repr(shown) == "Shown()"


# --- What is answered ----------------------------------------------------------------------------


def test_nothing_is_told():
    """202 for what is followed and for what is not, for what is understood and what is not."""
    answers = set()
    for content in (BODY, body("nobody/follows"), b"{}", b"\xff", b"", body("../x"), b"[" * 99):
        server = Server(open_=True)
        head = f"POST /hook HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: {len(content)}\r\n\r\n"
        status, headers, said = server.send(head.encode() + content)
        headers.pop("Date", None)
        answers.add((status, tuple(sorted(headers.items())), said))
    ((status, headers_, said),) = answers
    assert (status, said) == (202, b"accepted\n")
    assert "Server" not in dict(headers_)
    assert dict(headers_)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "BREW"])
def test_only_post(method: str):
    """RFC 9110 15.5.6: 405 names what is allowed."""
    status, headers, said = Server().send(f"{method} /hook HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (status, headers["Allow"]) == (405, "POST")
    assert said == (b"" if method == "HEAD" else b"method not allowed\n")


@pytest.mark.parametrize("path", ["/", "/hooks", "/Hook", "/v1/status", "/x/hook", "//hook"])
def test_nothing_else_is_there(path: str):
    """Only the hook, even with the secret."""
    assert Server().post(BODY, path, Authorization=SECRET.decode()) == 404


def test_401_says_how():
    """RFC 9110 15.5.2: a challenge."""
    status, headers, _ = Server().send(b"POST /hook HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="ocizone webhook"')


def test_bodies_are_bounded():
    """1 MiB is read, one octet more is refused at its announcement or when it comes."""
    server = Server(open_=True)
    padding = b" " * (limits.WEBHOOK_OCTETS - len(BODY))
    assert server.post(BODY + padding) == 202
    head = "POST /hook HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    announced = f"{head}Content-Length: {limits.WEBHOOK_OCTETS + 1}\r\n\r\n"
    assert server.send(announced.encode())[0] == 413
    chunk = b"%x\r\n" % (limits.WEBHOOK_OCTETS + 1) + b" " * (limits.WEBHOOK_OCTETS + 1)
    assert server.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk)[0] == 413
    server.clock.advance(1)
    assert len(server.looks) == 1


# --- How often -----------------------------------------------------------------------------------


def looked(
    server: Server, *events: tuple[float, str], until: float = 60.0
) -> list[tuple[float, str]]:
    """Return the looks that notifications at these seconds cause."""
    for at, name in events:
        server.clock.pump([0.05] * round((at - server.clock.seconds()) / 0.05))
        server.nudges.push(name)
    server.clock.pump([0.05] * round((until - server.clock.seconds()) / 0.05))
    return server.looks


def test_a_push_of_many_tags_is_one_look():
    """Within 0.2 s of the first; the look is not put off by the later ones."""
    server = Server()
    assert looked(server, *((0.05 * n, "dns/zones") for n in range(4))) == [(0.2, "dns/zones")]


def test_a_look_comes_soon():
    """Push to served in under a second leaves no room for more."""
    assert looked(Server(), (0, "dns/zones"), (10, "dns/zones")) == [
        (0.2, "dns/zones"),
        (10.2, "dns/zones"),
    ]


def test_a_flood_is_slowed_and_its_end_is_seen():
    """Two looks in a row, then one in 2 s; the last notification is always followed by a look."""
    looks = looked(Server(), *((0.1 * n, "dns/zones") for n in range(100)))
    at = [when for when, _ in looks]
    assert at[0] == 0.2
    assert at[1] < 0.6
    assert all(later - sooner >= 1.7 for sooner, later in pairwise(at[1:]))
    assert len(at) <= 2 + 12 / limits.WEBHOOK_REFILL_S
    assert at[-1] >= 9.9


def test_repositories_do_not_slow_one_another():
    """Each has a bucket of its own; what nobody follows is forgotten."""
    server = Server()
    events = [(0.1 * n, name) for n in range(20) for name in ("dns/zones", f"junk/{n}")]
    looks = looked(server, *events, (2.0, "other"))
    assert (2.2, "other") in [(round(at, 1), name) for at, name in looks]
    assert set(server.nudges._repositories) == server.followed


def test_repositories_that_wait_are_bounded():
    """Names from outside must not fill the memory; afterwards there is room again."""
    server = Server()
    for index in range(limits.WEBHOOK_REPOSITORIES + 5):
        server.nudges.push(f"junk/{index}")
    assert len(server.nudges._repositories) == limits.WEBHOOK_REPOSITORIES
    server.clock.advance(1)
    assert len(server.looks) == limits.WEBHOOK_REPOSITORIES
    assert server.nudges._repositories == {}


def test_what_nobody_follows_takes_no_place():
    """A registry of ten thousand repositories tells of them all; ours is looked at."""
    server = Server(followed=lambda repository: repository == "dns/zones")
    for index in range(limits.WEBHOOK_REPOSITORIES * 3):
        server.nudges.push(f"junk/{index}")
    server.nudges.push("dns/zones")
    server.clock.advance(1)
    assert server.looks == [(1.0, "dns/zones")]


def test_stopping():
    """No timer is left."""
    server = Server()
    server.nudges.push("dns/zones")
    server.clock.advance(1)
    server.nudges.push("other")
    server.nudges.stop()
    assert server.clock.getDelayedCalls() == []


@settings(max_examples=60)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=25))
def test_every_notification_is_followed_by_a_look(gaps: list[float]):
    """Whatever the rhythm: after the last one there is a look, soon; and never too many."""
    server = Server()
    for gap in gaps:
        server.clock.advance(gap)
        server.nudges.push("dns/zones")
    last = server.clock.seconds()
    server.clock.advance(limits.WEBHOOK_REFILL_S + 0.01)
    assert server.looks[-1][0] >= last
    assert len(server.looks) <= limits.WEBHOOK_BURST + sum(gaps) / limits.WEBHOOK_REFILL_S + 1


# --- The log, and the secret's file --------------------------------------------------------------


@pytest.fixture
def logged():
    events: list[str] = []

    @implementer(ILogObserver)
    def observe(event: Any) -> None:
        events.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def test_what_is_not_understood_is_logged_once(logged: list[str]):
    """An operator sees why nothing happens; a sender cannot fill the log."""
    server = Server(open_=True)
    for content in (b"{}", b"{}", b"nonsense", BODY, b"\xff"):
        server.post(content)
    assert [line for line in logged if "not understood" in line] == [
        "a notification was not understood: no shape of a known registry",
        "a notification was not understood: not UTF-8 at octet 0",
    ]


def test_a_flood_is_a_line_a_window(logged: list[str]):
    """With how many there were; not one each."""
    server = Server()
    server.nudges = Nudges(server.clock, lambda _: 1)
    for index in range(limits.WEBHOOK_REPOSITORIES + 7_001):
        server.nudges.push(f"junk/{index}")
    server.clock.advance(limits.WEBHOOK_TELL_S)
    assert [line for line in logged if "dropped" in line] == [
        "notifications dropped: 7001 beyond the repositories that may wait"
    ]
    server.nudges.push("one/more")
    server.nudges.stop()
    assert server.clock.getDelayedCalls() == []


def test_the_secret_is_read_at_each_use(tmp_path: Path, logged: list[str]):
    """A replaced file counts at once; what is wrong with it is said once."""
    path = tmp_path / "secret"
    file = SecretFile(str(path))
    assert file.read() is None
    assert file.read() is None
    path.write_text(" one\n")
    assert file.read() == b"one"
    path.write_text("two")
    assert file.read() == b"two"
    path.write_text("\n")
    assert file.read() is None
    assert file.read() is None
    said = [line for line in logged if "no secret in" in line]
    assert [line.rpartition(": ")[2] for line in said] == [
        "No such file or directory",
        "it is empty",
    ]
    assert "one" not in str(said[1]).replace("no secret", "").replace("none", "").split()


def test_a_pipe_is_no_secret(tmp_path: Path):
    """Reading it must not stop the server."""
    os.mkfifo(tmp_path / "pipe")
    assert SecretFile(str(tmp_path / "pipe")).read() is None
    assert SecretFile(str(tmp_path)).read() is None
