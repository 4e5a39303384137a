"""A registry client that is made when it is first used, in the thread that uses it.

Importing what speaks HTTP is a fifth of the start; a server answers from its images before that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ocizone.registry.api import PullClient, Resolved
from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest


class LateClient:
    """A PullClient; one that was never used holds nothing."""

    def __init__(self, make: Callable[[], PullClient]) -> None:
        """Make nothing yet.

        Args:
            make: makes the client, at most once; in the thread of the first call.
        """
        self._make = make
        self._made: PullClient | None = None

    def _client(self) -> PullClient:
        if self._made is None:
            self._made = self._make()
        return self._made

    def start_attempt(self, seconds: float) -> None:
        """See PullClient."""
        self._client().start_attempt(seconds)

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        """See PullClient."""
        return self._client().resolve(fresh_s)

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """See PullClient."""
        self._client().fetch(layer, destination)

    def wait(self, event: threading.Event) -> None:
        """See PullClient."""
        self._client().wait(event)

    def manifest(self, digest: str) -> Manifest:
        """See SignatureClient."""
        return self._client().manifest(digest)

    def tagged(self, tag: str) -> Manifest | None:
        """See SignatureClient."""
        return self._client().tagged(tag)

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        """See SignatureClient."""
        return self._client().referrers(digest)

    def small(self, blob: Descriptor, most: int) -> bytes:
        """See SignatureClient."""
        return self._client().small(blob, most)

    def abort(self) -> None:
        """See PullClient. Before the first attempt there is nothing to end: it undoes an abort."""
        if self._made is not None:
            self._made.abort()

    def close(self) -> None:
        """See PullClient."""
        if self._made is not None:
            self._made.close()
