"""Looking after a state directory while no server owns it: hash what is kept, remove garbage.

Under the directory's lock. Answers as the server's verbs do (admin.verbs), so that the command line
tells both alike. Not here: the server's own (ocizone.housekeeping).
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit
from ocizone.errors import StoreError
from ocizone.plugins.artifact import Keep
from ocizone.store.scrub import Scrubbed
from ocizone.store.store import Store

#: How much history is kept only a Corefile tells: all of it, while nobody has read one.
_ALL = Keep(sys.maxsize)


def collect(root: Path, digests: tuple[str, ...] = ()) -> VerbResult:
    """Remove what nothing refers to; of history only these versions are forgotten.

    Raises:
        StoreError: the directory is in use or the disk failed.
    """
    with closing(_opened(root)) as store:
        store.delete_manifests(digests)
        done = store.collect(dict.fromkeys(store.keys(), _ALL))
    return VerbResult(True, Exit.OK, f"removed {done.blobs} blobs, {done.images} images")


def verify(root: Path) -> VerbResult:
    """Hash everything again; what is damaged is taken away, so that it is made anew.

    Raises:
        StoreError: the directory is in use or the disk failed.
    """
    with closing(_opened(root)) as store:
        found = store.scrub()
    if not (found.damaged or found.whole):
        return VerbResult(False, Exit.FAILED, f"{root} keeps nothing")
    return verified(found)


def verified(found: Scrubbed) -> VerbResult:
    """Return what a scrub came to, as the result of ``verify``."""
    damaged = [
        {"kind": one.kind, "path": str(one.path), "in_use": one.in_use, "message": one.message}
        for one in found.damaged
    ]
    details = {"whole": found.whole, "damaged": damaged}
    whole = f"{found.whole} files are whole"
    if damaged:
        message = f"{len(damaged)} damaged, {whole}"
        return VerbResult(False, Exit.INTEGRITY, message, details=details)
    return VerbResult(True, Exit.OK, whole, details=details)


def _opened(root: Path) -> Store:
    """Return the store of a state directory; another one is told, not made into one."""
    if not (root / "blobs").is_dir():
        raise StoreError(f"{root} is no state directory: it keeps nothing")
    return Store(root)
