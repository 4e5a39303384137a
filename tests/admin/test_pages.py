"""The admin pages against hostile clients, over StringTransport on a clock."""

from __future__ import annotations

from http.client import HTTPResponse
from io import BytesIO
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.admin.connections import site
from ocizone.admin.pages import JSON, TEXT, Ask, Page, Pages


class Browser:
    """One connection to a site."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls = 0
        self.site: Any = site(
            Pages({"/health": self._health, "/status": lambda: Page(200, JSON, b"{}")})
        )
        self.site.reactor = self.clock
        self.transport = StringTransport()
        self.protocol = self.site.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def _health(self) -> Page:
        self.calls += 1
        return Page(200, TEXT, b"OK")

    def send(self, data: bytes) -> bytes:
        """Return what comes back of some octets."""
        self.transport.clear()
        self.protocol.dataReceived(data)
        back: bytes = self.transport.value()
        return back


def get(path: str, method: str = "GET", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def parse(raw: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    class Socket:
        def makefile(self, _mode: str) -> BytesIO:
            return BytesIO(raw)

    response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]  # it only reads
    response.begin()
    return response.status, dict(response.getheaders()), response.read()


def test_a_page_is_served():
    """Exact path, its media type, not cached, without the software's name."""
    status, headers, body = parse(Browser().send(get("/health")))
    assert (status, body) == (200, b"OK")
    assert headers["Content-Type"] == TEXT
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in headers
    assert parse(Browser().send(get("/status")))[1]["Content-Type"] == JSON


def test_head_is_get_without_the_body():
    """RFC 9110 9.3.2: the same headers."""
    status, headers, body = parse(Browser().send(get("/health", "HEAD")), "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "2", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_pages_are_read_only(method):
    """RFC 9110 15.5.6: 405 names what is allowed."""
    status, headers, _ = parse(Browser().send(get("/health", method)))
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/health/", 404),
        ("/Health", 404),
        ("/../etc/passwd", 404),
        ("/<script>alert(1)</script>", 404),
        ("/%0d%0aX:%20y", 404),
        ("/h\xe9alth", 400),
        ("/health?x=<b>", 200),
    ],
)
def test_nothing_else_exists_and_nothing_is_echoed(path, status):
    """CVE-2022-39348: neither path nor host come back."""
    raw = Browser().send(get(path).replace(b"Host: x", b"Host: <script>"))
    assert parse(raw)[0] == status
    assert b"script" not in raw
    assert b"passwd" not in raw
    assert b"X: y" not in raw


def test_a_changed_set_of_pages_counts_at_once():
    """A reload gives a kept address other pages."""
    browser = Browser()
    pages = browser.site.resource
    assert isinstance(pages, Pages)
    pages.pages = {}
    assert parse(browser.send(get("/health")))[0] == 404


def test_requests_of_one_connection_are_answered_in_order():
    """CVE-2024-41810's neighbour: pipelining must not mix replies."""
    raw = Browser().send(get("/health") + get("/status") + get("/none") + get("/health"))
    bodies = [one.partition(b"\r\n\r\n")[2] for one in raw.split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"OK", b"{}", b"not found\n", b"OK"]


@pytest.mark.parametrize(
    "head",
    [
        f"Content-Length: {1 << 30}",
        f"Content-Length: {limits.CONTROL_REQUEST_OCTETS + 1}",
        "Transfer-Encoding: chunked",
    ],
)
def test_a_large_body_is_refused_not_stored(head):
    """A gigabyte costs its sender the connection, and us one reply."""
    browser = Browser()
    raw = browser.send(get("/health", "POST", head))
    size = limits.CONTROL_REQUEST_OCTETS
    body = b"%x\r\n" % size + b"x" * size + b"\r\n" if "chunked" in head else b"x" * size
    for _ in range(3):
        if not browser.transport.disconnecting:
            raw += browser.send(body)
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert raw.count(b"HTTP/1.1") == 1
    assert browser.transport.disconnecting
    assert browser.calls == 0


def test_many_large_chunks_are_refused_once():
    """All of them in one read."""
    browser = Browser()
    size = limits.CONTROL_REQUEST_OCTETS
    chunks = b"".join(b"%x\r\n" % n + b"x" * n + b"\r\n" for n in (size, size, 1, 0))
    raw = browser.send(get("/health", "GET", "Transfer-Encoding: chunked") + chunks)
    assert raw.count(b"HTTP/1.1") == 1
    assert browser.calls == 0


def test_a_small_body_is_read_and_ignored():
    """Some health checkers send one."""
    raw = Browser().send(get("/health", "GET", "Content-Length: 5") + b"hello" + get("/none"))
    assert raw.count(b"HTTP/1.1 200") == 1
    assert raw.count(b"HTTP/1.1 404") == 1


def test_ten_thousand_headers_are_refused():
    """Bounded before a page is asked for."""
    browser = Browser()
    raw = browser.send(get("/health", "GET", *(f"X-{n}: y" for n in range(10_000))))
    assert raw.startswith(b"HTTP/1.1 400")
    assert browser.calls == 0


def test_a_slow_request_ends_in_time():
    """Slow loris: an octet a second does not hold a connection."""
    browser = Browser()
    for number in range(int(limits.CONTROL_S) - 1):
        browser.send(b"GET /health HTTP/1.1\r\n"[number : number + 1])
        browser.clock.advance(1)
    assert not browser.transport.disconnecting
    browser.clock.advance(1)
    assert browser.transport.disconnecting


def test_a_kept_connection_has_time_for_its_next_request():
    """A scraper keeps its connection; the clock runs from the last reply."""
    browser = Browser()
    for _ in range(5):
        browser.clock.advance(limits.CONTROL_S - 1)
        assert parse(browser.send(get("/health")))[0] == 200
    browser.clock.advance(limits.CONTROL_S)
    assert browser.transport.disconnecting


def test_a_bug_in_a_page_is_a_500_without_details():
    """No traceback leaves; the next request is answered."""
    browser = Browser()

    def broken() -> Page:
        raise ZeroDivisionError("secret")

    browser.site.resource.pages["/broken"] = broken
    raw = browser.send(get("/broken"))
    assert raw.startswith(b"HTTP/1.1 500")
    assert b"secret" not in raw
    assert b"ZeroDivision" not in raw


def test_a_bug_in_a_page_that_takes_its_time():
    """The same; the log has the traceback."""
    browser = Browser()
    later: Deferred[Page] = Deferred()
    browser.site.resource.pages["/broken"] = lambda: later
    assert browser.send(get("/broken")) == b""
    with capturedLogs() as logged:
        later.errback(ZeroDivisionError("secret"))
    status, _, body = parse(browser.transport.value())
    assert (status, body) == (500, b"internal error\n")
    assert [event["log_failure"].type for event in logged] == [ZeroDivisionError]


def test_nothing_is_logged_of_a_request():
    """A scrape every few seconds would be most of the log."""
    browser = Browser()
    assert browser.site.log(None) is None
    assert not browser.site.noisy


class Visitors:
    """Connections to one site; ``/slow`` is answered when one of ``waiting`` is."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[Page]] = []
        self.site: Any = site(Pages({"/fast": lambda: Page(200, TEXT, b""), "/slow": self._slow}))
        self.site.reactor = Clock()

    def _slow(self) -> Deferred[Page]:
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def connect(self) -> tuple[Any, StringTransport] | None:
        channel = self.site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        if channel is None:
            return None
        transport = StringTransport()
        channel.makeConnection(transport)
        return channel, transport

    def fill(self) -> list[tuple[Any, StringTransport]]:
        made = [self.connect() for _ in range(limits.ADMIN_CONNECTIONS)]
        return [one for one in made if one is not None]


def test_too_many_connections_cost_the_longest_idle_one():
    """64 that say nothing do not lock a probe out, nor the one who is being answered."""
    visitors = Visitors()
    connected = visitors.fill()
    assert len(connected) == limits.ADMIN_CONNECTIONS
    connected[0][0].dataReceived(get("/fast"))
    connected[1][0].dataReceived(get("/slow"))
    connected[2][0].dataReceived(b"GET /fast HTTP/1.1\r\n")
    for _ in range(3):
        assert visitors.connect() is not None
    ended = [place for place, (_, transport) in enumerate(connected) if transport.disconnected]
    # Half a request is none; who was answered came last.
    assert ended == [2, 3, 4]
    connected[2][0].connectionLost(Failure(ConnectionDone()))
    visitors.waiting[0].callback(Page(200, TEXT, b"at last"))
    assert parse(connected[1][1].value())[2] == b"at last"


def test_connections_are_capped():
    """Each takes a descriptor that a pull or a DNS client may want."""
    visitors = Visitors()
    connected = visitors.fill()
    for channel, _ in connected:
        channel.dataReceived(get("/slow"))
    assert visitors.connect() is None
    connected[0][0].connectionLost(Failure(ConnectionDone()))
    assert visitors.connect() is not None
    assert visitors.connect() is not None


# --- The API -------------------------------------------------------------------------------------


class ApiBrowser(Browser):
    """A browser of a site with an API that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[Ask] = []
        self.later: Deferred[Page] = Deferred()
        self.site.resource.api = self._answer

    def _answer(self, ask: Ask) -> Page | Deferred[Page]:
        self.asks.append(ask)
        return self.later if ask.path == "/v1/later" else Page(200, JSON, b"{}")


def test_the_api_is_told_the_whole_request():
    """Method, path, query, who asks, and the body."""
    browser = ApiBrowser()
    body = b'{"a": 1}'
    head = f"Authorization: Bearer x\r\nContent-Length: {len(body)}"
    raw = browser.send(get("/v1/pin?source=a%20b&source=c&x=", "POST", head) + body)
    assert parse(raw)[0] == 200
    (ask,) = browser.asks
    assert (ask.method, ask.path) == ("POST", "/v1/pin")
    assert dict(ask.query) == {"source": "c", "x": ""}
    assert (ask.authorization, ask.body) == ("Bearer x", body)


def test_pages_and_the_api_stand_side_by_side():
    """The API has everything below /v1/ and nothing else."""
    browser = ApiBrowser()
    assert parse(browser.send(get("/health")))[2] == b"OK"
    assert browser.asks == []
    browser.send(get("/v1/nothing"))
    assert [ask.path for ask in browser.asks] == ["/v1/nothing"]


def test_an_answer_may_take_its_time():
    """No clock closes the connection meanwhile: somebody waits for a deployment."""
    browser = ApiBrowser()
    assert browser.send(get("/v1/later")) == b""
    browser.clock.advance(limits.CONTROL_S * 10)
    assert not browser.transport.disconnecting
    browser.later.callback(Page(409, JSON, b"[]"))
    status, headers, body = parse(browser.transport.value())
    assert (status, body, headers["Content-Length"]) == (409, b"[]", "2")


def test_who_asked_may_be_gone():
    """The answer is dropped, and nothing breaks."""
    browser = ApiBrowser()
    browser.send(get("/v1/later"))
    browser.protocol.connectionLost(Failure(ConnectionDone()))
    browser.later.callback(Page(200, JSON, b"{}"))
    assert browser.transport.value() == b""


def test_too_many_parameters_are_a_mistake_of_who_asks():
    """400, and nothing in the log: anybody may send them."""
    browser = ApiBrowser()
    with capturedLogs() as logged:
        status, _, body = parse(browser.send(get("/v1/history?" + "a=1&" * 17)))
    assert (status, body) == (400, b"too many parameters\n")
    assert parse(browser.send(get("/v1/history?" + "a=1&" * 15)))[0] == 200
    assert list(logged) == []


@pytest.mark.parametrize(
    ("here", "host", "foreign"),
    [
        (IPv4Address("TCP", "127.0.0.1", 80), "localhost:80", False),
        (IPv4Address("TCP", "127.0.0.1", 80), "evil.example", True),
        (IPv6Address("TCP", "::1", 80), "[::1]", False),
        (IPv6Address("TCP", "::1", 80), "evil.example", True),
        (IPv4Address("TCP", "192.0.2.1", 80), "ns1.example", False),
        (UNIXAddress(b"/x"), "anything", False),
    ],
)
def test_a_foreign_name_over_loopback(here: Any, host: str, foreign: bool):
    """DNS rebinding: a page's own name resolves to 127.0.0.1, and Host still says it."""
    browser = ApiBrowser()
    browser.transport.hostAddr = here
    browser.send(get("/v1/status").replace(b"Host: x", f"Host: {host}".encode()))
    assert browser.asks[0].foreign is foreign


def test_an_api_without_a_place():
    """Where no `api` is asked for there is none."""
    assert parse(Browser().send(get("/v1/status")))[0] == 404
