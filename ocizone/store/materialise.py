"""Write a revision's files under PATH, for people and programs that expect them there.

Nothing is served from these files. A ledger tells which of them are ours: only those are
replaced or removed. Below PATH no link is followed, at any component; PATH itself is the
operator's and may be one. Each file is replaced atomically. A failure is a finding, never more.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ocizone import limits
from ocizone.compiler.spec import RevisionFile
from ocizone.errors import Problem, Severity, StoreError
from ocizone.store.disk import TEMPORARY_PREFIX, Disk
from ocizone.store.ledger import Ledger
from ocizone.store.records import SourceRecords

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = _OPEN | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def materialised(root: Path, files: tuple[RevisionFile, ...], records: SourceRecords) -> bool:
    """Tell whether PATH holds these files and no others of ours, without reading any of them.

    A run that was interrupted shows in the ledger: as a file with two digests, or as one that
    is not wanted any more.

    Raises:
        StoreError: the ledger cannot be read.
    """
    ledger = _ledger_of(root, records)
    wanted = {file.path: [file.digest.removeprefix("sha256:")] for file in files}
    if any(wanted.get(path) != digests for path, digests in ledger.files.items()):
        return False
    return all(_has_size(root / file.path, file.size) for file in files)


def _ledger_of(root: Path, records: SourceRecords) -> Ledger:
    """Return the ledger of this PATH; an empty one when PATH is a new one.

    Files under a former PATH stay: who changes PATH may be serving them elsewhere.
    """
    known = records.ledger()
    return Ledger(str(root)) if known is None or known.root != str(root) else known


def _has_size(path: Path, size: int) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


class IncompleteTreeError(StoreError):
    """A file that has to be written is not in the tree; nothing was changed."""


def materialise(
    tree: Path, root: Path, files: tuple[RevisionFile, ...], records: SourceRecords, disk: Disk
) -> tuple[Problem, ...]:
    """Make PATH hold these files, and no others of ours.

    Args:
        tree: the unpacked revision; the paths of ``files`` are relative to it. Those that stand
            in PATH already need not be in it (store.unpack).
        root: PATH; made when missing.
        files: what to write.
        records: keeps the ledger.
        disk: for its fault points.

    Returns:
        What was left as it is, as warnings: files of others in the way, files of ours that
        somebody changed, whatever the system refused.

    Raises:
        IncompleteTreeError: the tree lacks a file that has to be written.
        StoreError: the ledger cannot be kept, or PATH cannot be made; then nothing of PATH
            was touched.
    """
    old = _ledger_of(root, records)
    with disk.step("mkdir", "path", root):
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _Materialising(tree, top, old, records, disk).run(files)
    finally:
        os.close(top)


class _Materialising:
    """One run; ``top`` is PATH, opened."""

    def __init__(
        self, tree: Path, top: int, old: Ledger, records: SourceRecords, disk: Disk
    ) -> None:
        self._tree = tree
        self._top = top
        self._old = old
        self._records = records
        self._disk = disk
        self._directories = list(old.directories)
        self._problems: list[Problem] = []

    def run(self, files: tuple[RevisionFile, ...]) -> tuple[Problem, ...]:
        wanted = {file.path: file.digest.removeprefix("sha256:") for file in files}
        changes = {path: digest for path, digest in wanted.items() if self._may_write(path, digest)}
        dropped = [path for path in self._old.files if path not in wanted]
        if not changes and not dropped:
            return tuple(self._problems)
        lacking = next((path for path in changes if not (self._tree / path).exists()), None)
        if lacking is not None:
            raise IncompleteTreeError(f"{self._tree} lacks {lacking}")
        # The intent first: a file written just before a crash must not pass for somebody else's.
        ours = dict(self._old.files)
        for path, digest in changes.items():
            ours[path] = [digest, *ours.get(path, ())]
        self._keep(ours)
        for path, digest in changes.items():
            if self._attempt(self._write, path):
                ours[path] = [digest]
        for path in dropped:
            # What cannot be removed stays ours: the next run tries again.
            if self._attempt(self._remove, path):
                del ours[path]
        self._remove_empty(ours)
        self._keep(ours)
        return tuple(self._problems)

    def _keep(self, files: dict[str, list[str]]) -> None:
        self._records.write_ledger(Ledger(self._old.root, files, self._directories))

    def _may_write(self, path: str, digest: str) -> bool:
        """Tell whether this file has to be written and is ours to write."""
        found = self._digest(path)
        if found == digest:
            return False
        if found is None or path in self._old.files:
            return True
        self._warn(path, "file-of-others", "left as it is: it was not written by ocizone")
        return False

    def _digest(self, path: str) -> str | None:
        """Return the hex digest of a file below PATH, None when there is none.

        Something that is no readable regular file gives "", which no file of ours has.
        """
        try:
            with self._parent(path) as parent:
                # Non-blocking: a FIFO of that name must not hang the thread.
                descriptor = os.open(Path(path).name, _OPEN | os.O_NONBLOCK, dir_fd=parent)
                with os.fdopen(descriptor, "rb") as file:
                    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                        return ""
                    return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None
        except OSError:
            return ""

    def _attempt(self, change: Callable[[str], None], path: str) -> bool:
        """Make one change; a failure becomes a warning about that file."""
        try:
            change(path)
        except OSError as error:
            self._warn(path, "file-not-written", error.strerror or str(error))
            return False
        except StoreError as error:
            self._warn(path, "file-not-written", str(error))
            return False
        return True

    def _write(self, path: str) -> None:
        name = Path(path).name
        # In the same directory, because PATH may be another file system than the store.
        temporary = _temporary(name)
        with self._parent(path, make=True) as parent:
            _unlink(temporary, parent)
            try:
                with self._disk.step("write", "file", Path(path)):
                    self._copy(path, temporary, parent)
                with self._disk.step("rename", "file", Path(path)):
                    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except StoreError:
                with suppress(OSError):
                    _unlink(temporary, parent)
                raise

    def _copy(self, path: str, temporary: str, parent: int) -> None:
        with os.fdopen(os.open(self._tree / path, _OPEN), "rb") as read:
            descriptor = os.open(temporary, _NEW, 0o644, dir_fd=parent)
            with os.fdopen(descriptor, "wb") as written:
                while chunk := read.read(limits.MIB):
                    written.write(chunk)
                written.flush()
                os.fsync(descriptor)

    def _remove(self, path: str) -> None:
        if self._digest(path) not in {None, *self._old.files[path]}:
            self._warn(path, "file-changed", "left where it is: somebody changed it")
            return
        with (
            self._disk.step("unlink", "file", Path(path)),
            suppress(FileNotFoundError),
            self._parent(path) as parent,
        ):
            _unlink(_temporary(Path(path).name), parent)
            _unlink(Path(path).name, parent)

    def _remove_empty(self, ours: dict[str, list[str]]) -> None:
        """Remove the directories that we made and that hold nothing of ours any more."""
        for directory in sorted(self._directories, key=len, reverse=True):
            if any(path.startswith(f"{directory}/") for path in ours):
                continue
            # Not empty: others use it now, and it is theirs from here on.
            with suppress(OSError), self._parent(directory) as parent:
                os.rmdir(Path(directory).name, dir_fd=parent)
            self._directories.remove(directory)

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[int]:
        """Open the directory a path lies in, link by no link, making it when asked."""
        current = os.dup(self._top)
        try:
            parts = Path(path).parts[:-1]
            for depth, part in enumerate(parts, start=1):
                if make:
                    self._make(part, current, "/".join(parts[:depth]))
                below = os.open(part, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)

    def _make(self, name: str, parent: int, path: str) -> None:
        try:
            os.mkdir(name, 0o755, dir_fd=parent)
        except FileExistsError:
            return
        self._directories.append(path)

    def _warn(self, path: str, rule: str, message: str) -> None:
        where = str(Path(self._old.root) / path)
        self._problems.append(Problem(where, 0, 0, Severity.WARNING, rule, message))


def _temporary(name: str) -> str:
    """Return what a file is called while it is written.

    Always the same, so that one left by a crash is found: by the next write or the removal.
    """
    return f".{TEMPORARY_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _unlink(name: str, directory: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
