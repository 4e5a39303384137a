"""Records that no check has anything to say of, as encoded nodes and not as Records.

A name is here with a record, or a few, of types that point nowhere. Whatever else is at a name,
or comes to it, takes it out (``take``): its records become Records, and checks look at them.
Costs 200 octets a record beside its name's; a Record in a list costs 500.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_A, TYPE_AAAA, TYPE_PTR
from ocizone.zone.batch import Batch, record_of
from ocizone.zone.node import merge_singles, single_kind, single_type, with_flags
from ocizone.zone.record import Record

# Of one name: far below every limit of zone.check.
_FEW: Final = 16
_PTR: Final = TYPE_PTR.to_bytes(2, "big")
_ADDRESSES: Final = frozenset({TYPE_A.to_bytes(2, "big"), TYPE_AAAA.to_bytes(2, "big")})
_LINE_BITS: Final = 32


@dataclass(slots=True)
class Packed:
    """The packed records of a zone.

    Attributes:
        apex: lower-case wire name.
        one: by key, the number of the only record at a name.
        several: by key, the numbers of its records in the order they were read.
        singles: by number, the records, as a Batch holds them; of names that were taken out too.
        noted: keys with records of types that checks look at.
    """

    apex: bytes
    one: dict[bytes, int] = field(default_factory=dict)
    several: dict[bytes, list[int]] = field(default_factory=dict)
    singles: list[bytes] = field(default_factory=list)
    noted: set[bytes] = field(default_factory=set)
    #: By number: of a file, in the upper half, and of the line in it.
    _places: array[int] = field(default_factory=lambda: array("Q"))
    _files: dict[str, int] = field(default_factory=dict)

    def __contains__(self, key: object) -> bool:
        """Tell whether a name is here."""
        return key in self.one or key in self.several

    def add(self, batch: Batch, unpacked: dict[bytes, list[Record]]) -> None:
        """Take a batch; records of names that are ``unpacked`` already become Records there."""
        keys, first = batch.keys, len(self.singles)
        numbers = range(first, first + len(keys))
        place = self._files.setdefault(batch.file, len(self._files)) << _LINE_BITS | batch.line
        self.singles += batch.singles
        self._places.extend(range(place, place + len(keys)))
        self.noted.update(batch.noted)
        new = dict(zip(keys, numbers, strict=True))
        if len(new) == len(keys) and all(
            known.keys().isdisjoint(new.keys()) for known in (self.one, self.several, unpacked)
        ):
            self.one.update(new)
            return
        for key, number in zip(keys, numbers, strict=True):
            if key in self.one:
                self.several[key] = [self.one.pop(key), number]
            elif key in self.several:
                self.several[key].append(number)
            elif key in unpacked:
                unpacked[key].append(self._record(key, number))
            else:
                self.one[key] = number

    def records(self, key: bytes) -> list[Record]:
        """Return the records of a name; none where it is not here."""
        return [self._record(key, number) for number in self._numbers(key)]

    def take(self, key: bytes) -> list[Record]:
        """Return the records of a name, which is no longer here."""
        records = self.records(key)
        if self.one.pop(key, None) is None:
            self.several.pop(key, None)
        return records

    def are_addresses(self, key: bytes) -> bool:
        """Tell whether a name that is here has addresses only."""
        return all(single_type(self.singles[at]) in _ADDRESSES for at in self._numbers(key))

    def looked_at(self) -> set[bytes]:
        """Return the names that are not to stay here: checks may have something to say of them."""
        unlike = {key for key, numbers in self.several.items() if not self._plain(numbers)}
        return unlike | {key for key in self.noted if key in self}

    def encoded(self, key: bytes, flags: int) -> bytes:
        """Return a name that is here as an encoded node."""
        number = self.one.get(key)
        if number is None:
            return merge_singles(flags, [self.singles[at] for at in self.several[key]])
        return with_flags(flags, self.singles[number]) if flags else self.singles[number]

    def _plain(self, numbers: list[int]) -> bool:
        """Tell whether several records are distinct, and one TTL a type."""
        if len(numbers) > _FEW:
            return False
        singles = [self.singles[number] for number in numbers]
        types = {single_type(single) for single in singles}
        return (
            len(set(singles)) == len(singles)
            and len({single_kind(single) for single in singles}) == len(types)
            # Names that differ in case only are the same (zone.content.comparable).
            and _PTR not in types
        )

    def _numbers(self, key: bytes) -> list[int]:
        number = self.one.get(key)
        return self.several.get(key, []) if number is None else [number]

    def _record(self, key: bytes, number: int) -> Record:
        place = self._places[number]
        file = list(self._files)[place >> _LINE_BITS]
        owner = names.name_from_key(key, self.apex)
        return record_of(owner, self.singles[number], file, place & ((1 << _LINE_BITS) - 1))
