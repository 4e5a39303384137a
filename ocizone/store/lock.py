"""One process a state directory: an advisory lock that dies with its holder (flock(2))."""

from __future__ import annotations

import fcntl
import os
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
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StoreError(
                f"state directory {path.parent} is in use by process {holder or 'unknown'}:"
                " stop it, or give this one another --state-dir"
            ) from error
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(f"cannot lock {path}: {error.strerror or error}") from error

    def release(self) -> None:
        """Give the lock up; may be called again.

        The file stays: unlinking it would let two processes hold it.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
