"""What every follower works with, and what it asks of the rest of the program.

Everything that acts (clock, threads, disk, compiler, serving) is injected through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime

from ocizone.compiler.spec import CompareSpec, CompileReport, CompileSpec, Layer
from ocizone.errors import Problem
from ocizone.follow.places import Places
from ocizone.follow.pool import Pool
from ocizone.follow.status import Event
from ocizone.plugins.artifact import Keep
from ocizone.store.arena import FetchArena
from ocizone.store.deployments import Deployment
from ocizone.store.store import Store

#: Runs one compilation or comparison; cancelling the Deferred ends it.
Compile = Callable[[CompileSpec | CompareSpec], "Deferred[CompileReport]"]
#: Unpacks layers into an empty directory. Blocking.
Unpack = Callable[[tuple[Layer, ...], Path], object]
Observe = Callable[[Event], None]


class Serving(Protocol):
    """What is told of new deployments; the composition root. Reactor thread, must not block."""

    def check(self, deployment: Deployment) -> tuple[Problem, ...]:
        """Return what speaks against serving it: errors refuse, such as an origin taken."""

    def activate(self, deployment: Deployment, image: Path, earlier: tuple[Path, ...] = ()) -> None:
        """Serve it from now on, from this verified image.

        Args:
            deployment: what is served.
            image: it is served from.
            earlier: images of what was served before, newest first; verified and held as long
                as this is served.

        Raises:
            OcizoneError: it cannot be served; what was served before still is.
        """

    def relabelled(self, deployment: Deployment) -> None:
        """Take note that what is served has another digest now; no zone changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """What every follower works with; all of it injected.

    Attributes:
        clock: for timers; monotonic.
        wall: unix seconds, for records and status only.
        pulls: threads for talking to registries.
        places: of a registry among those threads.
        files: threads for the store: never behind a pull.
        store: the state directory.
        compile: see Compile.
        unpack: see Unpack; for files under PATH when an image was reused.
        serving: see Serving.
        observe: is told of every event.
        activating: one activation at a time, so that two sources cannot claim one origin.
        placing: one source writes below its PATH at a time: two may have one PATH.
        arena: fetches blobs, each once.
        keeps: returns how much history is kept, by source key.
        draw: chance, from 0 to below 1: spreads the looks of a fleet.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    pulls: Pool
    places: Places
    files: Pool
    store: Store
    compile: Compile
    unpack: Unpack
    serving: Serving
    observe: Observe
    activating: DeferredLock
    placing: DeferredLock
    arena: FetchArena
    keeps: Callable[[], Mapping[str, Keep]]
    draw: Callable[[], float]
