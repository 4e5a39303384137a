"""Where the texts of a Corefile come from: the file system by default, anything in tests."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocizone.limits import COREFILE_OCTETS

#: Takes an absolute path; raises OSError, or ValueError for a path no file can have.
Read = Callable[[str], str]
#: Takes an absolute pattern; the order of what it returns does not matter.
Glob = Callable[[str], list[str]]


def read_file(path: str) -> str:
    """Return a file's text; what is not UTF-8 becomes U+FFFD, as in CoreDNS.

    Raises:
        OSError: it cannot be read, or is larger than limits.COREFILE_OCTETS.
    """
    with Path(path).open("rb") as file:
        data = file.read(COREFILE_OCTETS + 1)
    if len(data) > COREFILE_OCTETS:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return data.decode("utf-8", errors="replace")


def glob_files(pattern: str) -> list[str]:
    """Return the paths that match; unlike Python's glob, ``*`` matches a leading dot, as in Go."""
    return glob.glob(pattern, include_hidden=True)  # noqa: PTH207 - Path.glob takes no absolute pattern


@dataclass(frozen=True, slots=True)
class World:
    """All that parsing may look at."""

    read: Read
    glob: Glob
    environ: Mapping[str, str]
    cwd: str

    def absolute(self, path: str) -> str:
        """Return the path made absolute from the working directory, ``..`` resolved."""
        return os.path.normpath(os.path.join(self.cwd, path))  # noqa: PTH118 - PurePath keeps ".."
