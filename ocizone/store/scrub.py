"""Hash everything that is kept again, and take away what is damaged, so that it is made anew.

A damaged blob is fetched again by whoever needs it. A damaged image loses its name: who has it
mapped keeps the old file, and the next look of its source finds it missing and compiles it again
from the blobs; until then it is told of at each scrub. A damaged record is told and stays: reading one fails cleanly, the next older is
used, and the next write replaces it. Not here: when (at start, and ``ocizone verify``).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ocizone.errors import StoreError
from ocizone.store.blobs import Blobs
from ocizone.store.gc import Holds
from ocizone.store.images import Images
from ocizone.store.sealed import DamagedError
from ocizone.store.typed import read_as


@dataclass(frozen=True, slots=True)
class Damage:
    """One file that is not what was written.

    Attributes:
        kind: what it is.
        path: where it is, or was.
        in_use: something that is served now was made from it, or is it.
        message: what became of it, for the operator.
    """

    kind: Literal["blob", "image", "record"]
    path: Path
    in_use: bool
    message: str


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """How many files are whole, and those that are not, by path."""

    whole: int
    damaged: tuple[Damage, ...]


class StoppedError(StoreError):
    """The server ends; nothing is known of what was not hashed yet."""


class Pace:
    """Keeps hashing from taking the disk away from everybody else."""

    def __init__(
        self,
        octets_per_s: float,
        seconds: Callable[[], float],
        wait: Callable[[float], bool],
    ) -> None:
        """Make it.

        Args:
            octets_per_s: read on average.
            seconds: monotonic.
            wait: sleeps so many seconds; true when the server ends (threading.Event.wait).
        """
        self._octets_per_s = octets_per_s
        self._seconds = seconds
        self._wait = wait
        self._due: float | None = None

    def __call__(self, octets: int) -> None:
        """Wait as long as reading so many octets should have taken.

        Raises:
            StoppedError: the server ends.
        """
        now = self._seconds()
        # Time that was not used is not saved up: no burst after a slow disk.
        self._due = max(now, now if self._due is None else self._due) + octets / self._octets_per_s
        if self._wait(max(0.0, self._due - now)):
            raise StoppedError("stopped")


def unpaced(_octets: int) -> None:
    """Let everything be read as fast as it can."""


def scrub(
    blobs: Blobs,
    images: Images,
    holds: Holds,
    records: Iterable[tuple[Path, type]],
    mapped: set[str],
    pace: Callable[[int], None] = unpaced,
) -> Scrubbed:
    """Hash everything; remove damaged blobs and images.

    Args:
        blobs: of the store.
        images: of the store.
        holds: tell what is in use.
        records: sealed ones, and what each is of.
        mapped: fingerprints of damaged images that lost their name and were served from at the
            last look; brought up to date.
        pace: called with octets after so many were read; may wait.

    Raises:
        StoreError: the directory cannot be listed, or what is damaged not removed.
        StoppedError: ``pace`` said so.
    """
    whole, damaged = _records(records)
    blob = _Check(blobs.present, lambda digest: blobs.intact(digest, pace))
    image = _Check(images.present, lambda name: images.intact(name, pace))
    suspect_blobs = [digest for digest in blobs.digests() if not blob(digest)]
    suspect_images = [name for name in images.fingerprints() if not image(name)]
    # Once more, later: what was being written or collected meanwhile is no damage.
    damaged += [_blob_damaged(blobs, holds, digest) for digest in suspect_blobs if not blob(digest)]
    # Of those that are served from still there is nothing left to hash.
    damaged += [_mapped(images, name) for name in _still(mapped, images, holds)]
    for name in suspect_images:
        if not image(name):
            found = _image_damaged(images, holds, name)
            damaged.append(found)
            if found.in_use:
                mapped.add(name)
    whole += blob.whole + image.whole
    return Scrubbed(whole, tuple(sorted(damaged, key=lambda one: str(one.path))))


class _Check:
    """Tells whether files are whole, and counts those that are."""

    def __init__(self, present: Callable[[str], bool], intact: Callable[[str], bool]) -> None:
        self.whole = 0
        self._present = present
        self._intact = intact

    def __call__(self, name: str) -> bool:
        """Tell whether a file is whole, or gone meanwhile.

        Raises:
            StoreError: it cannot be read, and not because the disk lost it: nothing is
                removed because descriptors or permissions are missing.
        """
        if not self._present(name):
            return True
        try:
            intact = self._intact(name)
        except StoreError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in {errno.EIO, errno.ENOENT}:
                raise
            return cause.errno == errno.ENOENT
        self.whole += intact
        return intact


def _blob_damaged(blobs: Blobs, holds: Holds, digest: str) -> Damage:
    in_use = holds.held(digest)
    blobs.discard(blobs.retire(digest))
    message = "removed; it is fetched again when it is needed"
    return Damage("blob", blobs.path(digest), in_use, message)


def _image_damaged(images: Images, holds: Holds, fingerprint: str) -> Damage:
    in_use = holds.held(fingerprint)
    images.discard(images.retire(fingerprint))
    message = "removed; it is compiled again from its blobs when it is needed"
    if in_use:
        message = (
            "it is being served: the damaged file stays mapped, and answers from it may be wrong,"
            " until the next look compiles it again: refresh its source now"
        )
    return Damage("image", images.path(fingerprint), in_use, message)


def _still(mapped: set[str], images: Images, holds: Holds) -> list[str]:
    """Forget what is replaced, or served no more; return the rest."""
    for name in tuple(mapped):
        if images.present(name) or not holds.held(name):
            mapped.discard(name)
    return sorted(mapped)


def _mapped(images: Images, fingerprint: str) -> Damage:
    message = (
        "found damaged before, and still being served: answers from it may be wrong, until the"
        " next look compiles it again: refresh its source now"
    )
    return Damage("image", images.path(fingerprint), True, message)


def _records(records: Iterable[tuple[Path, type]]) -> tuple[int, list[Damage]]:
    whole = 0
    damaged = []
    for path, kind in records:
        try:
            # None: pruned meanwhile.
            whole += read_as(kind, path) is not None
        except DamagedError as error:
            message = f"left where it is, and not used: {error}"
            damaged.append(Damage("record", path, path.name == "current.json", message))
    return whole, damaged
