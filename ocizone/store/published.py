"""What the artifact endpoint gives: by digest, of what kept deployments consist of. Blocking.

Only what a source of the plan deployed is found: neither what waits for ``approve`` nor what
nobody names any more. Not here: HTTP (admin.artifacts).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocizone.errors import StoreError
from ocizone.store.deployments import Deployment
from ocizone.store.store import Store


@dataclass(frozen=True, slots=True)
class Opened:
    """A file to be given away, open: collecting it does not end that.

    Attributes:
        descriptor: of the file; the reader closes it.
        octets: its size.
        digest: of its octets.
        media_type: of its octets.
    """

    descriptor: int
    octets: int
    digest: str
    media_type: str


class Published:
    """Finds files by digest. Any thread: two that look at once read a record twice, no more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[tuple[tuple[str, int], ...], tuple[Deployment, ...]]] = {}

    def blob(self, digest: str, keys: Iterable[str]) -> Opened | None:
        """Return a layer of a kept deployment, None when there is none with this digest.

        Args:
            digest: of the layer.
            keys: of the sources that count.

        Raises:
            StoreError: it cannot be read.
        """
        if all(layer.digest != digest for one in self._kept(keys) for layer in one.layers):
            return None
        path = self._store.blobs.path(digest)
        return _opened(str(path), digest, "application/octet-stream")

    def archive(self, digest: str, keys: Iterable[str]) -> Opened | None:
        """Return the files of a kept deployment as tar.gz, None when there is none.

        Args:
            digest: of the deployment's manifest.
            keys: of the sources that count.

        Raises:
            StoreError: it cannot be made.
        """
        found = next((one for one in self._kept(keys) if one.digest == digest), None)
        if found is None:
            return None
        made = self._store.archive(found)
        return _opened(str(made.path), made.digest, "application/gzip")

    def _kept(self, keys: Iterable[str]) -> Iterable[Deployment]:
        for key in keys:
            records = self._store.source(key)
            stamp = records.stamp()
            known = self._known.get(key)
            if known is None or known[0] != stamp:
                # Without what may be large and is not asked for here.
                small = tuple(replace(one, zones=(), files=()) for one in records.history())
                known = self._known[key] = (stamp, small)
            yield from known[1]


def _opened(path: str, digest: str, media_type: str) -> Opened | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    return Opened(descriptor, os.fstat(descriptor).st_size, digest, media_type)
