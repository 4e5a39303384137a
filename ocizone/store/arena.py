"""Blobs into the store, each fetched once however many sources want it at a time.

A fetch runs in a thread and with a client of its own, so that it belongs to all who wait for it:
who is aborted leaves the others alone, and the last one to leave aborts the fetch. One that fails
fails only for who began it; the others try once by themselves. Its temporary file is the
fetch's own, and is gone or adopted when it ends. A client that fetched well is kept for the next
blob of the same caller: its connection is open and its token good. Blocking; no Twisted.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ocizone import limits
from ocizone.errors import OcizoneError
from ocizone.registry.api import PullClient
from ocizone.registry.manifest import Descriptor
from ocizone.store.blobs import Blobs
from ocizone.store.disk import Disk


@dataclass(slots=True)
class _Fetch:
    """One fetch, and how many wait for it."""

    waiting: int = 1
    done: threading.Event = field(default_factory=threading.Event)
    client: PullClient | None = None
    octets: int = 0
    error: BaseException | None = None


class FetchArena:
    """The fetches of one store. Any thread.

    Args:
        blobs: where they end.
        disk: of the same store.
        places: fetches under way at once.
    """

    def __init__(self, blobs: Blobs, disk: Disk, places: int = limits.BLOB_FETCHES) -> None:
        self._blobs = blobs
        self._disk = disk
        self._places = threading.Semaphore(places)
        self._lock = threading.Lock()
        self._fetches: dict[str, _Fetch] = {}
        self._most_idle = places
        self._idle: OrderedDict[PullClient, PullClient] = OrderedDict()

    def realize(
        self,
        blob: Descriptor,
        client: PullClient,
        open_client: Callable[[], PullClient],
        timeout_s: float,
    ) -> int:
        """Return when the blob is in the store; the caller holds its digest.

        Args:
            blob: what is wanted.
            client: of the caller: its abort and its deadline end the wait.
            open_client: makes another like it, for a fetch of our own.
            timeout_s: of such a fetch.

        Returns:
            The octets that were fetched for this caller, 0 when another had them fetched.

        Raises:
            RegistryError: talking to the registry failed, in the caller's own try.
            StoreError: the disk failed.
        """
        with self._lock:
            fetch = self._fetches.get(blob.digest)
            joined = fetch is not None
            if fetch is None:
                fetch = self._fetches[blob.digest] = _Fetch()
            else:
                fetch.waiting += 1
        if not joined:

            def begin() -> PullClient:
                return self._take(client) or open_client()

            threading.Thread(
                target=self._run,
                args=(fetch, blob, client, begin, timeout_s),
                name=f"fetch-{blob.digest[7:15]}",
                daemon=True,
            ).start()
        try:
            client.wait(fetch.done)
        except BaseException:
            self._leave(fetch, blob.digest)
            raise
        if fetch.error is None:
            return 0 if joined else fetch.octets
        if not joined:
            raise fetch.error
        return self._fetch(client, blob)

    def release(self, client: PullClient) -> None:
        """Close what was kept for a caller's client; call it where that is closed."""
        kept = self._take(client)
        if kept is not None:
            kept.close()

    def _leave(self, fetch: _Fetch, digest: str) -> None:
        with self._lock:
            fetch.waiting -= 1
            if fetch.waiting:
                return
            # Nobody joins a fetch that is being aborted.
            if self._fetches.get(digest) is fetch:
                del self._fetches[digest]
            client = fetch.client
        if client is not None:
            client.abort()

    def _run(
        self,
        fetch: _Fetch,
        blob: Descriptor,
        caller: PullClient,
        begin: Callable[[], PullClient],
        timeout_s: float,
    ) -> None:
        try:
            with self._places:
                if self._is_wanted(fetch):
                    self._run_wanted(fetch, blob, caller, begin(), timeout_s)
        except BaseException as error:  # noqa: BLE001 - the border: it is raised where it belongs
            fetch.error = error
        finally:
            with self._lock:
                if self._fetches.get(blob.digest) is fetch:
                    del self._fetches[blob.digest]
            fetch.done.set()

    def _is_wanted(self, fetch: _Fetch, client: PullClient | None = None) -> bool:
        """Tell whether anybody waits; from now on the last one to leave aborts this client."""
        with self._lock:
            fetch.client = client
            return fetch.waiting > 0

    def _run_wanted(
        self,
        fetch: _Fetch,
        blob: Descriptor,
        caller: PullClient,
        client: PullClient,
        timeout_s: float,
    ) -> None:
        kept = False
        try:
            # Before anybody may abort it: it would undo that.
            client.start_attempt(timeout_s)
            if self._is_wanted(fetch, client):
                fetch.octets = self._fetch(client, blob)
                kept = self._keep(caller, fetch, client)
        finally:
            if not kept:
                client.close()

    def _take(self, caller: PullClient) -> PullClient | None:
        with self._lock:
            return self._idle.pop(caller, None)

    def _keep(self, caller: PullClient, fetch: _Fetch, client: PullClient) -> bool:
        """Keep a client for the caller's next blob; those unused longest make room.

        Returns:
            Whether it was kept; a caller that left is not expected back.
        """
        with self._lock:
            # From here on nobody aborts it on behalf of this fetch.
            fetch.client = None
            if not fetch.waiting or caller in self._idle:
                return False
            self._idle[caller] = client
            surplus = self._idle.popitem(last=False)[1] if self._is_full() else None
        if surplus is not None:
            surplus.close()
        return True

    def _is_full(self) -> bool:
        return len(self._idle) > self._most_idle

    def _fetch(self, client: PullClient, blob: Descriptor) -> int:
        # Another fetch may have ended between the caller's look and ours.
        if self._blobs.verified(blob.digest):
            return 0
        temporary = self._disk.temporary()
        try:
            with self._disk.step("fetch", "blob", temporary):
                client.fetch(blob, temporary)
            self._blobs.ingest(temporary, blob.digest)
        except OcizoneError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return blob.size
