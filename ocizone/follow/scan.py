"""Which files on disk make up a local source, and their content in the store. Blocking.

The files of a source are those its rules name and those they include: ``$INCLUDE`` is followed
below the source's root, relative to the including file. No Twisted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ocizone import limits
from ocizone.errors import Problem, Severity, StoreError, ZoneError
from ocizone.follow.attempt import Fetched, Known, Rejected, Revision, Same
from ocizone.follow.source import LocalSource
from ocizone.store.deployments import StoredLayer
from ocizone.store.disk import open_foreign
from ocizone.store.gc import Hold
from ocizone.store.store import Store

_INCLUDE = re.compile(rb'\$INCLUDE[ \t]+"?([^\s";]+)', re.IGNORECASE)

#: What tells, without reading it, that a file is another one or was written to.
Stamp = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Scan:
    """What the last scan saw: as long as the stamps are the same, nothing is read."""

    named: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    digest: str


def scan(
    source: LocalSource, store: Store, hold: Hold, known: Known, last: Scan | None
) -> tuple[Same | Rejected | Fetched, Scan]:
    """Look at the files once; new content is in the store afterwards.

    Args:
        source: says which.
        store: takes their content.
        hold: keeps it from being collected.
        known: what is served or was refused.
        last: what the last scan saw.

    Raises:
        ZoneError: a file is missing or cannot be read.
        StoreError: the disk failed, or a file was written to meanwhile.
    """
    named = tuple(_named(source))
    if last and last.named == named and known.current and known.current.digest == last.digest:
        stamps = tuple(_stamp(source, path) for path, *_ in last.stamps if _there(source, path))
        if stamps == last.stamps:
            return Same(last.digest), last
    contents = _contents(source, named)
    stamps = tuple(_stamp(source, path) for path in contents)
    layers = tuple(_layer(source, path) for path in contents)
    if stamps != tuple(_stamp(source, path) for path in contents):
        raise StoreError(f"{source.name}: files are being written to; looking again later")
    digest = _digest(layers)
    seen = Scan(named, stamps, digest)
    if known.current and known.current.digest == digest:
        return Same(digest), seen
    if known.rejected == digest:
        return Rejected(digest), seen
    for layer in layers:
        hold.keep(layer.digest)
        if not store.blobs.verified(layer.digest):
            copied = _copy(source, store, layer.title)
            if copied != layer.digest:
                raise StoreError(f"{source.name}: {layer.title} is being written to")
    return Fetched(Revision(digest, layers)), seen


def _copy(source: LocalSource, store: Store, path: str) -> str:
    full = Path(source.root, path)
    try:
        return store.blobs.ingest_copy(full)
    except OSError as error:
        raise _unusable(str(full), error) from error


def _digest(layers: tuple[StoredLayer, ...]) -> str:
    material = json.dumps([(layer.title, layer.digest) for layer in layers])
    return f"sha256:{hashlib.sha256(material.encode()).hexdigest()}"


def _named(source: LocalSource) -> list[str]:
    """Return the files the rules name, relative to the root, sorted."""
    if source.paths is not None:
        return sorted(source.paths)
    regexps = [re.compile(rule.regexp) for rule in source.rules if rule.kind == "auto"]
    found: list[str] = []
    for directory, directories, names in os.walk(source.root, onerror=_cannot_list):
        # Kubernetes mounts keep every version of a volume in a hidden directory beside the links.
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        below = os.path.relpath(directory, source.root)
        found += [
            os.path.normpath(os.path.join(below, name))  # noqa: PTH118 - relative, not on disk
            for name in names
            if any(regexp.search(name) for regexp in regexps)
        ]
        if len(found) > limits.ARCHIVE_MEMBERS:
            raise StoreError(f"{source.root} holds more than {limits.ARCHIVE_MEMBERS} zone files")
    return sorted(found)


def _cannot_list(error: OSError) -> None:
    raise _unusable(str(error.filename), error)


def _contents(source: LocalSource, named: tuple[str, ...]) -> list[str]:
    """Return the named files and all they include, sorted, each once."""
    found: set[str] = set()
    waiting = list(named)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += [name for name in _included(source, path) if _there(source, name)]
    return sorted(found)


def _included(source: LocalSource, path: str) -> list[str]:
    """Return what a file includes, as paths below the root; others the compiler refuses."""
    try:
        with open_foreign(Path(source.root, path)) as file:
            lines = iter(lambda: file.readline(limits.ZONE_LINE_OCTETS), b"")
            found = [match[1] for line in lines if (match := _INCLUDE.match(line))]
    except OSError as error:
        raise _unusable(str(Path(source.root, path)), error) from error
    names = [os.fsdecode(name) for name in found]
    within = [os.path.relpath(Path(source.root, path).parent / name, source.root) for name in names]
    return [name for name in within if not name.startswith("..")]


def _there(source: LocalSource, path: str) -> bool:
    return Path(source.root, path).is_file()


def _stamp(source: LocalSource, path: str) -> Stamp:
    try:
        found = Path(source.root, path).stat()
    except OSError as error:
        raise _unusable(str(Path(source.root, path)), error) from error
    return path, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _layer(source: LocalSource, path: str) -> StoredLayer:
    full = Path(source.root, path)
    try:
        with open_foreign(full) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = full.stat().st_size
    except OSError as error:
        raise _unusable(str(full), error) from error
    return StoredLayer(f"sha256:{digest}", size, path, unpack=False, media_type="")


def _unusable(path: str, error: OSError) -> ZoneError:
    message = f"cannot be read: {error.strerror or error}"
    hint = "what was served before still is"
    return ZoneError([Problem(path, 0, 0, Severity.ERROR, "unreadable-file", message, hint)])
