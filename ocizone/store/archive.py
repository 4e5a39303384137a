"""A deployment's files as one tar.gz whose octets depend on the files alone.

Sorted by path, without owners and times, mode 0644, in a gzip stream without a name and time: the
same files make the same octets, wherever and whenever (with one build of zlib; another may
compress otherwise). A made archive is kept among the temporaries, a few at a time, so that one that
is asked for in ranges is made once. Blocking; any thread.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ocizone import limits
from ocizone.compiler.spec import Layer, RevisionFile
from ocizone.errors import ArtifactError, StoreError
from ocizone.findings import Findings
from ocizone.store.blobs import Blobs
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.disk import Disk, sha256_of
from ocizone.store.unpack import unpack

#: Fixed: another level makes other octets.
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Archive:
    """A made archive; the file may be gone later, who has it open keeps it."""

    path: Path
    digest: str
    octets: int


class Archives:
    """Makes archives of deployments, one at a time, and keeps the last few."""

    def __init__(
        self,
        disk: Disk,
        blobs: Blobs,
        workspace: Callable[[], Path],
        discard: Callable[[Path], None],
    ) -> None:
        """Make it.

        Args:
            disk: of the store; archives are temporaries, so that a start removes them.
            blobs: of the store.
            workspace: makes a private directory with an empty ``tree`` in it.
            discard: removes it.
        """
        self._disk = disk
        self._blobs = blobs
        self._workspace = workspace
        self._discard = discard
        self._lock = threading.Lock()
        self._made: dict[tuple[StoredLayer, ...], Archive] = {}

    def archive(self, deployment: Deployment) -> Archive:
        """Return the archive of a deployment's files; the caller holds its layers.

        Raises:
            StoreError: a layer is missing or damaged, or the disk failed.
        """
        # Not by digests alone: the same octets under another title are another file.
        with self._lock:
            made = self._made.pop(deployment.layers, None)
            if made is None or not made.path.is_file():
                made = self._make(deployment)
            self._made[deployment.layers] = made
            while len(self._made) > limits.ARCHIVES:
                oldest = self._made.pop(next(iter(self._made)))
                self._disk.remove(oldest.path, "archive")
        return made

    def _make(self, deployment: Deployment) -> Archive:
        workspace = self._workspace()
        try:
            files = self._unpack(deployment, workspace / "tree")
            path = self._disk.temporary()
            try:
                with self._disk.step("write", "archive", path), path.open("xb") as to:
                    write_archive(workspace / "tree", files, to)
                digest = f"sha256:{sha256_of(path)}"
            except StoreError:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                raise
        finally:
            self._discard(workspace)
        return Archive(path, digest, path.stat().st_size)

    def _unpack(self, deployment: Deployment, tree: Path) -> tuple[RevisionFile, ...]:
        layers = []
        for one in deployment.layers:
            if not self._blobs.verified(one.digest):
                raise StoreError(
                    f"{one.digest} of {deployment.digest} is not in the store any more"
                )
            path = str(self._blobs.path(one.digest))
            layers.append(Layer(path, one.digest, one.title, one.unpack, one.media_type))
        findings = Findings()
        try:
            files = unpack(layers, tree, findings)
            if findings.refused:
                raise ArtifactError(findings.problems())
        except ArtifactError as error:
            raise StoreError(f"cannot unpack {deployment.digest}: {error}") from error
        return files


def write_archive(tree: Path, files: Iterable[RevisionFile], to: BinaryIO) -> None:
    """Write files below a folder as tar in gzip; the octets are a function of them alone.

    Args:
        tree: the folder.
        files: by path relative to it; what their digests say.
        to: where the octets go.

    Raises:
        StoreError: a file is not what its digest says.
        OSError: one cannot be read, or ``to`` not be written.
    """
    with (
        gzip.GzipFile("", "wb", _LEVEL, to, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(files, key=lambda one: one.path.encode()):
            member = tarfile.TarInfo(file.path)
            member.size, member.mode, member.mtime = file.size, 0o644, 0
            with (tree / file.path).open("rb") as content:
                if f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}" != file.digest:
                    raise StoreError(f"{file.path} is not what was unpacked")
                content.seek(0)
                archive.addfile(member, content)
