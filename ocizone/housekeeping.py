"""Keeping the state directory whole and small: the scrub at start, verify, gc, how big it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit
from ocizone.errors import OcizoneError
from ocizone.follow.pool import DaemonPool
from ocizone.plugins.artifact import Keep
from ocizone.store.scrub import Pace, Scrubbed, StoppedError
from ocizone.store.store import Store, Usage
from ocizone.storecare import verified

log = Logger(namespace="ocizone")


class Housekeeping:
    """Keeps the state directory."""

    def __init__(
        self,
        store: Store,
        reactor: Any,
        *,
        keys_in_use: Callable[[], Iterable[str]],
        keeps: Callable[[], Mapping[str, Keep]],
        wall: Callable[[], float],
    ) -> None:
        """Make it; nothing is read before it is asked to.

        Args:
            store: the state directory.
            reactor: of Twisted.
            keys_in_use: returns the keys of the plan's sources.
            keeps: returns how much history is kept, by source key.
            wall: unix seconds.
        """
        self._store = store
        # Threads of its own: hashing gigabytes must not keep a deployment from the disk, nor the
        # scrub at start keep who asks.
        self._files = DaemonPool("keep", 2, reactor)
        self._clock: IReactorTime = reactor
        self._keys_in_use = keys_in_use
        self._keeps = keeps
        self._wall = wall
        self._usage: Usage | None = None
        self._stopped = threading.Event()

    @property
    def usage(self) -> dict[str, int] | None:
        """How big the state directory is, None while that is not known."""
        found = self._usage
        return None if found is None else {"octets": found.octets, "generations": found.generations}

    def start(self) -> None:
        """Scrub in the background, gently, and measure now and then."""
        pace = Pace(limits.SCRUB_OCTETS_PER_S, time.monotonic, self._stopped.wait)
        scrubbed = self._files.call(lambda: self._store.scrub(pace))
        scrubbed.addCallbacks(_tell, _scrub_failed)
        self._measure()

    def stop(self) -> None:
        """End what is under way."""
        self._stopped.set()

    def _measure(self) -> None:
        if self._stopped.is_set():
            return

        def measured(usage: Usage) -> None:
            self._usage = usage

        measuring = self._files.call(self._store.usage)
        measuring.addCallbacks(measured, lambda failure: failure.trap(OcizoneError))
        measuring.addCallback(
            lambda _: self._clock.callLater(limits.STORE_MEASURED_S, self._measure)
        )

    def verify(self) -> Deferred[VerbResult]:
        """Read everything again and compare it with its digests."""
        return Deferred.fromCoroutine(self._verify())

    async def _verify(self) -> VerbResult:
        try:
            scrubbed = await self._files.call(self._store.scrub)
        except OcizoneError as error:
            return VerbResult(False, Exit.FAILED, str(error))
        return verified(scrubbed)

    def collect(
        self, *, forgotten: bool = False, digests: tuple[str, ...] = ()
    ) -> Deferred[VerbResult]:
        """Remove what nothing refers to.

        Args:
            forgotten: sources no block names, too.
            digests: versions to forget, unless they are served, pinned or held.
        """
        return Deferred.fromCoroutine(self._collect(digests, forgotten=forgotten))

    async def _collect(self, digests: tuple[str, ...], *, forgotten: bool) -> VerbResult:
        store, files = self._store, self._files
        keeps, now = self._keeps(), self._wall()
        gone: tuple[str, ...] = ()
        deleted: tuple[str, ...] = ()
        try:
            if digests:
                deleted = await files.call(lambda: store.delete_manifests(digests))
            if forgotten:
                keys = frozenset(self._keys_in_use())
                gone = await files.call(lambda: store.forget(keys))
            collected = await files.call(lambda: store.collect(keeps, now))
        except OcizoneError as error:
            return VerbResult(False, Exit.FAILED, str(error))
        details = {
            "blobs": collected.blobs,
            "images": collected.images,
            "sources": len(gone),
            "versions": list(deleted),
        }
        message = f"removed {collected.blobs} blobs, {collected.images} images"
        if digests:
            message += f", {len(deleted)} of {len(digests)} versions"
        if forgotten:
            message += f", {len(gone)} sources no block names"
        return VerbResult(True, Exit.OK, message, details=details)


def _tell(scrubbed: Scrubbed) -> None:
    for one in scrubbed.damaged:
        say = log.error if one.in_use else log.warn
        say("damaged", kind=one.kind, path=str(one.path), what=one.message)
    log.debug("scrubbed", whole=scrubbed.whole, damaged=len(scrubbed.damaged))


def _scrub_failed(failure: Failure) -> None:
    failure.trap(OcizoneError)
    if not failure.check(StoppedError):
        log.warn("scrub failed", error=failure.getErrorMessage())
