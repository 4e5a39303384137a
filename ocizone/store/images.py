"""Compiled images by fingerprint, each with a record to verify it against.

A mapped image that is cut short kills the process (SIGBUS), so an image is hashed against its
record before anybody maps it. ``images/<fingerprint>.mdb`` is never written again; one that is
replaced keeps its inode for those who mapped it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.spec import CompiledZone, CompileReport, RevisionFile
from ocizone.errors import Problem, StoreError
from ocizone.plain import plain
from ocizone.store.disk import Disk, sha256_of
from ocizone.store.sealed import DamagedError, seal
from ocizone.store.typed import read_as

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What is known of an image without opening it.

    Attributes:
        sha256: hex digest of the file.
        octets: its size.
        zones: what it holds.
        files: of the revision it was made from, for materialising.
        problems: warnings about its content, to be shown as long as it is served.
    """

    sha256: str
    octets: int
    zones: tuple[CompiledZone, ...]
    files: tuple[RevisionFile, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, report: CompileReport) -> ImageRecord:
        """Return the record of the image a compile report tells of."""
        return cls(
            report.image_sha256, report.image_octets, report.zones, report.files, report.problems
        )


class Images:
    """The images of the store. Blocking; any thread."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory
        self._disk = disk
        #: Hex digests by fingerprint, of images that were hashed since the start.
        self._hashed: dict[str, str] = {}
        disk.directory(directory)

    def path(self, fingerprint: str) -> Path:
        """Return where the image is, or would be.

        Raises:
            StoreError: it is no fingerprint.
        """
        return self._named(fingerprint, "mdb")

    def _named(self, fingerprint: str, suffix: str) -> Path:
        if _FINGERPRINT.fullmatch(fingerprint) is None:
            raise StoreError(f"{fingerprint!r} is no image fingerprint")
        return self._directory / f"{fingerprint}.{suffix}"

    def present(self, fingerprint: str) -> bool:
        """Tell whether an image file is there, without reading it."""
        return self.path(fingerprint).is_file()

    def sha256(self, fingerprint: str) -> str:
        """Return the hex digest of an image that was hashed since the start, "" of others."""
        return self._hashed.get(fingerprint, "")

    def verified(self, fingerprint: str) -> ImageRecord | None:
        """Return the record of an image that is here and undamaged; reads all of it.

        None means: compile it (again); also when there is a record that cannot be read.

        Raises:
            StoreError: the image cannot be read.
        """
        if not self._is_file(fingerprint):
            return None
        try:
            record = self._record(fingerprint)
        except StoreError:
            return None
        if record is None or not self._is_as(fingerprint, record):
            return None
        self._hashed[fingerprint] = record.sha256
        return record

    def intact(self, fingerprint: str, pace: Callable[[int], None]) -> bool:
        """Tell whether an image is what its record says; reads all of it.

        Args:
            fingerprint: of an image that is present.
            pace: see disk.sha256_of.

        Raises:
            StoreError: image or record cannot be read.
        """
        try:
            record = self._record(fingerprint)
        except DamagedError:
            return False
        return record is not None and self._is_as(fingerprint, record, pace)

    def _is_file(self, fingerprint: str) -> bool:
        path = self.path(fingerprint)
        return path.is_file() and not path.is_symlink()

    def _record(self, fingerprint: str) -> ImageRecord | None:
        return read_as(ImageRecord, self._named(fingerprint, "json"))

    def _is_as(
        self, fingerprint: str, record: ImageRecord, pace: Callable[[int], None] | None = None
    ) -> bool:
        path = self.path(fingerprint)
        with self._disk.step("read", "image", path):
            sized = path.stat().st_size == record.octets
            return sized and sha256_of(path, pace) == record.sha256

    def publish(self, temporary: Path, fingerprint: str, report: CompileReport) -> ImageRecord:
        """Move a compiled image in, after reading it back, and write its record.

        Raises:
            StoreError: its content is not what the compiler reported, or the disk failed.
        """
        record = ImageRecord.of(report)
        with self._disk.step("read-back", "image", temporary):
            found = sha256_of(temporary)
        if found != record.sha256:
            raise StoreError(f"the image {temporary} is not the one the compiler reported")
        # The image first: a record without its image is nothing, and so is the reverse.
        self._disk.adopt(temporary, self.path(fingerprint), "image", 0o440)
        self._disk.write(self._named(fingerprint, "json"), seal(plain(record)), "image-record")
        self._hashed[fingerprint] = record.sha256
        return record

    def fingerprints(self) -> tuple[str, ...]:
        """Return the fingerprints of all images and records here; other names are nobody's.

        Raises:
            StoreError: the directory cannot be read.
        """
        with self._disk.step("list", "images", self._directory):
            names = {entry.name.partition(".")[0] for entry in self._directory.iterdir()}
        return tuple(name for name in names if _FINGERPRINT.fullmatch(name))

    def retire(self, fingerprint: str) -> list[Path]:
        """Take an image that nothing refers to away; returns the files to ``discard``.

        Who has it mapped keeps it.

        Raises:
            StoreError: it cannot be renamed.
        """
        self._hashed.pop(fingerprint, None)
        record = self._disk.retire(self._named(fingerprint, "json"), "image-record")
        return record + self._disk.retire(self.path(fingerprint), "image")

    def discard(self, retired: Iterable[Path]) -> None:
        """Unlink retired files.

        Raises:
            StoreError: one cannot be unlinked; the next start will.
        """
        for path in retired:
            self._disk.remove(path, "image")
