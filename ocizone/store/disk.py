"""The only place that changes files of the state directory: durable, atomic, and breakable.

A change is complete or did not happen, also after a power cut: write a temporary file, fsync
it, rename it, fsync the directory. Every operation passes the injected hook before and after,
so that a test can fail or die at each of them. Not here: what the files mean.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from ocizone.errors import StoreError
from ocizone.limits import MIB

#: Called with ``before OPERATION WHAT`` and ``after OPERATION WHAT``; may raise OSError.
Inject = Callable[[str], None]

#: What our temporary names start with: start-up removes these, and nothing else.
TEMPORARY_PREFIX: Final = "ocizone-"

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO that nobody writes would hang its thread for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def no_faults(point: str) -> None:
    """Let every operation through."""


class Disk:
    """Durable file operations, with temporaries in one directory of the same file system."""

    def __init__(self, temporaries: Path, inject: Inject = no_faults) -> None:
        self.temporaries = temporaries
        self._inject = inject

    @contextmanager
    def step(self, operation: str, what: str, path: Path) -> Iterator[None]:
        """Pass the hook around one operation, and translate what the system says.

        Raises:
            StoreError: the operation failed; the message names the path and the reason.
        """
        try:
            self._inject(f"before {operation} {what}")
            yield
            self._inject(f"after {operation} {what}")
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"cannot {operation} {path}: {reason}") from error

    def temporary(self) -> Path:
        """Return an unused name of ours in the directory of temporaries."""
        return self.temporaries / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"

    def directory(self, path: Path) -> None:
        """Make sure a private directory is there, and that it is one and not a link.

        Raises:
            StoreError: it cannot be made, or something else has its name.
        """
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise StoreError(f"{path} is in the way: it must be a directory and no link")
        if not path.is_dir():
            with self.step("mkdir", "directory", path):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes, what: str, mode: int = 0o600) -> None:
        """Replace the content of a file, atomically and durably.

        Raises:
            StoreError: it failed; the old content stands.
        """
        temporary = self.temporary()
        try:
            with (
                self.step("write", what, path),
                os.fdopen(os.open(temporary, _NEW, 0o600), "wb") as to,
            ):
                to.write(data)
            self.adopt(temporary, path, what, mode)
        except StoreError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def adopt(self, temporary: Path, path: Path, what: str, mode: int) -> None:
        """Make a finished temporary file durable under its final name.

        Raises:
            StoreError: it failed; an old file of that name stands, the temporary is left.
        """
        with self.step("fsync", what, path):
            descriptor = os.open(temporary, _READ)
            try:
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        with self.step("rename", what, path):
            temporary.rename(path)
        with self.step("fsync-directory", what, path.parent):
            _fsync_directory(path.parent)

    def retire(self, path: Path, what: str) -> list[Path]:
        """Rename a file to a temporary; unlinking a large one takes long, this does not.

        Returns:
            Where it is now; nothing when it was gone already.

        Raises:
            StoreError: it cannot be renamed.
        """
        temporary = self.temporary()
        with self.step("retire", what, path):
            try:
                path.rename(temporary)
            except FileNotFoundError:
                return []
        return [temporary]

    def remove(self, path: Path, what: str) -> None:
        """Unlink a file that may be gone already.

        Raises:
            StoreError: it cannot be unlinked.
        """
        with self.step("unlink", what, path):
            path.unlink(missing_ok=True)


def _fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path, pace: Callable[[int], None] | None = None) -> str:
    """Return the hex SHA-256 of a regular file; links are not followed.

    Args:
        path: of the file.
        pace: called with octets after so many were read; None to read as fast as it goes.

    Raises:
        OSError: it cannot be read, is missing, or is no regular file.
    """
    with _open_regular(path, _READ) as file:
        if pace is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        while piece := file.read(MIB):
            digest.update(piece)
            pace(len(piece))
        return digest.hexdigest()


def octets_of(path: Path) -> int:
    """Return the size of a file, 0 for one that is gone meanwhile or cannot be asked."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def changed_at(path: Path) -> int:
    """Return when a file was changed, in nanoseconds; 0 for one that is gone meanwhile."""
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def open_foreign(path: Path) -> BufferedReader:
    """Open a file of somebody else: a link is followed, nothing blocks.

    Operators mount zone files through links (Kubernetes ConfigMaps).

    Raises:
        OSError: it cannot be read, or is no regular file (a FIFO would hang the thread).
    """
    return _open_regular(path, _READ & ~os.O_NOFOLLOW)


def _open_regular(path: Path, flags: int) -> BufferedReader:
    descriptor = os.open(path, flags)
    try:
        file = os.fdopen(descriptor, "rb")
    except OSError:
        # A directory: fdopen refuses it without closing it.
        os.close(descriptor)
        raise
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def read(path: Path) -> bytes | None:
    """Return a file's content, None when there is none; links are not followed.

    Raises:
        StoreError: it is there and cannot be read, or is no regular file.
    """
    try:
        with _open_regular(path, _READ) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
