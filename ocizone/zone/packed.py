"""Records that no check has anything to say of, as encoded nodes and not as Records.

Names are packed as they are read, and taken out when something else comes to them or they need
attention (zone.attention): their records become Records, at which zone.check looks.
Costs 200 octets a record beside its name's; a Record in a list costs 500.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_A, TYPE_AAAA
from ocizone.zone.batch import Batch, record_of
from ocizone.zone.record import Record
from ocizone.zone.single import merge_singles, single_type, with_flags

_ADDRESSES: Final = {TYPE_A.to_bytes(2), TYPE_AAAA.to_bytes(2)}
_LINE_BITS: Final = 32
_LINE: Final = (1 << _LINE_BITS) - 1


@dataclass(slots=True)
class Packed:
    """The packed records of a zone.

    Attributes:
        apex: lower-case wire name.
        one: by key, the number of the only record at a name.
        several: by key, the numbers of its records in the order they were read.
        singles: by number, the records, as a Batch holds them; of names that were taken out too.
        noted: keys with a record that names others of the zone; of names taken out too.
        cuts: keys with NS; as noted.
    """

    apex: bytes
    one: dict[bytes, int] = field(default_factory=dict)
    several: dict[bytes, list[int]] = field(default_factory=dict)
    singles: list[bytes] = field(default_factory=list)
    noted: set[bytes] = field(default_factory=set)
    cuts: set[bytes] = field(default_factory=set)
    #: By number: of a file, in the upper half, and of the line in it.
    _places: array[int] = field(default_factory=lambda: array("Q"))
    _files: list[str] = field(default_factory=list)

    def __contains__(self, key: object) -> bool:
        """Tell whether a name is here."""
        return key in self.one or key in self.several

    def __len__(self) -> int:
        """Return how many names are here."""
        return len(self.one) + len(self.several)

    def add(self, batch: Batch, unpacked: dict[bytes, list[Record]]) -> None:
        """Take a batch; records of names that are ``unpacked`` already become Records there."""
        keys, first = batch.keys, len(self.singles)
        numbers = range(first, first + len(keys))
        if not self._files or self._files[-1] != batch.file:
            self._files.append(batch.file)
        place = (len(self._files) - 1) << _LINE_BITS | batch.line
        self.singles += batch.singles
        self._places.extend(range(place, place + len(keys)))
        self.noted.update(batch.noted)
        self.cuts.update(batch.cuts)
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
        return [self._record(key, number) for number in self.numbers(key)]

    def take(self, key: bytes) -> list[Record]:
        """Return the records of a name, which is no longer here."""
        records = self.records(key)
        if self.one.pop(key, None) is None:
            self.several.pop(key, None)
        return records

    def has_address(self, key: bytes) -> bool:
        """Tell whether a name is here and has an address."""
        return any(single_type(self.singles[at]) in _ADDRESSES for at in self.numbers(key))

    def are_addresses(self, key: bytes) -> bool:
        """Tell whether a name is here and has addresses only."""
        found = self.numbers(key)
        return bool(found) and all(single_type(self.singles[at]) in _ADDRESSES for at in found)

    def encoded(self, key: bytes, flags: int) -> bytes:
        """Return a name that is here as an encoded node."""
        number = self.one.get(key)
        if number is None:
            return merge_singles(flags, [self.singles[at] for at in self.several[key]])
        return with_flags(flags, self.singles[number]) if flags else self.singles[number]

    def numbers(self, key: bytes) -> list[int]:
        """Return the numbers of a name's records; none where it is not here."""
        number = self.one.get(key)
        return self.several.get(key, []) if number is None else [number]

    def _record(self, key: bytes, number: int) -> Record:
        place = self._places[number]
        owner = names.name_from_key(key, self.apex)
        file = self._files[place >> _LINE_BITS]
        return record_of(owner, self.singles[number], file, place & _LINE)
