"""A registry with mirrors, as one client.

Tags are the registry's to say: mirrors are asked in order only when it does not answer. Content
by digest is asked of the mirrors first, in order, then of the registry: a digest makes whoever
sends it as good as the registry. A mirror that fails is passed over for a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ocizone import limits
from ocizone.errors import FetchReason, RegistryError, Transient
from ocizone.registry.api import Resolved
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest

T = TypeVar("T")


class Resting:
    """Which mirrors failed lately, for all clients together. Any thread.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def failed(self, mirror: str) -> None:
        """Pass a mirror over from now on."""
        with self._lock:
            self._until[mirror] = self._monotonic() + limits.MIRROR_REST_S

    def worked(self, mirror: str) -> None:
        """Ask a mirror again."""
        with self._lock:
            self._until.pop(mirror, None)

    def is_resting(self, mirror: str) -> bool:
        """Tell whether a mirror is passed over."""
        with self._lock:
            return self._until.get(mirror, float("-inf")) > self._monotonic()


class MirroredClient:
    """A PullClient over a registry and its mirrors.

    Args:
        home: the registry itself.
        mirrors: in order. They share ``attempt`` with ``home``.
        attempt: the deadline of all of them.
        resting: which mirrors failed lately.
    """

    def __init__(
        self, home: Client, mirrors: Sequence[Client], attempt: Attempt, resting: Resting
    ) -> None:
        self._home = home
        self._mirrors = tuple(mirrors)
        self._attempt = attempt
        self._resting = resting
        self.reference = home.reference

    def start_attempt(self, seconds: float) -> None:
        """Begin a new attempt; see PullClient."""
        self._attempt.start(seconds)

    def wait(self, event: threading.Event) -> None:
        """Wait for another thread, no longer than the attempt lasts; see PullClient."""
        self._attempt.wait(event)

    def abort(self) -> None:
        """Make a call under way end soon; see PullClient."""
        self._attempt.abort()

    def close(self) -> None:
        """Close the kept connections of all."""
        for client in (self._home, *self._mirrors):
            client.close()

    # --- By tag ------------------------------------------------------------------------------

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        """Return what the tag names now, and who said so; see PullClient."""
        return self._by_tag(lambda client: client.resolve(fresh_s))

    def tagged(self, tag: str) -> Manifest | None:
        """Return the manifest a tag names; see SignatureClient."""
        return self._by_tag(lambda client: client.tagged(tag))

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        """Return what refers to a manifest; a list that changes, hence the registry's to say."""
        return self._by_tag(lambda client: client.referrers(digest))

    def tags(self) -> tuple[str, ...]:
        """Return the repository's tags; see Client.tags."""
        return self._by_tag(lambda client: client.tags())

    def _by_tag(self, ask: Callable[[Client], T]) -> T:
        mirrors = self._awake()
        try:
            with self._attempt.share(len(mirrors) + 1):
                return ask(self._home)
        except Transient as error:
            if _is_our_crowd(error):
                # Mirrors may name what is older.
                raise
            failure = error
        found = self._of_mirrors(mirrors, ask, others=0)
        if found is None:
            # The registry's error, for it is the registry that matters.
            raise failure
        return found[0]

    # --- By digest ---------------------------------------------------------------------------

    def manifest(self, digest: str) -> Manifest:
        """Return the image manifest with this digest; see SignatureClient."""
        return self._by_digest(lambda client: client.manifest(digest))

    def small(self, blob: Descriptor, most: int) -> bytes:
        """Return a small blob; see SignatureClient."""
        return self._by_digest(lambda client: client.small(blob, most))

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """Stream a blob into a file; see PullClient."""
        self._by_digest(lambda client: client.fetch(layer, destination))

    def _by_digest(self, ask: Callable[[Client], T]) -> T:
        found = self._of_mirrors(self._awake(), ask, others=1)
        return ask(self._home) if found is None else found[0]

    def _of_mirrors(
        self, mirrors: list[Client], ask: Callable[[Client], T], *, others: int
    ) -> tuple[T] | None:
        """Return what the first mirror that can says, None when none can.

        Args:
            mirrors: to ask, in order.
            ask: what; its answer may be None.
            others: who is asked after them and needs a share of the time.
        """
        for left, mirror in zip(range(len(mirrors), 0, -1), mirrors, strict=True):
            try:
                with self._attempt.share(left + others):
                    found = ask(mirror)
            except RegistryError as error:
                self._note(mirror, error)
                continue
            self._resting.worked(mirror.where)
            return (found,)
        return None

    # --- Which mirrors -----------------------------------------------------------------------

    def _awake(self) -> list[Client]:
        return [one for one in self._mirrors if not self._resting.is_resting(one.where)]

    def _note(self, mirror: Client, error: RegistryError) -> None:
        """Remember that a mirror failed, unless it only lacks what we asked for.

        Raises:
            Transient: it was we who stopped, or no time is left for anybody.
        """
        self._attempt.remaining(0.0)
        if error.reason is not FetchReason.NOT_FOUND and not _is_our_crowd(error):
            self._resting.failed(mirror.where)


def _is_our_crowd(error: RegistryError) -> bool:
    """Tell whether a host was not even asked, because too many of us ask it (politeness.py)."""
    return error.reason is FetchReason.RATE_LIMITED and error.status is None
