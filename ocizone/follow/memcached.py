"""Manifests in a memcached that a fleet shares: a cache, so whatever goes wrong is a miss.

Asked from pool threads, talks on the reactor thread through Twisted's protocol. Bounded at every
end: 100 ms for an answer, MANIFEST_OCTETS for a value, one connection, tried again later and
later. What comes back is checked against its digest by who asked (registry.client).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.threads import blockingCallFromThread
from twisted.protocols.memcache import MemCacheProtocol
from twisted.python.failure import Failure

from ocizone import limits

_PREFIX = b"ocizone:manifest:"


class BoundedMemCache(MemCacheProtocol):
    """Twisted's protocol, with no value larger than a manifest, and no traceback for nonsense."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - the name Twisted calls
        """Read answers; what Twisted cannot read ends the connection."""
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]  # as below
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            self.transport.abortConnection()

    def cmd_VALUE(self, line: bytes) -> None:  # noqa: N802 - the name Twisted calls
        """Begin a value; one that is too large ends the connection."""
        length = line.split()[2:3]
        if not length or not length[0].isdigit() or int(length[0]) > limits.MANIFEST_OCTETS:
            self.transport.abortConnection()
            return
        super().cmd_VALUE(line)  # type: ignore[no-untyped-call]  # Twisted annotates none of it


class MemcachedManifests:
    """A ``registry.sharing.ManifestCache`` in memcached. Pool threads, never the reactor's.

    Args:
        reactor: of Twisted.
        endpoint: of the server, whose attempts take MEMCACHED_CONNECT_S at most.
        on_lookup: told whether a ``get`` had an answer.
        on_failure: told, in a word, of what went wrong.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamClientEndpoint,
        on_lookup: Callable[[bool], None],
        on_failure: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._endpoint = endpoint
        self._on_lookup = on_lookup
        self._on_failure = on_failure
        # Any, here and below: Twisted annotates nothing of the protocol.
        self._protocol: Any = None
        self._connecting: Deferred[Any] | None = None
        self._failures = 0
        self._not_before = 0.0

    # --- Pool threads ------------------------------------------------------------------------

    def get(self, digest: str) -> bytes | None:
        """Return the bytes kept under a digest; None when there is no answer in time."""
        # Any: its annotation takes no Deferred of an Optional.
        find: Any = self.find
        raw: bytes | None = blockingCallFromThread(self._reactor, find, digest)
        good = raw is not None and f"sha256:{hashlib.sha256(raw).hexdigest()}" == digest
        if raw is not None and not good:
            self._on_failure("wrong digest")
        self._on_lookup(good)
        return raw if good else None

    def put(self, digest: str, raw: bytes) -> None:
        """Send a manifest there; nobody waits for it."""
        self._reactor.callFromThread(self.keep, digest, raw)

    # --- Reactor thread ----------------------------------------------------------------------

    def find(self, digest: str) -> Deferred[bytes | None]:
        """Return what is kept under a digest, None for every failure. Never fails."""
        protocol = self._ready()
        if protocol is None:
            return succeed(None)
        asked: Deferred[Any] = protocol.get(_key(digest))
        asked.addTimeout(limits.MEMCACHED_S, self._reactor)
        return asked.addCallbacks(_value, self._failed, errbackArgs=(protocol,))

    def keep(self, digest: str, raw: bytes) -> Deferred[None]:
        """Send a manifest. Never fails."""
        protocol = self._ready()
        if protocol is None:
            return succeed(None)
        asked: Deferred[Any] = protocol.set(_key(digest), raw)
        asked.addTimeout(limits.MEMCACHED_S, self._reactor)
        return asked.addCallbacks(_nothing, self._failed, errbackArgs=(protocol,))

    def stop(self) -> None:
        """Close the connection."""
        self._not_before = float("inf")
        if self._connecting is not None:
            self._connecting.cancel()
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    def _ready(self) -> Any:
        """Return the connected protocol; without one begin to connect, and return None.

        Nobody waits for a connection: who asks now can ask the registry as well.
        """
        if self._protocol is not None and not self._protocol._disconnected:  # noqa: SLF001 - Twisted tells nowhere else
            return self._protocol
        self._protocol = None
        if self._connecting is None and self._reactor.seconds() >= self._not_before:
            self._connecting = connecting = connectProtocol(self._endpoint, _new())
            connecting.addCallbacks(self._connected, self._not_connected)
        return None

    def _connected(self, protocol: Any) -> None:
        self._connecting, self._protocol, self._failures = None, protocol, 0

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        self._failures += 1
        wait_s = min(limits.MEMCACHED_REST_S, 2.0 ** min(self._failures, 10))
        self._not_before = max(self._not_before, self._reactor.seconds() + wait_s)
        if not failure.check(CancelledError):
            self._on_failure("cannot connect")

    def _failed(self, failure: Failure, protocol: Any) -> None:
        """Count it, and drop the connection: answers to old questions may still be under way."""
        self._on_failure(failure.type.__name__ if failure.type is not None else "failed")
        protocol.transport.abortConnection()
        if self._protocol is protocol:
            self._protocol = None


def _new() -> Any:
    make: Any = BoundedMemCache
    return make()


def _key(digest: str) -> bytes:
    """Return a key memcached takes, whatever the digest is."""
    return _PREFIX + hashlib.sha256(digest.encode()).hexdigest().encode()


def _value(answer: tuple[int, bytes | None]) -> bytes | None:
    # Twisted answers a missing key with an empty value.
    return answer[1] or None


def _nothing(_stored: bool) -> None:  # noqa: FBT001 - what Twisted calls back with
    """Forget whether it was stored."""
