"""Compiled zone images: one immutable LMDB file, written once, mapped and shared by all readers.

Named databases: ``meta`` (format), ``zones`` (three-octet zone id + number of the view -> view
and facts of a zone, JSON), ``nodes`` (zone id + wire.name.relative_key -> zone.node), ``nsec3``
(zone id + hash -> zone.node: the owner of an NSEC3 is no name of the zone), ``made`` (zone id ->
what the compiler notes of how the zone was made). Who opens an image has checked its hash
before: a mapped file that is cut short kills the process. Not here: what the nodes mean, and
making an image of another one (zone.rewrite; beside it the one module that imports lmdb).
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final, Protocol

import lmdb

from ocizone.errors import StoreError
from ocizone.limits import IMAGE_MAP_OCTETS
from ocizone.plain import plain
from ocizone.zone.node import Node
from ocizone.zone.reader import Nsec3Params, Seeker, ZoneInfo

FORMAT: Final = b"ocizone-image-3"
ID_OCTETS: Final = 3
DATABASES: Final = (b"meta", b"zones", b"nodes", b"nsec3", b"made")
#: In ``meta``: what the compiler notes of the image as a whole.
MADE: Final = b"made"


@dataclass(frozen=True, slots=True)
class ImageZone:
    """One zone to write, for one or several views.

    Attributes:
        views: ids of the server blocks it is for.
        info: facts of the zone.
        nodes: keys and encoded nodes in canonical order; consumed once.
        nsec3: hashes and encoded nodes, in order; consumed once.
        made: kept for the compiler, which alone reads it.
    """

    views: tuple[str, ...]
    info: ZoneInfo
    nodes: Iterable[tuple[bytes, bytes]]
    nsec3: Iterable[tuple[bytes, bytes]] = ()
    made: bytes = b""


def write_image(path: Path, zones: Iterable[ImageZone], made: bytes = b"") -> tuple[str, int]:
    """Write an image and rename it to ``path``; return (hex SHA-256, octets) of the file.

    The file appears whole or not at all: written beside, compacted, fsynced, renamed, and the
    folder fsynced. The same zones give the same octets.

    Args:
        path: where it is to be.
        zones: in the order of their ids.
        made: kept for the compiler, which alone reads it.

    Raises:
        StoreError: the disk is full or not writable.
    """
    draft = path.with_name(f"{path.name}.draft")
    compact = path.with_name(f"{path.name}.compact")
    try:
        draft.unlink(missing_ok=True)
        compact.unlink(missing_ok=True)
        _write_draft(draft, compact, zones, made)
        digest, octets = publish(compact, path)
    except (OSError, lmdb.Error) as error:
        raise StoreError(f"cannot write the image {path}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
        compact.unlink(missing_ok=True)
    return digest, octets


def publish(finished: Path, path: Path) -> tuple[str, int]:
    """Fsync a written image and rename it to ``path``; return (hex SHA-256, octets) of it.

    Raises:
        OSError: the disk is full or not writable.
    """
    digest, octets = _hash_and_sync(finished)
    finished.rename(path)
    _sync_folder(path.parent)
    return digest, octets


def _write_draft(draft: Path, compact: Path, zones: Iterable[ImageZone], made: bytes) -> None:
    # sync=False: only the compacted copy is kept, and that one is fsynced.
    environment = lmdb.open(
        str(draft),
        subdir=False,
        lock=False,
        sync=False,
        max_dbs=len(DATABASES),
        map_size=IMAGE_MAP_OCTETS,
        mode=0o600,
    )
    try:
        meta, listed, nodes, nsec3, notes = (environment.open_db(name) for name in DATABASES)
        with environment.begin(write=True) as transaction:
            transaction.put(b"format", FORMAT, db=meta)
            transaction.put(MADE, made, db=meta)
            for number, zone in enumerate(zones):
                prefix = number.to_bytes(ID_OCTETS, "big")
                for db, found in ((nodes, zone.nodes), (nsec3, zone.nsec3)):
                    keyed = ((prefix + key, value) for key, value in found)
                    transaction.cursor(db=db).putmulti(keyed, append=True)
                for key, facts in entries(number, zone.views, zone.info):
                    transaction.put(key, facts, db=listed, append=True)
                transaction.put(prefix, zone.made, db=notes, append=True)
        environment.copy(str(compact), compact=True)
    finally:
        environment.close()


def entries(number: int, views: Iterable[str], info: ZoneInfo) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values that list a zone in ``zones``, one a view."""
    prefix = number.to_bytes(ID_OCTETS, "big")
    for place, view in enumerate(views):
        yield prefix + place.to_bytes(2, "big"), _facts(view, number, info)


def listed_in(cursor: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, int, ZoneInfo]]:
    """Yield the view, the id and the facts that each entry of ``zones`` tells."""
    # One text is read in a third of the time that one for each zone takes.
    for raw in json.loads(b"[" + b",".join([value for _, value in cursor]) + b"]"):
        yield raw["view"], raw["id"], _info(raw["info"])


def _facts(view: str, number: int, info: ZoneInfo) -> bytes:
    nsec3 = info.nsec3 and {"iterations": info.nsec3.iterations, "salt": info.nsec3.salt.hex()}
    facts = {**plain(info), "apex": info.apex.hex(), "nsec3": nsec3}
    return json.dumps({"view": view, "id": number, "info": facts}).encode()


def _info(facts: dict[str, Any]) -> ZoneInfo:
    nsec3 = facts["nsec3"]
    if nsec3 is not None:
        nsec3 = Nsec3Params(nsec3["iterations"], bytes.fromhex(nsec3["salt"]))
    return ZoneInfo(**{**facts, "apex": bytes.fromhex(facts["apex"]), "nsec3": nsec3})


def _hash_and_sync(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return digest, file.tell()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Databases(Protocol):
    """What a zone is read from: an open image, or one that is being rewritten."""

    def get(self, key: bytes) -> bytes | None:
        """Return the encoded node with this key, zone id included."""

    def cursor(self) -> Any:
        """Return an LMDB cursor over all nodes."""

    def nsec3_cursor(self) -> Any:
        """Return an LMDB cursor over all NSEC3."""


class Image:
    """An open image. Opened once a process, closed when nobody refers to it or its zones."""

    _open: ClassVar[weakref.WeakValueDictionary[tuple[int, int], Image]] = (
        weakref.WeakValueDictionary()
    )

    def __init__(self, path: Path) -> None:
        """Map the file; use ``open``, which shares what is open already."""
        self.path = path
        environment = lmdb.open(
            str(path),
            subdir=False,
            lock=False,
            readonly=True,
            create=False,
            max_dbs=len(DATABASES),
        )
        # One read transaction for the image's lifetime: the file never changes, so it holds
        # nothing back, and a get costs no transaction of its own.
        transaction = environment.begin()
        weakref.finalize(self, _close, environment, transaction)
        meta, listed, nodes, nsec3 = (
            environment.open_db(name, transaction, create=False) for name in DATABASES[:4]
        )
        if transaction.get(b"format", db=meta) != FORMAT:
            raise StoreError(f"{path} is an image of another format")
        self._transaction = transaction
        self._nodes = nodes
        get = transaction.get
        #: The encoded node with a key, zone id included. No keywords, and no method of ours in
        #: between: they cost as much as the read.
        self.get: Callable[[bytes], bytes | None] = lambda key: get(key, None, nodes)
        self._nsec3 = nsec3
        self._zones = dict(self._read_zones(listed))

    @classmethod
    def open(cls, path: Path) -> Image:
        """Return the image at this path; the one that is open already where there is one.

        Raises:
            StoreError: there is no file, or it is no image.
        """
        try:
            status = path.stat()
            # LMDB forbids a second mapping of one file in one process; the file is its inode.
            identity = (status.st_dev, status.st_ino)
            image = cls._open.get(identity)
            if image is None:
                image = cls._open[identity] = cls(path)
        except (OSError, lmdb.Error) as error:
            raise StoreError(f"cannot open the image {path}: {error}") from error
        return image

    def zones(self) -> Mapping[tuple[str, bytes], LmdbZone]:
        """Return the zones by (view, lower-case apex wire name)."""
        return MappingProxyType(
            {key: LmdbZone(self, *stored) for key, stored in self._zones.items()}
        )

    def zone(self, view: str, apex: bytes) -> LmdbZone | None:
        """Return one zone, or None when the image does not hold it for this view."""
        stored = self._zones.get((view, apex))
        return None if stored is None else LmdbZone(self, *stored)

    def _read_zones(self, listed: Any) -> Iterator[tuple[tuple[str, bytes], tuple[int, ZoneInfo]]]:
        for view, number, info in listed_in(self._transaction.cursor(db=listed)):
            yield (view, info.apex), (number, info)

    def cursor(self) -> Any:
        """Return an LMDB cursor over all nodes."""
        return self._transaction.cursor(db=self._nodes)

    def nsec3_cursor(self) -> Any:
        """Return an LMDB cursor over all NSEC3."""
        return self._transaction.cursor(db=self._nsec3)


def _close(environment: Any, transaction: Any) -> None:
    transaction.abort()
    environment.close()


class LmdbZone:
    """A ZoneReader over one zone of an image."""

    __slots__ = ("_cursor", "_get", "_image", "_info", "_prefix")

    def __init__(self, image: Databases, number: int, info: ZoneInfo) -> None:
        self._image = image
        self._info = info
        self._prefix = number.to_bytes(ID_OCTETS, "big")
        self._cursor = image.cursor()
        self._get = image.get

    @property
    def info(self) -> ZoneInfo:
        """What is known of the zone as a whole."""
        return self._info

    def get(self, key: bytes) -> Node | None:
        """Return the node with this key, or None where no such name exists."""
        value = self._get(self._prefix + key)
        return None if value is None else Node.decode(value)

    def getter(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the encoded node with a key, or None where no such name exists."""
        prefix, find, value = self.seeker()
        return lambda key: value() if find(prefix + key) else None

    def seeker(self) -> Seeker:
        """Return the same in pieces."""
        # A cursor of its own: half the time of a get where there is nothing (measured 2026-11-21).
        cursor = self._image.cursor()
        return Seeker(self._prefix, cursor.set_key, cursor.value)

    def finder(self) -> Callable[[bytes], bytes | None]:
        """Return what gives the last key below a key, or None where there is none."""
        cursor, prefix = self._image.cursor(), self._prefix
        seek, step, last, found = cursor.set_range, cursor.prev, cursor.last, cursor.key

        def find(key: bytes) -> bytes | None:
            if not (step() if seek(prefix + key) else last()):
                return None
            place: bytes = found()
            return place[ID_OCTETS:] if place.startswith(prefix) else None

        return find

    def predecessor(self, key: bytes) -> tuple[bytes, Node] | None:
        """Return the last node whose key is below ``key``; None at the apex."""
        found = self.value_before(key)
        return None if found is None else (found[0], Node.decode(found[1]))

    def value_before(self, key: bytes) -> tuple[bytes, bytes] | None:
        """Return the last key below ``key`` and its encoded node; None at the apex."""
        cursor = self._cursor
        if not (cursor.prev() if cursor.set_range(self._prefix + key) else cursor.last()):
            return None
        found: bytes = cursor.key()
        if not found.startswith(self._prefix):
            return None
        return found[ID_OCTETS:], cursor.value()

    def nodes(self, start: bytes = b"") -> Iterator[tuple[bytes, Node]]:
        """Yield (key, node) from ``start`` on, in canonical order."""
        for key, value in self._from(self._image.cursor(), start):
            yield key, Node.decode(value)

    def nsec3(self, digest: bytes) -> tuple[bytes, Node] | None:
        """Return the NSEC3 that matches or covers a hash: the last at or before it, else the last."""
        prefix, cursor = self._prefix, self._image.nsec3_cursor()
        if cursor.set_range(prefix + digest) and cursor.key() == prefix + digest:
            return digest, Node.decode(cursor.value())
        if not (cursor.key() and cursor.prev() and cursor.key().startswith(prefix)):
            # Before the first, or behind the last of all zones: the last of this zone.
            behind = (int.from_bytes(prefix, "big") + 1).to_bytes(ID_OCTETS, "big")
            if not (cursor.prev() if cursor.set_range(behind) else cursor.last()):
                return None
        found: bytes = cursor.key()
        if not found.startswith(prefix):
            return None
        return found[ID_OCTETS:], Node.decode(cursor.value())

    def nsec3_nodes(self) -> Iterator[tuple[bytes, Node]]:
        """Yield (hash, node with the NSEC3 RRset) in hash order."""
        for digest, value in self.nsec3_encoded():
            yield digest, Node.decode(value)

    def encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, encoded node) in canonical order."""
        return self._from(self._image.cursor(), b"")

    def nsec3_encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (hash, encoded node) in hash order."""
        return self._from(self._image.nsec3_cursor(), b"")

    # Each walk has a cursor of its own: several transfers and lookups may be under way at once.
    def _from(self, cursor: Any, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        if not cursor.set_range(self._prefix + start):
            return
        for key, value in cursor:
            if not key.startswith(self._prefix):
                return
            yield key[ID_OCTETS:], value
