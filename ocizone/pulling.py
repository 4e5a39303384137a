"""Making followers: clients, threads, the compiler and the store, put together.

A part of the composition root (ocizone.app), apart because it is one idea: what a follower
gets. What speaks to registries is imported in the thread that first does: it is a fifth of the
start, and images are answered from before it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from ocizone import limits
from ocizone.compiler.spec import Layer
from ocizone.errors import ArtifactError
from ocizone.findings import Findings
from ocizone.follow.compile import ChildCompiler
from ocizone.follow.follower import Follower
from ocizone.follow.following import Follows
from ocizone.follow.local import LocalFollower
from ocizone.follow.places import Places
from ocizone.follow.pool import DaemonPool
from ocizone.follow.source import OciSource, Source
from ocizone.follow.tools import Observe, Serving, Tools
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.plugins.artifact import Artifact, Keep, Verify
from ocizone.process import child_environment
from ocizone.registry.api import PullClient, SignatureClient
from ocizone.registry.late import LateClient
from ocizone.registry.trust import Verdict
from ocizone.store.arena import FetchArena
from ocizone.store.store import Store
from ocizone.store.unpack import unpack

if TYPE_CHECKING:
    from ocizone.follow.memcached import MemcachedManifests

log = Logger(namespace="ocizone")

MakeClient = Callable[[Artifact], PullClient]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What followers are given of the server.

    Attributes:
        reactor: of Twisted.
        store: the opened state directory.
        serving: is told of deployments.
        observe: is told of events.
        times: is told how long registries take.
        wall: unix seconds.
        environ: of this process; the compiler and credential helpers get a part of it.
        memcached: where a fleet shares manifests, or None.
        keeps: returns how much history is kept, by source key.
    """

    reactor: Any
    store: Store
    serving: Serving
    observe: Observe
    times: RegistryTimes
    wall: Callable[[], float]
    environ: Mapping[str, str]
    memcached: tuple[str, int] | None
    keeps: Callable[[], Mapping[str, Keep]]


class Workshop:
    """Makes followers, and has the threads they work in."""

    def __init__(self, given: Surroundings) -> None:
        reactor, store = given.reactor, given.store
        self.files = DaemonPool("files", limits.FILE_THREADS, reactor)
        self._given = given
        self._make_client: MakeClient | None = None
        self._making = threading.Lock()
        self._memcached = _memcached(given)
        self._tools = Tools(
            clock=reactor,
            wall=given.wall,
            pulls=DaemonPool("pull", limits.PULL_THREADS, reactor),
            places=Places(),
            files=self.files,
            store=store,
            compile=ChildCompiler(reactor, reactor, self.files, child_environment(given.environ)),
            unpack=_unpack,
            serving=given.serving,
            observe=given.observe,
            activating=DeferredLock(),
            placing=DeferredLock(),
            arena=FetchArena(store.blobs, store.disk),
            keeps=given.keeps,
            draw=SystemRandom().random,
        )

    def follower(self, source: Source) -> Follows:
        """Return a follower for a source; nothing happens before it is started."""
        if not isinstance(source, OciSource):
            return LocalFollower(source, self._tools)
        return Follower(
            source,
            lambda artifact: LateClient(lambda: self._client(artifact)),
            self._tools,
            _check_signature,
        )

    def _client(self, artifact: Artifact) -> PullClient:
        # Several threads may be first.
        with self._making:
            if self._make_client is None:
                self._make_client = _client_maker(self._given, self._memcached)
            return self._make_client(artifact)

    def stop(self) -> None:
        """Close what followers share."""
        if self._memcached is not None:
            self._memcached.stop()


def _client_maker(given: Surroundings, far: MemcachedManifests | None) -> MakeClient:
    """Return what makes the clients of this process: they share what they know of registries."""
    from ocizone.registry.clients import (  # noqa: PLC0415 - see the module docstring
        ClientFactory,
        shared_by_all,
    )

    times = given.times
    heard = _Heard(given.reactor)
    sharing = shared_by_all(times.request, lambda hit: times.cache("memory", hit), far, heard)
    return ClientFactory(sharing, given.environ, _warn).client


class _Heard:
    """Logs what registries warn of, each text once; told in pool threads."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._told: set[tuple[str, str]] = set()

    def __call__(self, host: str, text: str) -> None:
        self._reactor.callFromThread(self._tell, host, text)

    def _tell(self, host: str, text: str) -> None:
        if (host, text) not in self._told and len(self._told) < limits.WARNINGS_TOLD:
            self._told.add((host, text))
            log.warn("the registry warns", registry=host, warning=text)


def _memcached(given: Surroundings) -> MemcachedManifests | None:
    """Return the cache of manifests a fleet shares, if there is one; it connects when asked."""
    if given.memcached is None:
        return None
    # A sixth of the start, for what few have.
    from twisted.internet.endpoints import HostnameEndpoint  # noqa: PLC0415

    from ocizone.follow.memcached import MemcachedManifests  # noqa: PLC0415

    host, port = given.memcached
    return MemcachedManifests(
        given.reactor,
        HostnameEndpoint(given.reactor, host, port, timeout=limits.MEMCACHED_CONNECT_S),
        lambda hit: given.times.cache("memcached", hit),
        lambda why: log.warn("memcached failed", server=f"{host}:{port}", error=why),
    )


def _warn(message: str) -> None:
    log.warn("{message}", message=message)


def _check_signature(client: SignatureClient, digest: str, verify: Verify) -> Verdict:
    from ocizone.registry.signatures import check_signature  # noqa: PLC0415 - cryptography, if used

    return check_signature(client, digest, verify)


def _unpack(layers: tuple[Layer, ...], tree: Path) -> object:
    findings = Findings()
    files = unpack(layers, tree, findings)
    if findings.refused:
        raise ArtifactError(findings.problems())
    return files
