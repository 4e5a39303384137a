"""The admin pages over HTTP: small, bounded, the same on TCP and the unix socket.

A page is a function that returns status, media type and body; below ``/v1/`` an ``Api`` answers,
which is told the whole request and may take its time. Not here: what the pages say (admin.health,
admin.status, admin.api, observe.counters) and where they listen (admin.endpoints).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web.http import (
    BAD_REQUEST,
    NOT_ALLOWED,
    NOT_FOUND,
    REQUEST_ENTITY_TOO_LARGE,
    HTTPChannel,
)
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from ocizone.limits import ADMIN_CONNECTIONS, CONTROL_REQUEST_OCTETS, CONTROL_S

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One rendered page."""

    status: int
    media_type: str
    body: bytes


Render = Callable[[], Page]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the API.

    Attributes:
        method: in capitals.
        path: decoded, beginning with API.
        query: the last value of each parameter.
        authorization: the header, "" without one; a secret.
        body: bounded.
    """

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    body: bytes


#: Answers what is asked below API; a Deferred must not fail.
Api = Callable[[Ask], "Page | Deferred[Page]"]
API = "/v1/"


class Pages(Resource):
    """Serves pages by exact path; nothing else exists."""

    isLeaf = True  # noqa: N815 - twisted.web's name

    def __init__(self, pages: Mapping[str, Render], api: Api | None = None) -> None:
        super().__init__()
        self.pages = dict(pages)
        self.api = api

    def render(self, request: Request) -> bytes | int:
        """Return the body of the page, or of the error; or NOT_DONE_YET."""
        if self.api is not None and request.path.startswith(API.encode()):
            return self._ask(self.api, request)
        return self._write(request, self._page(request))

    def _ask(self, api: Api, request: Request) -> bytes | int:
        answer = api(_ask_of(request))
        if isinstance(answer, Page):
            return self._write(request, answer)
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def finish(page: Page) -> None:
            # Who asked may not have waited.
            if not gone:
                request.write(self._write(request, page))
                request.finish()

        answer.addCallback(finish)
        return NOT_DONE_YET

    def _write(self, request: Request, page: Page) -> bytes:
        request.setResponseCode(page.status)
        request.setHeader("Content-Type", page.media_type)
        request.setHeader("Cache-Control", "no-store")
        request.setHeader("X-Content-Type-Options", "nosniff")
        request.setHeader("Content-Length", str(len(page.body)))
        request.responseHeaders.removeHeader("Server")
        return b"" if request.method == b"HEAD" else page.body

    def _page(self, request: Request) -> Page:
        try:
            path = request.path.decode("ascii")
        except UnicodeDecodeError:
            return Page(BAD_REQUEST, TEXT, b"bad path\n")
        found = self.pages.get(path)
        if found is None:
            # The path is not echoed: whoever reads the page did not necessarily choose it.
            return Page(NOT_FOUND, TEXT, b"not found\n")
        if request.method not in {b"GET", b"HEAD"}:
            request.setHeader("Allow", "GET, HEAD")
            return Page(NOT_ALLOWED, TEXT, b"method not allowed\n")
        return found()


def _ask_of(request: Request) -> Ask:
    assert request.content is not None, "a request that is rendered is whole"
    query = request.uri.partition(b"?")[2].decode("ascii", "replace")
    return Ask(
        request.method.decode("ascii", "replace"),
        unquote(request.path.decode("ascii", "replace")),
        dict(parse_qsl(query, keep_blank_values=True, max_num_fields=16)),
        request.getHeader("authorization") or "",
        request.content.read(),
    )


class BoundedRequest(Request):
    """A request whose body is refused instead of stored when it is too large.

    A resource may take more than CONTROL_REQUEST_OCTETS: it says so in ``most_octets``.
    """

    _refused = False

    @property
    def _most(self) -> int:
        resource = self.channel.site.resource  # type: ignore[attr-defined]  # a Site gives it
        return int(getattr(resource, "most_octets", CONTROL_REQUEST_OCTETS))

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - twisted.web's name
        """Refuse a body announced as larger than any we take."""
        if length is not None and length > self._most:
            self._refuse()
        # In memory: Twisted puts what is announced as larger than 100,000 octets on the disk.
        super().gotLength(0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - twisted.web's name
        """Refuse a chunked body once it is larger than any we take."""
        assert self.content is not None, "gotLength made it"
        if self._refused:
            return
        if self.content.tell() + len(data) > self._most:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - as above
        """Answer, unless that was done by refusing: its end may be in the same read."""
        if not self._refused:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        self._refused = True
        status = f"HTTP/1.1 {REQUEST_ENTITY_TOO_LARGE} Request Entity Too Large\r\n"
        transport = self.channel.transport
        assert transport is not None, "data came over it"
        transport.write(status.encode() + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        transport.loseConnection()


class PromptChannel(HTTPChannel):
    """A connection that must bring each request whole in time.

    Twisted counts from the last octet, so that one octet every few seconds holds a connection
    for ever (slow loris); here the time runs from the connection, or the last response.
    """

    def resetTimeout(self) -> None:  # noqa: N802 - twisted's name
        """Leave the clock running when data comes in."""

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802 - Twisted's own default argument is typed Failure
        """Make room for another connection."""
        self.factory.connections -= 1
        super().connectionLost(reason)


class QuietSite(Site):
    """A site without an access log: a scrape every few seconds would be most of the log."""

    protocol = PromptChannel  # type: ignore[assignment]  # Twisted's own is a proxy, for HTTP/2
    connections = 0

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802 - twisted's name; its type is private
        """Return the protocol of a connection; None closes one that is too many."""
        if self.connections >= ADMIN_CONNECTIONS:
            return None
        self.connections += 1
        return super().buildProtocol(addr)

    def log(self, request: HTTPRequest) -> None:
        """Log nothing."""


def site(resource: Resource) -> Site:
    """Return a site that serves a resource and closes slow clients after CONTROL_S."""
    made = QuietSite(resource, requestFactory=BoundedRequest, timeout=int(CONTROL_S))
    made.noisy = False
    return made
