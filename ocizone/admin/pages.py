"""The admin pages over HTTP, the same on TCP and the unix socket.

A page is a function that returns status, media type and body, or a Deferred of them; below
``/v1/`` an ``Api`` answers, which is told the whole request. Not here: what the pages say
(admin.readiness, admin.statuspage, admin.api, observe.metrics), where they listen
(admin.endpoints), and what bounds a connection (admin.connections).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import (
    BAD_REQUEST,
    INTERNAL_SERVER_ERROR,
    NOT_ALLOWED,
    NOT_FOUND,
)
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from ocizone.admin.origin import is_loopback, names_loopback

log = Logger(namespace="ocizone")

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One rendered page."""

    status: int
    media_type: str
    body: bytes


#: Returns a page, or will.
Render = Callable[[], "Page | Deferred[Page]"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the API.

    Attributes:
        method: in capitals.
        path: decoded, beginning with API.
        query: the last value of each parameter.
        authorization: the header, "" without one; a secret.
        body: bounded.
        foreign: it came over loopback under a name that is not of loopback.
    """

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    body: bytes
    foreign: bool = False


#: Answers what is asked below API.
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
            return self._answer(self._ask(self.api, request), request)
        return self._answer(self._page(request), request)

    def _ask(self, api: Api, request: Request) -> Page | Deferred[Page]:
        try:
            ask = _ask_of(request)
        except ValueError:
            return Page(BAD_REQUEST, TEXT, b"too many parameters\n")
        return api(ask)

    def _answer(self, answer: Page | Deferred[Page], request: Request) -> bytes | int:
        if isinstance(answer, Page):
            return self._write(request, answer)
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def finish(page: Page) -> None:
            # Who asked may not have waited.
            if not gone:
                request.write(self._write(request, page))
                request.finish()

        answer.addErrback(_broken)
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

    def _page(self, request: Request) -> Page | Deferred[Page]:
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


def _broken(failure: Failure) -> Page:
    """Tell the log of a bug, and who asked only that there is one."""
    log.failure("bug in an admin page", failure)
    return Page(INTERNAL_SERVER_ERROR, TEXT, b"internal error\n")


def _ask_of(request: Request) -> Ask:
    """Return what is asked.

    Raises:
        ValueError: with too many parameters.
    """
    assert request.content is not None, "a request that is rendered is whole"
    query = request.uri.partition(b"?")[2].decode("ascii", "replace")
    return Ask(
        request.method.decode("ascii", "replace"),
        unquote(request.path.decode("ascii", "replace")),
        dict(parse_qsl(query, keep_blank_values=True, max_num_fields=16)),
        request.getHeader("authorization") or "",
        request.content.read(),
        _is_foreign(request),
    )


def _is_foreign(request: Request) -> bool:
    here = request.getHost()
    if not isinstance(here, IPv4Address | IPv6Address) or not is_loopback(here.host):
        return False
    return not names_loopback(request.getHeader("host") or "")
