"""From verified layers to files in a private tree, safely, with findings for what is refused.

A layer with a title is a file. A layer that is tar in gzip by its octets, and has no title or
the ``io.deis.oras.content.unpack`` annotation, is unpacked (`oras push FOLDER`, Flux). The
media type never decides: the oras CLI calls every plain file a tar. Nothing here overwrites,
follows a link, or leaves the tree. Not here: which files are zones (compiler.select).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from ocizone.compiler.spec import Layer, RevisionFile
from ocizone.errors import StoreError
from ocizone.findings import Findings, shown
from ocizone.limits import (
    EXPANDED_OCTETS,
    EXPANSION_RATIO,
    EXPANSION_RATIO_FROM_OCTETS,
    HELD_FILES_OCTETS,
    KIB,
    ZONE_FILE_OCTETS,
)
from ocizone.store.paths import BadPathError, folded, names_a_secret, safe_path
from ocizone.store.tarstream import BLOCK, BadArchiveError, looks_like_tar, members

EMPTY_MEDIA_TYPE: Final = "application/vnd.oci.empty.v1+json"
_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_PIECE: Final = 256 * KIB
# A pattern of lines looks at every line's begin; these are found at the speed of memory.
_OF_PRIVATE_KEYS: Final = (b"-----BEGIN ", b"Private-key-format: v")
_PRIVATE_KEY: Final = re.compile(
    rb"^(?:-----BEGIN [A-Z ]*PRIVATE KEY-----|Private-key-format: v)", re.MULTILINE
)
# Longer than what _PRIVATE_KEY matches: pieces overlap by so much.
_OVERLAP: Final = 80


class _RefusedError(Exception):
    """A layer cannot be used; a Problem's rule, message and hint."""

    def __init__(self, rule: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint


def unpack(
    layers: Iterable[Layer],
    tree: Path,
    findings: Findings,
    known: Mapping[str, str] = MappingProxyType({}),
    held: dict[str, bytes] | None = None,
) -> tuple[RevisionFile, ...]:
    """Write the layers' files below ``tree``; return them sorted by path.

    Args:
        layers: verified blobs, in manifest order.
        tree: an empty folder only we write to.
        findings: where problems go; after an error the tree is not to be used.
        known: digests by path of files that need not be written if they are the same still;
            small ones, of which ``held`` takes the octets instead, as long as they are
            HELD_FILES_OCTETS together. To write 10,000 files takes longer than to read them.
        held: see ``known``.

    Raises:
        StoreError: a blob cannot be read or the tree not written.
    """
    unpacking = _Unpacking(tree, findings, known, {} if held is None else held)
    try:
        for layer in layers:
            unpacking.layer(layer)
    except OSError as error:
        raise StoreError(f"cannot unpack into {tree}: {error}") from error
    return tuple(sorted(unpacking.files.values(), key=lambda file: file.path))


@dataclass(slots=True)
class _Unpacking:
    """One artifact being unpacked.

    Attributes:
        known: see ``unpack``.
        held: see ``unpack``.
        files: by path.
        octets: written so far.
    """

    tree: Path
    findings: Findings
    known: Mapping[str, str]
    held: dict[str, bytes]
    files: dict[str, RevisionFile] = field(default_factory=dict)
    octets: int = 0
    _held_octets: int = 0
    _spellings: dict[str, str] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)

    def layer(self, layer: Layer) -> None:
        """Take one layer."""
        name = shown(layer.title or layer.digest)
        try:
            if layer.media_type == EMPTY_MEDIA_TYPE and not layer.title:
                return
            if layer.unpack or not layer.title:
                self._archive(layer, name)
            else:
                self._plain(layer)
        except _RefusedError as refused:
            self.findings.error(name, 0, 0, refused.rule, refused.message, refused.hint)
        except (BadArchiveError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            message = f"bad archive: {shown(str(error))}"
            self.findings.error(name, 0, 0, "bad-archive", message)

    def _plain(self, layer: Layer) -> None:
        with Path(layer.blob).open("rb") as blob:
            written = self._file(layer.title, _pieces(blob))
        if written.digest != layer.digest:
            raise _RefusedError("digest", f"its octets are {written.digest}, not {layer.digest}")

    def _archive(self, layer: Layer, name: str) -> None:
        if not _is_tar_in_gzip(Path(layer.blob)):
            if layer.unpack:
                raise _RefusedError("bad-archive", "it is marked for unpacking and is no tar+gzip")
            message = "a layer without a title that is no tar+gzip is not used"
            self.findings.warning(name, 0, 0, "untitled-layer", message)
            return
        with Path(layer.blob).open("rb") as blob:
            expanded = _Expanded(blob, os.fstat(blob.fileno()).st_size)
            for member in members(expanded):
                self._file(member.path, member.content)
            # The gzip trailer stands behind the archive's end: it is checked by reading on.
            while expanded.read(_PIECE):
                pass

    def _file(self, title: str, content: Iterator[bytes]) -> RevisionFile:
        """Write one file; the same path again must have the same content."""
        try:
            path = safe_path(title)
        except BadPathError as error:
            raise _RefusedError("path", f"the path {shown(title)} is refused: {error}") from error
        if names_a_secret(path):
            raise _RefusedError(
                "secret", f"{shown(path)} names a private key or credentials", _HINT
            )
        known = self.files.get(path)
        if known is None:
            self._claim(path)
            written = self._hold(path, content) or self._write(path, content)
            self.files[path] = written
            return written
        again = self._write(path, content, again=True)
        if again.digest != known.digest:
            raise _RefusedError(
                "duplicate-path",
                f"{shown(path)} is there twice: {known.digest} and {again.digest}",
                "one artifact holds one file of a path",
            )
        return again

    def _claim(self, path: str) -> None:
        """Make the path's folders; refuse a path that differs from another only in case."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            self._claim_part("/".join(parts[:depth]), path)
        self._claim_part(path, path)

    def _claim_part(self, part: str, path: str) -> None:
        spelling = self._spellings.setdefault(folded(part), part)
        is_folder = part != path
        if spelling != part or part in self.files or (not is_folder and part in self._folders):
            raise _RefusedError("path-collision", f"{shown(path)} collides with {shown(spelling)}")
        if is_folder and part not in self._folders:
            (self.tree / part).mkdir(mode=0o700)
            self._folders.add(part)

    def _write(self, path: str, content: Iterable[bytes], *, again: bool = False) -> RevisionFile:
        """Hash the content, and write it unless the file is there already."""
        digest = hashlib.sha256()
        size = 0
        tail = b""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        target = os.devnull if again else self.tree / path
        descriptor = os.open(target, os.O_WRONLY if again else flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in content:
                size += len(piece)
                self._count(path, size, len(piece))
                if _holds_private_key(tail + piece):
                    raise _RefusedError("secret", f"{shown(path)} holds a private key", _HINT)
                tail = piece[-_OVERLAP:]
                digest.update(piece)
                file.write(piece)
        return RevisionFile(path, f"sha256:{digest.hexdigest()}", size)

    def _hold(self, path: str, content: Iterator[bytes]) -> RevisionFile | None:
        """Keep a file of one piece that is known and has not changed, instead of writing it."""
        known = self.known.get(path)
        if known is None:
            return None
        pieces = list(islice(content, 2))
        if len(pieces) == 1 and self._held_octets + len(pieces[0]) <= HELD_FILES_OCTETS:
            (piece,) = pieces
            if f"sha256:{hashlib.sha256(piece).hexdigest()}" == known:
                self._count(path, len(piece), len(piece))
                self._held_octets += len(piece)
                self.held[path] = piece
                return RevisionFile(path, known, len(piece))
        return self._write(path, chain(pieces, content))

    def _count(self, path: str, size: int, more: int) -> None:
        self.octets += more
        if size > ZONE_FILE_OCTETS or self.octets > EXPANDED_OCTETS:
            limit = f"{ZONE_FILE_OCTETS} octets a file, {EXPANDED_OCTETS} in all"
            raise _RefusedError("too-large", f"{shown(path)} is too large", limit)


def _holds_private_key(octets: bytes) -> bool:
    return any(begin in octets for begin in _OF_PRIVATE_KEYS) and bool(_PRIVATE_KEY.search(octets))


def file_of(layers: Iterable[Layer], path: str, digest: str) -> bytes | None:
    """Return the octets of one file of layers; None when they do not have it as it was.

    Args:
        layers: of a revision that was unpacked before; they may be damaged or gone by now.
        path: of the file.
        digest: that it had.
    """
    for layer in layers:
        try:
            data = _from_layer(layer, path, digest)
        except (OSError, EOFError, zlib.error, BadArchiveError, _RefusedError):
            continue
        if data is not None and f"sha256:{hashlib.sha256(data).hexdigest()}" == digest:
            return data
    return None


def _from_layer(layer: Layer, path: str, digest: str) -> bytes | None:
    blob = Path(layer.blob)
    if layer.title and not layer.unpack:
        return blob.read_bytes() if layer.digest == digest else None
    if not _is_tar_in_gzip(blob):
        return None
    with blob.open("rb") as file:
        for member in members(_Expanded(file, os.fstat(file.fileno()).st_size)):
            if member.path.removeprefix("./") == path:
                return b"".join(member.content)
    return None


_HINT: Final = "it has been published: take it out of the artifact, and replace it"


@dataclass(slots=True)
class _Expanded:
    """The expanded octets of a gzip file, refused when they look like a bomb."""

    blob: BinaryIO
    compressed: int
    octets: int = 0
    _stream: gzip.GzipFile = field(init=False)

    def __post_init__(self) -> None:
        self._stream = gzip.GzipFile(fileobj=self.blob, mode="rb")

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` octets."""
        piece = self._stream.read(size)
        self.octets += len(piece)
        over_ratio = self.octets > max(
            self.compressed * EXPANSION_RATIO, EXPANSION_RATIO_FROM_OCTETS
        )
        if over_ratio or self.octets > EXPANDED_OCTETS:
            raise _RefusedError(
                "bomb",
                f"{self.compressed} octets expand to over {self.octets}",
                f"at most {EXPANSION_RATIO} times, and {EXPANDED_OCTETS} octets",
            )
        return piece


def _pieces(blob: BinaryIO) -> Iterator[bytes]:
    while piece := blob.read(_PIECE):
        yield piece


def _is_tar_in_gzip(path: Path) -> bool:
    with path.open("rb") as blob:
        if blob.read(len(_GZIP_MAGIC)) != _GZIP_MAGIC:
            return False
        blob.seek(0)
        try:
            return looks_like_tar(gzip.GzipFile(fileobj=blob, mode="rb").read(BLOCK))
        except (OSError, EOFError, zlib.error):
            return False
