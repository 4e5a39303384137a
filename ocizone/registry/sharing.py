"""What the clients of one process share: politeness, manifests, and what tags name.

``Sharing()`` shares nothing, which is what a command line wants. Any thread; no Twisted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from ocizone import limits
from ocizone.registry.api import Resolved
from ocizone.registry.attempt import Attempt
from ocizone.registry.politeness import Politeness

#: ``tags`` names a tag or lists them, ``metadata`` is the rest that is small, ``token`` goes to a
#: token service.
Kind: TypeAlias = Literal["tags", "metadata", "blob", "token"]
#: Told of each request: its kind, whether the server did its part, seconds until it answered.
OnRequest: TypeAlias = Callable[[Kind, bool, float], None]


class ManifestCache(Protocol):
    """Bytes of manifests by digest. Any thread; never raises: who cannot answer has nothing."""

    def get(self, digest: str) -> bytes | None:
        """Return the bytes kept under a digest; the caller checks them against it."""

    def put(self, digest: str, raw: bytes) -> None:
        """Keep the bytes of a manifest, as long as there is room."""


class NoManifests:
    """Keeps nothing."""

    def get(self, digest: str) -> bytes | None:
        """Return None."""

    def put(self, digest: str, raw: bytes) -> None:
        """Forget it."""


def _no_lookup(_hit: bool) -> None:  # noqa: FBT001 - a border of callables
    """Count nothing."""


class RecentManifests:
    """The manifests used last, in memory.

    Args:
        on_lookup: told whether a ``get`` had an answer.
        most_octets: of what is kept.
    """

    def __init__(
        self,
        on_lookup: Callable[[bool], None] = _no_lookup,
        most_octets: int = limits.MANIFESTS_KEPT_OCTETS,
    ) -> None:
        self._on_lookup = on_lookup
        self._most = most_octets
        self._octets = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, digest: str) -> bytes | None:
        """Return the bytes kept under a digest."""
        with self._lock:
            raw = self._kept.get(digest)
            if raw is not None:
                self._kept.move_to_end(digest)
        self._on_lookup(raw is not None)
        return raw

    def put(self, digest: str, raw: bytes) -> None:
        """Keep a manifest; those used longest ago make room."""
        with self._lock:
            self._octets += len(raw) - len(self._kept.pop(digest, b""))
            self._kept[digest] = raw
            while self._octets > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._octets -= len(oldest)


class LayeredManifests:
    """A near cache before one farther away; what is found there is kept near."""

    def __init__(self, near: ManifestCache, far: ManifestCache) -> None:
        self._near = near
        self._far = far

    def get(self, digest: str) -> bytes | None:
        """Return the bytes kept under a digest, in either."""
        raw = self._near.get(digest)
        if raw is not None:
            return raw
        raw = self._far.get(digest)
        if raw is not None:
            self._near.put(digest, raw)
        return raw

    def put(self, digest: str, raw: bytes) -> None:
        """Keep a manifest in both."""
        self._near.put(digest, raw)
        self._far.put(digest, raw)


@dataclass(slots=True)
class _Flight:
    """One request for what a tag names, under way or done."""

    began: float
    done: threading.Event = field(default_factory=threading.Event)
    found: Resolved | None = None


class Resolutions:
    """What tags were found to name: clients that ask the same thing share one request.

    Args:
        monotonic: seconds that never go back.

    Attributes:
        shared: how often somebody else's request answered.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.shared = 0
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._flights: OrderedDict[Hashable, _Flight] = OrderedDict()

    def resolve(
        self, key: Hashable, fresh_s: float, attempt: Attempt, ask: Callable[[], Resolved]
    ) -> Resolved:
        """Return what ``ask`` returns, or returned to another who asked for ``key``.

        Args:
            key: equal for those who would get equal answers.
            fresh_s: a request that began at most so many seconds ago will do; 0.0 for none.
            attempt: bounds the wait for another's request.
            ask: makes a request of our own; its errors are ours. One that fails fails for nobody
                else: those who waited for it ask for themselves.
        """
        with self._lock:
            now = self._monotonic()
            other = self._flights.get(key)
            if other is None or fresh_s <= 0 or other.began < now - fresh_s:
                other = None
                flight = self._flights[key] = _Flight(now)
                self._flights.move_to_end(key)
                while len(self._flights) > limits.RESOLUTIONS_KEPT:
                    self._flights.popitem(last=False)
        if other is not None:
            attempt.wait(other.done)
            if other.found is not None:
                with self._lock:
                    self.shared += 1
                return other.found
            return ask()
        try:
            flight.found = ask()
            return flight.found
        finally:
            flight.done.set()


def _unheard(_host: str, _text: str) -> None:
    """Tell nobody."""


def _ignore(_kind: Kind, _success: bool, _seconds: float) -> None:  # noqa: FBT001 - see OnRequest
    """Observe nothing."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a client is given of the others.

    Attributes:
        politeness: asked before each request, or None to ask as fast as one can.
        manifests: looked at before a manifest is asked for by digest.
        resolutions: of tags, or None.
        on_request: told of each request; called in the client's thread, must not raise.
        on_warning: told of a host, and of a text it wants people to read (distribution spec
            "Warnings"); as ``on_request``.
    """

    politeness: Politeness | None = None
    manifests: ManifestCache = field(default_factory=NoManifests)
    resolutions: Resolutions | None = None
    on_request: OnRequest = _ignore
    on_warning: Callable[[str, str], None] = _unheard
