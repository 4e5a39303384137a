"""Which blobs and images nothing refers to any more, and their removal.

Referred to is what a kept deployment of any source names, and what is held: a revision being
fetched or compiled is named by no record yet.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ocizone.store.blobs import Blobs
from ocizone.store.deployments import Deployment
from ocizone.store.images import Images


class Holds:
    """What is in use without a record, counted by name. Any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __contains__(self, name: str) -> bool:
        return self._counts[name] > 0

    def add(self, name: str) -> None:
        """Hold a digest or fingerprint once more."""
        with self.lock:
            self._counts[name] += 1

    def drop(self, names: list[str]) -> None:
        """Undo one ``add`` of each name."""
        with self.lock:
            self._counts.subtract(names)
            self._counts += Counter()  # forgets what is held no more


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
class Collected:
    """How many files a collection removed."""

    blobs: int
    images: int


def collect(
    blobs: Blobs, images: Images, holds: Holds, kept: Callable[[], list[Deployment]]
) -> Collected:
    """Remove the blobs and images that neither a deployment of ``kept`` nor a hold names.

    Raises:
        StoreError: the disk failed; what was removed was garbage.
    """
    # All under the lock: a hold taken now would come too late for a file being unlinked, and
    # one dropped now belongs to a deployment that ``kept`` must have seen.
    with holds.lock:
        deployments = kept()
        digests = {layer.digest for one in deployments for layer in one.layers}
        fingerprints = {one.fingerprint for one in deployments}
        old_blobs = [one for one in blobs.digests() if one not in digests and one not in holds]
        old_images = [
            one for one in images.fingerprints() if one not in fingerprints and one not in holds
        ]
        for digest in old_blobs:
            blobs.remove(digest)
        for fingerprint in old_images:
            images.remove(fingerprint)
    return Collected(len(old_blobs), len(old_images))
