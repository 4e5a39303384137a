"""The state directory as a whole: one process opens it, recovers it, and owns it.

    lock                       flock: one process a directory
    blobs/sha256/<hex>         layers (store.blobs)
    images/<fingerprint>.mdb   compiled images, each with a record (store.images)
    sources/<key>/             pointer, history, refusal, decisions, ledger (store.records)
    keys.json                  which source has which key (store.sourcekeys)
    tmp/                       what is being written; emptied of ours at start

Blocking, and without Twisted: callers use a pool thread for whatever reads or writes much.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ocizone.errors import StoreError
from ocizone.limits import KEEP_DEPLOYMENTS
from ocizone.plugins.artifact import Keep
from ocizone.store.archive import Archive, Archives
from ocizone.store.blobs import Blobs
from ocizone.store.deployments import Deployment
from ocizone.store.disk import TEMPORARY_PREFIX, Disk, Inject, no_faults, octets_of
from ocizone.store.gc import Collected, Hold, Holds, Kept, collect, kept_by
from ocizone.store.images import Images
from ocizone.store.lock import StateLock
from ocizone.store.records import SourceRecords
from ocizone.store.scrub import Scrubbed, scrub, unpaced
from ocizone.store.sealed import DamagedError
from ocizone.store.standing import Held

_DEFAULT_KEEP: Final = Keep(KEEP_DEPLOYMENTS)
_NOT_WRITABLE: Final = frozenset({errno.EROFS, errno.ENOSPC, errno.EACCES})


@dataclass(frozen=True, slots=True)
class Usage:
    """How many octets the state directory takes, and how many deployments of all sources it keeps."""

    octets: int
    generations: int


class Store:
    """An opened state directory."""

    def __init__(self, root: Path, inject: Inject = no_faults) -> None:
        """Open the directory (made with mode 0700), lock it, and clear leftovers.

        Raises:
            StoreError: it is in use by another process, or cannot be made or written.
        """
        self.root = root
        self.disk = Disk(root / "tmp", inject)
        self.disk.directory(root)
        self._lock = StateLock(root / "lock")
        try:
            self._prepare_temporaries()
            self.blobs = Blobs(self._made(root / "blobs"), self.disk)
            self.images = Images(root / "images", self.disk)
            self._sources = self._made(root / "sources")
        except StoreError:
            self._lock.release()
            raise
        self._holds = Holds()
        #: Of damaged images that have no name any more and are served from still (store.scrub).
        self._mapped: set[str] = set()
        self._archives = Archives(self.disk, self.blobs, self.workspace, self.discard)

    def _made(self, path: Path) -> Path:
        self.disk.directory(path)
        return path

    def _prepare_temporaries(self) -> None:
        """Make or clear ``tmp``; on a read-only or full disk what is there is served anyway.

        Raises:
            StoreError: something else is in the way, or the disk failed otherwise.
        """
        try:
            self.disk.directory(self.disk.temporaries)
            self._clear_temporaries()
        except StoreError as error:
            # Whatever is written later fails by itself, and is told where it does.
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _NOT_WRITABLE:
                raise

    def _clear_temporaries(self) -> None:
        with self.disk.step("clear", "temporaries", self.disk.temporaries):
            for path in self.disk.temporaries.iterdir():
                if path.name.startswith(TEMPORARY_PREFIX):
                    _remove_tree(path)

    def close(self) -> None:
        """Release the directory to other processes."""
        self._lock.release()

    def source(self, key: str) -> SourceRecords:
        """Return the records of one source.

        Raises:
            StoreError: the key cannot be a directory's name.
        """
        return SourceRecords(self._sources, key, self.disk)

    def hold(self) -> Hold:
        """Return a new, empty hold against collection."""
        return Hold(self._holds)

    def workspace(self) -> Path:
        """Make a private directory for one compilation, with an empty ``tree`` in it.

        Raises:
            StoreError: it cannot be made.
        """
        path = self.disk.temporary()
        self.disk.directory(path)
        self.disk.directory(path / "tree")
        return path

    def discard(self, workspace: Path) -> None:
        """Remove a workspace with everything in it; links in it are not followed.

        Raises:
            StoreError: it cannot be removed; the next start will.
        """
        with self.disk.step("discard", "workspace", workspace):
            _remove_tree(workspace)

    def collect(
        self, keeps: Mapping[str, Keep] = MappingProxyType({}), now: float = 0.0
    ) -> Collected:
        """Prune every source's history, then remove what nothing refers to.

        Args:
            keeps: by source key, how much history is kept; limits.KEEP_DEPLOYMENTS of others.
            now: unix seconds, for ages.

        Raises:
            StoreError: the disk failed; nothing in use was removed.
        """
        return collect(self.blobs, self.images, self._holds, lambda: self._pruned(keeps, now))

    def _pruned(self, keeps: Mapping[str, Keep], now: float) -> Kept:
        """Prune every source's history; return what the rest refers to."""
        deployments: list[Deployment] = []
        waiting: list[Held] = []
        for key in self.keys():
            records = self.source(key)
            try:
                deployments += records.prune(keeps.get(key, _DEFAULT_KEEP), now)
                held = records.standing().held
            except DamagedError:
                # What a damaged standing pins is not known: that history stays as it is. What it
                # held nobody can approve any more.
                deployments += records.candidates()
            else:
                waiting += [] if held is None else [held]
        return kept_by(deployments, waiting)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of all sources with records, sorted.

        Raises:
            StoreError: the directory cannot be read.
        """
        with self.disk.step("list", "sources", self._sources):
            return tuple(sorted(entry.name for entry in self._sources.iterdir()))

    def delete_manifests(self, digests: Collection[str]) -> tuple[str, ...]:
        """Forget deployments and reports of manifests, of all sources; return those known.

        What is served, pinned or held is left; one that is not known is no error.

        Raises:
            StoreError: the disk failed.
        """
        found: dict[str, None] = {}
        for key in self.keys():
            found.update(dict.fromkeys(self.source(key).delete_manifests(digests)))
        return tuple(found)

    def forget(self, keys_in_use: Collection[str]) -> tuple[str, ...]:
        """Forget the sources that no block names any more; return their keys.

        ``collect`` removes what only they referred to. Their files under PATH stay: they are
        nobody's of ours then.

        Args:
            keys_in_use: of every source of the plan.

        Raises:
            StoreError: one cannot be removed.
        """
        forgotten = tuple(key for key in self.keys() if key not in keys_in_use)
        for key in forgotten:
            for path in self.disk.retire(self._sources / key, "source"):
                with self.disk.step("discard", "source", path):
                    _remove_tree(path)
        return forgotten

    def scrub(self, pace: Callable[[int], None] = unpaced) -> Scrubbed:
        """Hash everything again, and take away what is damaged; see store.scrub.

        Args:
            pace: called with octets after so many were read; may wait.

        Raises:
            StoreError: the disk failed.
        """
        records = [each for key in self.keys() for each in self.source(key).sealed()]
        return scrub(self.blobs, self.images, self._holds, records, self._mapped, pace)

    def archive(self, deployment: Deployment) -> Archive:
        """Return a deployment's files as one reproducible tar.gz; see store.archive.

        Raises:
            StoreError: a layer is not there any more, or the disk failed.
        """
        hold = self.hold()
        for layer in deployment.layers:
            hold.keep(layer.digest)
        try:
            return self._archives.archive(deployment)
        finally:
            hold.release()

    def usage(self) -> Usage:
        """Return how much the state directory takes; walks all of it.

        Raises:
            StoreError: the directory of sources cannot be read.
        """
        octets = sum(octets_of(path) for path in self.root.rglob("*") if not path.is_dir())
        return Usage(octets, sum(len(self.source(key).stamp()) for key in self.keys()))


def _remove_tree(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)
