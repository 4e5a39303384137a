"""Which blobs and images nothing refers to any more, and their removal.

Referred to is what a kept deployment of any source names, what waits for ``approve``, and what is
held in memory: a revision being fetched or compiled is named by no record yet. Holds are taken and
dropped on the reactor thread, so their lock is never kept longer than one rename.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ocizone.store.blobs import Blobs
from ocizone.store.deployments import Deployment
from ocizone.store.disk import octets_of
from ocizone.store.images import Images
from ocizone.store.standing import Held


class Holds:
    """What is in use without a record, counted by name. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._collecting = threading.Lock()
        self._dropped: set[str] = set()

    def add(self, name: str) -> None:
        """Hold a digest or fingerprint once more."""
        with self._lock:
            self._counts[name] += 1

    def drop(self, names: list[str]) -> None:
        """Undo one ``add`` of each name."""
        with self._lock:
            self._counts.subtract(names)
            self._counts += Counter()  # forgets what is held no more
            if self._collecting.locked():
                self._dropped.update(names)

    def held(self, name: str) -> bool:
        """Tell whether somebody holds a digest or fingerprint."""
        with self._lock:
            return self._counts[name] > 0

    @contextmanager
    def collection(self) -> Iterator[None]:
        """One collection at a time; what is dropped during it counts as held until its end.

        For it may have been dropped because a deployment names it, committed after this
        collection had read the records.
        """
        with self._collecting:
            try:
                yield
            finally:
                with self._lock:
                    self._dropped.clear()

    def take(self, name: str, retire: Callable[[str], list[Path]]) -> list[Path]:
        """Retire a file unless it is held; who holds it from now on finds it gone.

        Args:
            name: digest or fingerprint.
            retire: moves it out of the way, quickly, and says where to.
        """
        with self._lock:
            held = self._counts[name] > 0 or name in self._dropped
            return [] if held else retire(name)


class Hold:
    """Keeps blobs and images from being collected, until released."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._names: list[str] = []

    def keep(self, name: str) -> None:
        """Keep a digest or fingerprint: call it before looking whether it is there."""
        self._holds.add(name)
        self._names.append(name)

    def release(self) -> None:
        """Let go of everything; may be called again."""
        names, self._names = self._names, []
        self._holds.drop(names)


@dataclass(frozen=True, slots=True)
class Kept:
    """What records refer to: digests of blobs, fingerprints of images."""

    digests: frozenset[str]
    fingerprints: frozenset[str]


def kept_by(deployments: Iterable[Deployment], waiting: Iterable[Held]) -> Kept:
    """Return what deployments, and revisions that wait for ``approve``, refer to."""
    held = list(waiting)
    whole = [*deployments, *(one.candidate for one in held if one.candidate is not None)]
    digests = {layer.digest for one in whole for layer in one.layers}
    fingerprints = {one.fingerprint for one in whole} | {one.fingerprint for one in held}
    return Kept(
        frozenset(digests.union(*(one.layers for one in held))), frozenset(fingerprints - {""})
    )


@dataclass(frozen=True, slots=True)
class Collected:
    """How many blobs and images a collection removed, and their octets together."""

    blobs: int
    images: int
    octets: int = 0


def collect(blobs: Blobs, images: Images, holds: Holds, kept: Callable[[], Kept]) -> Collected:
    """Remove the blobs and images that neither ``kept`` nor a hold names.

    Raises:
        StoreError: the disk failed; what was removed was garbage.
    """
    with holds.collection():
        known = kept()
        old_blobs = [
            holds.take(digest, blobs.retire)
            for digest in blobs.digests()
            if digest not in known.digests
        ]
        old_images = [
            holds.take(name, images.retire)
            for name in images.fingerprints()
            if name not in known.fingerprints
        ]
        retired_blobs = [path for paths in old_blobs for path in paths]
        retired_images = [path for paths in old_images for path in paths]
        octets = sum(octets_of(path) for path in (*retired_blobs, *retired_images))
        blobs.discard(retired_blobs)
        images.discard(retired_images)
    return Collected(sum(map(bool, old_blobs)), sum(map(bool, old_images)), octets)
