"""Blobs by digest: ingested once, verified before use, never written again.

Layout: ``blobs/sha256/<hex>``, mode 0440 (OCI image layout's scheme).
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from ocizone import limits
from ocizone.errors import StoreError
from ocizone.store.disk import Disk, open_foreign, sha256_of

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class Blobs:
    """The content-addressed part of the store. Blocking; any thread."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory / "sha256"
        self._disk = disk
        disk.directory(directory)
        disk.directory(self._directory)

    def path(self, digest: str) -> Path:
        """Return where the blob with this digest is, or would be.

        Raises:
            StoreError: it is no ``sha256:<hex>`` digest; it must not become a path.
        """
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise StoreError(f"{digest!r} is no sha256 digest")
        return self._directory / found[1]

    def verified(self, digest: str) -> bool:
        """Tell whether the blob is here and undamaged; reads all of it.

        A damaged one is removed, so that it is fetched again (a bit flip on disk must not
        outlive the next pull).

        Raises:
            StoreError: it is damaged and cannot be removed, or cannot be read.
        """
        if not self.present(digest):
            return False
        if self.intact(digest):
            return True
        self._disk.remove(self.path(digest), "blob")
        return False

    def present(self, digest: str) -> bool:
        """Tell whether a blob is here, without reading it.

        Raises:
            StoreError: it is no digest.
        """
        return _is_regular(self.path(digest))

    def intact(self, digest: str, pace: Callable[[int], None] | None = None) -> bool:
        """Tell whether a blob is what its digest says; reads all of it, removes nothing.

        Args:
            digest: of a blob that is present.
            pace: see disk.sha256_of.

        Raises:
            StoreError: it cannot be read.
        """
        path = self.path(digest)
        with self._disk.step("read", "blob", path):
            return f"sha256:{sha256_of(path, pace)}" == digest

    def ingest(self, temporary: Path, digest: str) -> None:
        """Move a fetched file in under its digest, after reading it back.

        Raises:
            StoreError: its content is not what the digest says, or the disk failed.
        """
        with self._disk.step("read-back", "blob", temporary):
            found = f"sha256:{sha256_of(temporary)}"
        if found != digest:
            raise StoreError(f"{temporary} read back as {found}, written as {digest}")
        self._disk.adopt(temporary, self.path(digest), "blob", 0o440)

    def ingest_copy(self, source: Path) -> str:
        """Copy a file of somebody else in, and return its digest.

        Raises:
            StoreError: the disk failed, or the file is larger than a zone file may be.
            OSError: the source cannot be read; the caller knows what it is.
        """
        temporary = self._disk.temporary()
        try:
            with open_foreign(source) as file, self._disk.step("write", "blob", temporary):
                digest = f"sha256:{_copy(file, temporary)}"
            self._disk.adopt(temporary, self.path(digest), "blob", 0o440)
        except StoreError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return digest

    def digests(self) -> tuple[str, ...]:
        """Return the digests of all blobs here; what has another name is nobody's.

        Raises:
            StoreError: the directory cannot be read.
        """
        with self._disk.step("list", "blobs", self._directory):
            names = [f"sha256:{entry.name}" for entry in self._directory.iterdir()]
        return tuple(name for name in names if _DIGEST.fullmatch(name))

    def retire(self, digest: str) -> list[Path]:
        """Take a blob that nothing refers to away; returns the file to ``discard``.

        Raises:
            StoreError: it cannot be renamed.
        """
        return self._disk.retire(self.path(digest), "blob")

    def discard(self, retired: Iterable[Path]) -> None:
        """Unlink retired files.

        Raises:
            StoreError: one cannot be unlinked; the next start will.
        """
        for path in retired:
            self._disk.remove(path, "blob")


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _copy(source: BufferedReader, destination: Path) -> str:
    """Copy what may be copied into a new file; return its hex digest."""
    hasher = hashlib.sha256()
    left = limits.ZONE_FILE_OCTETS
    with destination.open("xb") as copy:
        while chunk := source.read(limits.MIB):
            hasher.update(chunk)
            left -= len(chunk)
            if left < 0:
                raise StoreError(f"{source.name} is larger than a zone file may be")
            copy.write(chunk)
    return hasher.hexdigest()
