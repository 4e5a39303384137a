"""Files the operator names: read without ever waiting for them, and never more than so much.

A pipe where a key should be would hold a thread for as long as nobody writes into it, and one more
at each attempt; a device would never end. Only regular files count. Not here: what is in them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def read_file(path: str | Path, most: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: of it; a link is followed, for secrets are mounted as such.
        most: octets it may have.

    Raises:
        OSError: it cannot be read, is no regular file, or is longer.
    """
    with _opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise OSError(errno.EFBIG, f"more than {most} octets", str(path))
    return raw


def check_file(path: str | Path) -> None:
    """Check a file that a library will open by its name, and would wait for.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    with _opened(path):
        pass


@contextmanager
def _opened(path: str | Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield descriptor
    finally:
        os.close(descriptor)
