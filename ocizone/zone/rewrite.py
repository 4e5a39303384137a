"""An image made of another: a private copy of its file, in which zones are dropped, put or changed.

What did not change costs a copy of octets. The copy is hashed while it is made, so that one that
was damaged or cut short is never mapped. Both versions can be read while it is rewritten.
The result holds what a cold compilation writes, though not octet for octet. Not here: which zones
changed (compiler.derive), and how an image is laid out (zone.image).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import lmdb

from ocizone.errors import StoreError
from ocizone.limits import IMAGE_MAP_OCTETS, MIB
from ocizone.zone.image import (
    DATABASES,
    FORMAT,
    ID_OCTETS,
    MADE,
    ImageZone,
    LmdbZone,
    entries,
    listed_in,
    publish,
)
from ocizone.zone.reader import ZoneInfo

#: Over so many pages, an image of which less than _USED is in use is written anew, compacted.
_COMPACT_PAGES: Final = 1_000
_USED: Final = 0.8


class Rewriting:
    """A copy of an image that is being changed; ``finish`` or ``abandon`` ends it."""

    def __init__(self, draft: Path) -> None:
        """Open a copy; use ``of``, which makes and checks it."""
        self._draft = draft
        self._environment = environment = lmdb.open(
            str(draft),
            subdir=False,
            lock=False,
            sync=False,
            create=False,
            max_dbs=len(DATABASES),
            map_size=IMAGE_MAP_OCTETS,
        )
        self._databases = [environment.open_db(name, create=False) for name in DATABASES]
        # Begun before anything is written: it goes on showing the image as it was.
        self._reading = environment.begin()
        self._writing = environment.begin(write=True)
        self._next = 0
        for number, _ in self.zones_made():
            self._next = number + 1

    @classmethod
    def of(cls, former: Path, sha256: str, draft: Path) -> Self | None:
        """Copy an image and open the copy.

        Args:
            former: the image.
            sha256: hex digest it must have.
            draft: where the copy is made; the caller removes it in the end.

        Returns:
            None when there is no such image, or not this one: cut short, damaged, of another
            format.

        Raises:
            StoreError: the copy cannot be written.
        """
        try:
            source = former.open("rb")
        except OSError:
            return None
        try:
            with source:
                if _copied(source, draft) != sha256:
                    return None
            rewriting = cls(draft)
        except OSError as error:
            raise StoreError(f"cannot make {draft} of {former}: {error}") from error
        except lmdb.Error:
            return None
        if rewriting.meta(b"format") != FORMAT:
            rewriting.abandon()
            return None
        return rewriting

    # --- Reading -----------------------------------------------------------------------------

    def meta(self, key: bytes) -> bytes | None:
        """Return a value of ``meta`` as it was."""
        value: bytes | None = self._reading.get(key, db=self._databases[0])
        return value

    def zones_made(self) -> Iterator[tuple[int, bytes]]:
        """Yield (id, what the compiler noted) of each zone as it was, in order of ids."""
        for key, value in self._reading.cursor(db=self._databases[4]):
            yield int.from_bytes(key, "big"), value

    def listed(self) -> Iterator[tuple[str, int, ZoneInfo]]:
        """Yield (view, id, facts) of each zone as it was, in order of ids."""
        return listed_in(self._reading.cursor(db=self._databases[1]))

    def before(self, number: int, info: ZoneInfo) -> LmdbZone:
        """Return a zone as it was."""
        return LmdbZone(_Version(self._reading, self._databases), number, info)

    def encoded_before(self, number: int) -> Callable[[bytes], bytes | None]:
        """Return what returns the encoded node with a key, in a zone as it was."""
        prefix, get, db = number.to_bytes(ID_OCTETS, "big"), self._reading.get, self._databases[2]

        def encoded(key: bytes) -> bytes | None:
            value: bytes | None = get(prefix + key, db=db)
            return value

        return encoded

    def after(self, number: int, info: ZoneInfo) -> LmdbZone:
        """Return a zone as it is now."""
        return LmdbZone(_Version(self._writing, self._databases), number, info)

    # --- Writing -----------------------------------------------------------------------------

    def drop(self, number: int) -> None:
        """Remove a zone with everything of it."""
        prefix = number.to_bytes(ID_OCTETS, "big")
        for db in self._databases[1:]:
            cursor = self._writing.cursor(db=db)
            found = cursor.set_range(prefix)
            while found and cursor.key().startswith(prefix):
                found = cursor.delete()

    def put(self, zone: ImageZone) -> int:
        """Add a zone; return its id."""
        number, self._next = self._next, self._next + 1
        prefix = number.to_bytes(ID_OCTETS, "big")
        _, _, nodes, nsec3, _ = self._databases
        for db, found in ((nodes, zone.nodes), (nsec3, zone.nsec3)):
            keyed = ((prefix + key, value) for key, value in found)
            self._writing.cursor(db=db).putmulti(keyed, append=True)
        self._list(number, zone.views, zone.info, zone.made)
        return number

    def change(
        self,
        number: int,
        nodes: Mapping[bytes, bytes | None],
        views: tuple[str, ...],
        info: ZoneInfo,
        made: bytes,
    ) -> None:
        """Change some nodes of a zone, and what is known of it as a whole.

        Args:
            number: id of the zone.
            nodes: encoded nodes by key; None removes one.
            views: all that it is for, in the order of before.
            info: facts.
            made: kept for the compiler.
        """
        prefix = number.to_bytes(ID_OCTETS, "big")
        db = self._databases[2]
        for key, value in nodes.items():
            if value is None:
                self._writing.delete(prefix + key, db=db)
            else:
                self._writing.put(prefix + key, value, db=db)
        self._list(number, views, info, made)

    def _list(self, number: int, views: tuple[str, ...], info: ZoneInfo, made: bytes) -> None:
        for key, facts in entries(number, views, info):
            self._writing.put(key, facts, db=self._databases[1])
        self._writing.put(number.to_bytes(ID_OCTETS, "big"), made, db=self._databases[4])

    # --- Ending ------------------------------------------------------------------------------

    def finish(self, path: Path, made: bytes) -> tuple[str, int]:
        """Make the copy durable at ``path``; return (hex SHA-256, octets) of it.

        Raises:
            StoreError: the disk is full or not writable; there is nothing at ``path`` then.
        """
        draft = self._draft
        compact = path.with_name(f"{path.name}.compact")
        try:
            self._writing.put(MADE, made, db=self._databases[0])
            self._writing.commit()
            self._reading.abort()
            if self._is_sparse():
                compact.unlink(missing_ok=True)
                self._environment.copy(str(compact), compact=True)
                draft = compact
            self._environment.close()
            return publish(draft, path)
        except (OSError, lmdb.Error) as error:
            raise StoreError(f"cannot write the image {path}: {error}") from error
        finally:
            self._environment.close()
            compact.unlink(missing_ok=True)
            self._draft.unlink(missing_ok=True)

    def _is_sparse(self) -> bool:
        """Tell whether much of the file is free: what was dropped leaves its pages behind."""
        pages = self._environment.info()["last_pgno"] + 1
        with self._environment.begin() as transaction:
            stats = [transaction.stat(db) for db in self._databases]
        used = sum(
            stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"] for stat in stats
        )
        return pages > _COMPACT_PAGES and used < _USED * pages

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._writing.abort()
        self._reading.abort()
        self._environment.close()
        self._draft.unlink(missing_ok=True)


class _Version:
    """The databases of an image as one transaction sees them."""

    def __init__(self, transaction: Any, databases: list[Any]) -> None:
        self._transaction = transaction
        self._nodes, self._nsec3 = databases[2:4]

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._transaction.get(key, db=self._nodes)
        return value

    def cursor(self) -> Any:
        return self._transaction.cursor(db=self._nodes)

    def nsec3_cursor(self) -> Any:
        return self._transaction.cursor(db=self._nsec3)


def _copied(source: Any, draft: Path) -> str:
    """Copy a file's octets; return their hex SHA-256."""
    hasher = hashlib.sha256()
    with draft.open("xb") as copy:
        while piece := source.read(MIB):
            hasher.update(piece)
            copy.write(piece)
    return hasher.hexdigest()
