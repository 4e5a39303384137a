"""One process a state directory: an advisory lock that dies with its holder (flock(2))."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from ocizone.errors import StoreError


class StateLock:
    """The lock of a state directory, held from construction to ``release``."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: another process holds it (the message says which), or the file cannot
                be opened.
        """
        try:
            self._descriptor = _open(path)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = ""
            with suppress(OSError):  # a directory cannot say who holds it
                holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StoreError(
                f"state directory {path.parent} is in use by process {holder or 'unknown'}:"
                " stop it, or give this one another --state-dir"
            ) from error
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(f"cannot lock {path}: {error.strerror or error}") from error
        # Only for the message to another process: a full disk is no reason not to serve.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock up; may be called again.

        The file stays: unlinking it would let two processes hold it.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _open(path: Path) -> int:
    """Open the lock file, as far as the disk lets us; flock works on any descriptor."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.ENOSPC, errno.EACCES}:
            raise
    try:
        return os.open(path, flags | os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return os.open(path.parent, flags | os.O_RDONLY | os.O_DIRECTORY)
