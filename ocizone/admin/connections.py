"""The HTTP connections of an admin address: bounded in size, number and time.

A body that is too large is refused, a request must come whole in time, and where there are too
many connections the one that is idle for the longest time makes room, as with TCP for DNS. Not
here: what is answered (admin.pages, admin.webhook, admin.artifacts).
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.python.failure import Failure
from twisted.web.http import REQUEST_ENTITY_TOO_LARGE, HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from ocizone.limits import ADMIN_CONNECTIONS, CONTROL_REQUEST_OCTETS, CONTROL_S


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

    answering = False

    def forget(self) -> None:
        """End the connection at once: somebody else needs its place."""
        if self.transport is not None:
            cast("ITCPTransport", self.transport).abortConnection()

    def allContentReceived(self) -> None:  # noqa: N802 - twisted's name
        """The request is whole: until it is answered the connection is not idle."""
        self.answering = True
        super().allContentReceived()

    def requestDone(self, request: HTTPRequest) -> None:  # noqa: N802 - twisted's name
        """The request is answered: from now on the connection is idle."""
        self.answering = False
        self.factory.rested(self)
        super().requestDone(request)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802 - Twisted's own default argument is typed Failure
        """Make room for another connection."""
        self.factory.left(self)
        super().connectionLost(reason)


class QuietSite(Site):
    """A site without an access log: a scrape every few seconds would be most of the log."""

    protocol = PromptChannel  # type: ignore[assignment]  # Twisted's own is a proxy, for HTTP/2

    def __init__(self, resource: Resource) -> None:
        """Serve a resource; slow clients are closed after CONTROL_S."""
        super().__init__(resource, requestFactory=BoundedRequest, timeout=int(CONTROL_S))
        #: Open connections, those that are idle for the longest time first.
        self._channels: dict[PromptChannel, None] = {}

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802 - twisted's name; its type is private
        """Return the protocol of a connection; when there are too many, an idle one has to go.

        None closes the new one: every other is being answered.
        """
        if len(self._channels) >= ADMIN_CONNECTIONS and not self._make_room():
            return None
        channel = super().buildProtocol(addr)
        assert isinstance(channel, PromptChannel), "it is what is made here"
        self._channels[channel] = None
        return channel

    def _make_room(self) -> bool:
        for channel in self._channels:
            if not channel.answering:
                del self._channels[channel]
                channel.forget()
                return True
        return False

    def rested(self, channel: PromptChannel) -> None:
        """Take note that a connection is idle from now on."""
        if self._channels.pop(channel, channel) is None:
            self._channels[channel] = None

    def left(self, channel: PromptChannel) -> None:
        """Forget a connection that ended."""
        self._channels.pop(channel, None)

    def log(self, request: HTTPRequest) -> None:
        """Log nothing."""


def site(resource: Resource) -> Site:
    """Return a site that serves a resource and closes slow clients after CONTROL_S."""
    made = QuietSite(resource)
    made.noisy = False
    return made
