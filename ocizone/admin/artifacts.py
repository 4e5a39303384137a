"""The artifact endpoint: what a server keeps of artifacts, read-only, by digest, over HTTP.

    GET /artifacts/sha256:<hex>           a layer of a kept deployment, as it was pulled
    GET /artifacts/sha256:<hex>.tar.gz    the files of the deployment with this manifest digest

The entity tag is the digest of the octets. There is no listing, and nothing else. Files are found
and read in threads, a piece at a time; a client that takes nothing for a while is left. Not here:
which files there are (store.published), and where it listens (admin.endpoints).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import INTERNAL_SERVER_ERROR, NOT_ALLOWED, NOT_FOUND
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from ocizone.admin.pages import TEXT
from ocizone.admin.ranges import Asked, part_of
from ocizone.errors import StoreError
from ocizone.limits import ARTIFACT_PIECE_OCTETS, ARTIFACT_STALL_S
from ocizone.store.published import Opened, Published

log = Logger(namespace="ocizone")

#: Runs work in a thread; the Deferred is of what it returns or raises.
InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]

_PATH: Final = re.compile(rb"/artifacts/(sha256:[0-9a-f]{64})(\.tar\.gz)?")


class ArtifactPages(Resource):
    """Answers every path of the endpoint."""

    isLeaf = True  # noqa: N815 - twisted.web's name

    def __init__(
        self,
        published: Published,
        keys: Callable[[], Iterable[str]],
        in_thread: InThread,
        clock: IReactorTime,
    ) -> None:
        """Make it.

        Args:
            published: finds files.
            keys: returns those of the sources of the plan.
            in_thread: runs what blocks.
            clock: for clients that stall.
        """
        super().__init__()  # type: ignore[no-untyped-call] # Twisted does not annotate it
        self._published = published
        self._keys = keys
        self._in_thread = in_thread
        self._clock = clock

    def render(self, request: Request) -> bytes | int:
        """Answer one request; what blocks is done in a thread."""
        request.responseHeaders.removeHeader("Server")
        request.setHeader("X-Content-Type-Options", "nosniff")
        found = _PATH.fullmatch(request.path)
        if found is None:
            return _said(request, NOT_FOUND, b"not found\n")
        if request.method not in {b"GET", b"HEAD"}:
            request.setHeader("Allow", "GET, HEAD")
            return _said(request, NOT_ALLOWED, b"method not allowed\n")
        digest, keys = found[1].decode(), tuple(self._keys())
        find = self._published.archive if found[2] else self._published.blob
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        opened = self._in_thread(lambda: find(digest, keys))
        opened.addCallbacks(
            lambda file: self._opened(request, file, gone=bool(gone)),
            lambda failure: _failed(request, failure, gone=bool(gone)),
        )
        opened.addErrback(lambda failure: log.failure("bug in the artifact endpoint", failure))
        return NOT_DONE_YET

    def _opened(self, request: Request, file: Opened | None, *, gone: bool) -> None:
        if gone:
            if file is not None:
                os.close(file.descriptor)
            return
        if file is None:
            request.write(_said(request, NOT_FOUND, b"not found\n"))
            request.finish()
            return
        tag = f'"{file.digest}"'
        part = part_of(_asked(request), tag, file.octets)
        request.setResponseCode(part.status)
        request.setHeader("ETag", tag)
        request.setHeader("Accept-Ranges", "bytes")
        request.setHeader("Cache-Control", "public, max-age=31536000, immutable")
        if part.status in {200, 206}:
            request.setHeader("Content-Type", file.media_type)
            request.setHeader("Content-Length", str(part.length))
        if part.status == 206:
            end = part.start + part.length - 1
            request.setHeader("Content-Range", f"bytes {part.start}-{end}/{file.octets}")
        if part.status == 416:
            request.setHeader("Content-Range", f"bytes */{file.octets}")
            request.setHeader("Content-Length", "0")
        if request.method == b"HEAD" or not part.length:
            os.close(file.descriptor)
            request.finish()
            return
        _Sending(request, file.descriptor, part.start, part.length, self._in_thread, self._clock)


def _asked(request: Request) -> Asked:
    def header(name: str) -> str:
        return request.getHeader(name) or ""

    return Asked(header("if-none-match"), header("range"), header("if-range"))


def _said(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader("Content-Type", TEXT)
    request.setHeader("Content-Length", str(len(body)))
    return b"" if request.method == b"HEAD" else body


def _failed(request: Request, failure: Failure, *, gone: bool) -> None:
    """Tell the client nothing and the log everything; a bug is one, too."""
    if failure.check(StoreError):
        log.warn("artifact not given", error=failure.getErrorMessage())
    else:
        log.failure("bug in the artifact endpoint", failure)
    if not gone:
        request.write(_said(request, INTERNAL_SERVER_ERROR, b"cannot read it\n"))
        request.finish()


@implementer(IPushProducer)
class _Sending:
    """Writes a part of a file to a client, as fast as it takes it."""

    def __init__(
        self,
        request: Request,
        descriptor: int,
        start: int,
        length: int,
        in_thread: InThread,
        clock: IReactorTime,
    ) -> None:
        self._request = request
        self._descriptor = descriptor
        self._at = start
        self._left = length
        self._in_thread = in_thread
        self._clock = clock
        self._paused = False
        self._reading = False
        self._ended = False
        self._stall: IDelayedCall = clock.callLater(ARTIFACT_STALL_S, self._stalled)
        request.notifyFinish().addBoth(lambda _: self._end())
        request.registerProducer(self, True)
        self.resumeProducing()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client has enough for now."""
        self._paused = True

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client is gone."""
        self._end()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Send on."""
        self._paused = False
        if self._reading or self._ended:
            return
        self._reading = True
        at, octets = self._at, min(self._left, ARTIFACT_PIECE_OCTETS)
        read = self._in_thread(lambda: os.pread(self._descriptor, octets, at))
        read.addCallbacks(self._got, self._lost)

    def _got(self, piece: bytes) -> None:
        self._reading = False
        if self._ended:
            os.close(self._descriptor)
            return
        if not piece:
            # Cut short under our feet: an answer that ends early must not look whole.
            self._abort()
            return
        self._at += len(piece)
        self._left -= len(piece)
        self._stall.reset(ARTIFACT_STALL_S)
        self._request.write(piece)
        if not self._left:
            self._end()
            self._request.unregisterProducer()
            self._request.finish()
        elif not self._paused:
            self.resumeProducing()

    def _lost(self, failure: Failure) -> None:
        failure.trap(OSError)
        log.warn("artifact not given", error=failure.getErrorMessage())
        self._reading = False
        if self._ended:
            os.close(self._descriptor)
        else:
            self._abort()

    def _stalled(self) -> None:
        if self._reading:
            # We are slow, not the client: threads that make archives are busy.
            self._stall = self._clock.callLater(ARTIFACT_STALL_S, self._stalled)
        else:
            self._abort()

    def _abort(self) -> None:
        self._end()
        transport = self._request.channel.transport
        if transport is not None:
            cast("ITCPTransport", transport).abortConnection()

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._stall.active():
            self._stall.cancel()
        # A read under way closes it when it is over: its number must not be another file's.
        if not self._reading:
            os.close(self._descriptor)
