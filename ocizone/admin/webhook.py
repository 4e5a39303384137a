"""``POST /hook``: a registry says that something was pushed, and its repository is looked at.

Notifications are hints (registry.events): nothing in them is fetched or believed, and all they can
cause is a look that the schedule would make later. Whoever knows the secret is answered 202, even
if nothing of what he tells of is followed; everybody else 401, and without a secret, which only
loopback may be, 403 for whatever a browser sends. Not here: what a look is (follow).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request

from ocizone.admin.origin import from_loopback, names_loopback
from ocizone.admin.senders import Shown, knows
from ocizone.limits import (
    WEBHOOK_BURST,
    WEBHOOK_COALESCE_S,
    WEBHOOK_OCTETS,
    WEBHOOK_REFILL_S,
    WEBHOOK_REPOSITORIES,
    WEBHOOK_TELL_S,
)
from ocizone.registry.events import read_notification

log = Logger(namespace="ocizone")

PATH: Final = b"/hook"

#: Has the sources of a repository looked at, and returns how many there are.
Changed = Callable[[str], int]
#: Tells whether any source follows a repository.
Followed = Callable[[str], bool]
#: Returns the secret, or None when there is none to be had.
ReadSecret = Callable[[], "bytes | None"]


@dataclass(slots=True)
class _Waiting:
    """One repository: looks it has left, as of a moment, and the one that is due."""

    left: float
    at: float
    timer: IDelayedCall | None = None


class Nudges:
    """Turns notifications into looks: those that come together into one, and not too many."""

    def __init__(
        self,
        clock: IReactorTime,
        changed: Changed,
        followed: Followed = lambda _repository: True,
    ) -> None:
        """Make it.

        Args:
            clock: for looks that are put off.
            changed: see Changed; called on the reactor's thread.
            followed: quick; what nobody follows takes no place.
        """
        self._clock = clock
        self._changed = changed
        self._followed = followed
        self._dropped = 0
        self._telling: IDelayedCall | None = None
        self._repositories: dict[str, _Waiting] = {}

    def push(self, repository: str) -> None:
        """Have a repository looked at, soon; several calls before that are one."""
        if not self._followed(repository):
            return
        now = self._clock.seconds()
        waiting = self._repositories.get(repository)
        if waiting is None:
            if len(self._repositories) >= WEBHOOK_REPOSITORIES:
                self._drop()
                return
            waiting = self._repositories[repository] = _Waiting(WEBHOOK_BURST, now)
        if waiting.timer is not None:
            return
        left = min(waiting.left + (now - waiting.at) / WEBHOOK_REFILL_S, WEBHOOK_BURST)
        waiting.left, waiting.at = left, now
        delay = max(WEBHOOK_COALESCE_S, (1 - left) * WEBHOOK_REFILL_S)
        waiting.timer = self._clock.callLater(delay, self._look, repository, waiting)

    def stop(self) -> None:
        """Forget what waits."""
        for waiting in self._repositories.values():
            if waiting.timer is not None:
                waiting.timer.cancel()
        self._repositories.clear()
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    def _drop(self) -> None:
        self._dropped += 1
        if self._telling is None:
            # Told at the end of the window, with how many there were.
            self._telling = self._clock.callLater(WEBHOOK_TELL_S, self._tell)

    def _tell(self) -> None:
        log.warn(
            "notifications dropped: {count} beyond the repositories that may wait",
            count=self._dropped,
        )
        self._dropped, self._telling = 0, None

    def _look(self, repository: str, waiting: _Waiting) -> None:
        now = self._clock.seconds()
        left = waiting.left + (now - waiting.at) / WEBHOOK_REFILL_S
        waiting.left, waiting.at = min(left, WEBHOOK_BURST) - 1, now
        waiting.timer = None
        if not self._changed(repository):
            # Nobody follows it: names from outside must not fill the memory.
            del self._repositories[repository]


def _of_this_host(request: Request) -> bool:
    """Tell whether no page in a browser sent it: one of any site may send to loopback."""
    return names_loopback(request.getHeader("host") or "") and from_loopback(
        request.getHeader("origin") or ""
    )


class Hook(Resource):
    """The endpoint at one address."""

    isLeaf = True  # noqa: N815 - twisted.web's name
    #: Read by admin.pages.BoundedRequest.
    most_octets = WEBHOOK_OCTETS

    def __init__(self, nudges: Nudges, secret: ReadSecret | None) -> None:
        """Make it.

        Args:
            nudges: of the whole server.
            secret: what senders must know; None only where nobody else can send.
        """
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted does not annotate it
        self._nudges = nudges
        self._secret = secret
        self._told = False

    def render(self, request: Request) -> bytes:
        """Take a notification; the look it causes is not waited for."""
        status = self._take(request)
        request.setResponseCode(status)
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        request.setHeader("Cache-Control", "no-store")
        request.setHeader("X-Content-Type-Options", "nosniff")
        request.responseHeaders.removeHeader("Server")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            request.setHeader("Allow", "POST")
        elif status is HTTPStatus.UNAUTHORIZED:
            request.setHeader("WWW-Authenticate", 'Bearer realm="ocizone webhook"')
        body = f"{status.phrase.lower()}\n".encode()
        request.setHeader("Content-Length", str(len(body)))
        return b"" if request.method == b"HEAD" else body

    def _take(self, request: Request) -> HTTPStatus:
        path, _, query = request.uri.partition(b"?")
        if path != PATH and not path.startswith(PATH + b"/"):
            return HTTPStatus.NOT_FOUND
        if request.method != b"POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        assert request.content is not None, "a request that is rendered is whole"
        body = request.content.read()
        if self._secret is None:
            if not _of_this_host(request):
                return HTTPStatus.FORBIDDEN
        else:
            secret = self._secret()
            shown = Shown(
                authorization=request.requestHeaders.getRawHeaders(b"authorization", [b""])[-1],
                signature=request.requestHeaders.getRawHeaders(b"x-hub-signature-256", [b""])[-1],
                path=path.removeprefix(PATH).removeprefix(b"/"),
                query=query,
            )
            if secret is None or not knows(secret, shown, body):
                return HTTPStatus.UNAUTHORIZED
        self._heard(request, body)
        return HTTPStatus.ACCEPTED

    def _heard(self, request: Request, body: bytes) -> None:
        headers = {
            name.decode("ascii", "replace").lower(): values[-1].decode("utf-8", "replace")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        notification = read_notification(headers, body)
        for repository in dict.fromkeys(one.repository for one in notification.pushed):
            self._nudges.push(repository)
        if not notification.sender and not self._told:
            log.warn("a notification was not understood: {reason}", reason=notification.reason)
        self._told = not notification.sender
