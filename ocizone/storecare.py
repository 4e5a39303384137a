"""Looking after a state directory while no server owns it: hash what is kept, remove garbage.

Answers as the server's verbs do (admin.verbs), so that the command line tells both alike.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from ocizone.errors import StoreError
from ocizone.store.store import Store


def collect(root: Path) -> dict[str, Any]:
    """Remove what nothing refers to.

    Raises:
        StoreError: the directory is in use or the disk failed.
    """
    with closing(Store(root)) as store:
        done = store.collect()
    message = f"removed {done.blobs} blobs and {done.images} images from {root}"
    return {"ok": True, "message": message, "blobs": done.blobs, "images": done.images}


def verify(root: Path) -> dict[str, Any]:
    """Hash every blob and image again; damaged ones are told, and removed by who needs them.

    A damaged blob is taken away, so that it is fetched again; an image is compiled again.

    Raises:
        StoreError: the directory is in use or cannot be read.
    """
    damaged: list[str] = []
    whole = 0
    with closing(Store(root)) as store:
        for digest in store.blobs.digests():
            if store.blobs.verified(digest):
                whole += 1
            else:
                damaged.append(str(store.blobs.path(digest)))
        for fingerprint in store.images.fingerprints():
            path = store.images.path(fingerprint)
            try:
                intact = store.images.verified(fingerprint) is not None
            except StoreError:
                intact = False
            whole += intact
            if not intact:
                damaged.append(str(path))
    message = f"{whole} blobs and images are whole"
    if damaged:
        message = f"{len(damaged)} of {whole + len(damaged)} are damaged: {', '.join(damaged)}"
    return {"ok": not damaged, "exit": 5, "message": message, "damaged": damaged, "whole": whole}
