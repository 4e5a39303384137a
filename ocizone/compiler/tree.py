"""A folder of zone files: listing, reading, and what ``$INCLUDE`` may reach in it.

The folder is an unpacked artifact or one an operator checks on disk. Nothing outside it is
read, whatever a file says or a link points at.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ocizone.errors import StoreError
from ocizone.findings import shown, shown_path
from ocizone.limits import ZONE_FILE_OCTETS
from ocizone.zone.masterfile import IncludeError


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A folder of zone files.

    Attributes:
        root: the folder.
        prefix: what findings put before a relative path, such as ``zones/``.
        name: what findings about the whole are of; the prefix when there is no other.
        listed: the files in it, relative, where they are known.
        held: octets of files that were not written to the folder (store.unpack).
        seen: takes the relative path of each file that is read whole.
    """

    root: Path
    prefix: str = ""
    name: str = ""
    listed: tuple[str, ...] | None = None
    held: Mapping[str, bytes] = field(default_factory=dict)
    seen: set[str] | None = None

    def files(self) -> Iterator[str]:
        """Yield the regular files below the folder, relative, sorted within each folder."""
        if self.listed is not None:
            yield from sorted(self.listed, key=_place)
            return
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            base = Path(folder)
            for name in sorted(names):
                path = base / name
                if path.is_file():
                    yield path.relative_to(self.root).as_posix()

    def display(self, relative: str) -> str:
        """Return what findings call a file."""
        return shown_path(self.prefix + relative)

    def read(self, relative: str) -> bytes:
        """Return a file's octets.

        Raises:
            StoreError: it cannot be read, or is over ZONE_FILE_OCTETS.
        """
        if self.seen is not None:
            self.seen.add(relative)
        held = self.held.get(relative)
        if held is not None:
            return held
        path = self.root / relative
        try:
            if path.stat().st_size > ZONE_FILE_OCTETS:
                raise StoreError(f"{path} is over {ZONE_FILE_OCTETS} octets")
            return path.read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error

    def head(self, relative: str, octets: int) -> bytes:
        """Return a file's first octets.

        Raises:
            StoreError: it cannot be read.
        """
        held = self.held.get(relative)
        if held is not None:
            return held[:octets]
        path = self.root / relative
        try:
            with path.open("rb") as file:
                return file.read(octets)
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error

    def include(self, including: str, target: str) -> tuple[str, bytes]:
        """Read an ``$INCLUDE`` target: a zone.masterfile.Resolver.

        Args:
            including: the including file: prefix and relative path.
            target: as written; relative to the including file's folder.

        Raises:
            IncludeError: it leaves the tree, or cannot be read.
        """
        if target.startswith("/"):
            raise IncludeError(f"{shown(target)} is absolute; only files beside are included")
        folder = posixpath.dirname(including.removeprefix(self.prefix))
        relative = posixpath.normpath(posixpath.join(folder, target))
        inside = self.root.resolve()
        try:
            real = (self.root / relative).resolve()
            if not real.is_relative_to(inside):
                raise IncludeError(f"{shown(target)} is outside of the artifact")
            return self.prefix + relative, self.read(relative)
        except (StoreError, OSError, ValueError) as error:
            raise IncludeError(f"{shown(target)} cannot be read") from error


def _place(path: str) -> list[tuple[bool, str]]:
    """Return what sorts a path as a walk meets it: the files of a folder before its folders."""
    *folders, name = path.split("/")
    return [*((True, folder) for folder in folders), (False, name)]
