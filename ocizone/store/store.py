"""The state directory as a whole: one process opens it, recovers it, and owns it.

    lock                       flock: one process a directory
    blobs/sha256/<hex>         layers (store.blobs)
    images/<fingerprint>.mdb   compiled images, each with a record (store.images)
    sources/<key>/             pointer, history, refusal, ledger (store.records)
    tmp/                       what is being written; emptied of ours at start

Blocking, and without Twisted: callers use a pool thread for whatever reads or writes much.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Final

from ocizone.errors import StoreError
from ocizone.store.blobs import Blobs
from ocizone.store.deployments import Deployment
from ocizone.store.disk import TEMPORARY_PREFIX, Disk, Inject, no_faults
from ocizone.store.gc import Collected, Hold, Holds, collect
from ocizone.store.images import Images
from ocizone.store.lock import StateLock
from ocizone.store.records import SourceRecords

_NOT_WRITABLE: Final = frozenset({errno.EROFS, errno.ENOSPC, errno.EACCES})


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

    def collect(self) -> Collected:
        """Prune every source's history, then remove what nothing refers to.

        Raises:
            StoreError: the disk failed; nothing in use was removed.
        """
        return collect(self.blobs, self.images, self._holds, self._kept)

    def _kept(self) -> list[Deployment]:
        with self.disk.step("list", "sources", self._sources):
            keys = sorted(entry.name for entry in self._sources.iterdir())
        kept: list[Deployment] = []
        for key in keys:
            records = self.source(key)
            records.prune()
            kept += records.candidates()
        return kept


def _remove_tree(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)
