"""Templates: what is alike in the replies to many names, learned from one reply of ``respond``.

A response points at names that stand earlier in it. Those of the question start where they start
for every name of one length; so what comes behind the answer's records is the same octets, as
long as no name in it shares a label with the question that others do not share: each template
knows the labels it must not meet. Pure. RFC 1035 4.1.4. Not here: which replies are alike
(fastpath.fastzone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ocizone.fastpath.tally import Cell
from ocizone.wire.codes import TYPE_OPT
from ocizone.wire.compressed import end_of_name, name_at
from ocizone.wire.name import is_at_or_below, labels
from ocizone.wire.render import SHAPES

#: Octets of a record between owner and rdata.
_FIXED: Final = 10


@dataclass(slots=True)
class Template:
    """A reply without its id, question and answer.

    Attributes:
        head: flags and counts.
        tail: what comes behind the answer; without the cookies that end it in some forms.
        labels: that must not stand right below the base in a question.
        cells: what counts it, by type of the question and octets of the reply.
    """

    head: bytes
    tail: bytes
    labels: frozenset[bytes]
    cells: dict[int, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mould that is missing: what ``respond`` says now is to become one.

    Attributes:
        store: where it goes.
        key: under which.
        answer: the records the reply must begin with.
        base: the name its questions end in.
        own: the question's label right below the base; b"" for the base itself.
        is_denial: only the SOA and its signatures are meant.
    """

    store: dict[Any, Any]
    key: Any
    answer: bytes
    base: bytes
    own: bytes
    is_denial: bool = False

    def seal(self) -> bytes:
        """Return octets that stand for what is wanted."""
        return b"%b %d %d" % (self.base, hash(self.key), id(self.store))


#: Head (flags and counts), answer, and what comes behind it, without cookies; what counts it, by
#: type of the question and octets of the reply; and the template's labels, None where the tail is
#: of one name.
Put = tuple[bytes, bytes, bytes, dict[int, Cell], frozenset[bytes] | None]


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record of a message.

    Attributes:
        start: of its owner.
        rrtype: its type.
        names: in it that are compressed or pointed at, lower case.
        pointers: where pointers are in it.
        end: offset behind it.
    """

    start: int
    rrtype: int
    names: tuple[bytes, ...]
    pointers: tuple[int, ...]
    end: int


def records_of(wire: bytes, at: int) -> Iterator[FoundRecord]:
    """Yield the records from an offset on, up to the OPT, which ends every message of ours."""
    while at < len(wire):
        start = at
        names, pointers = [name_at(wire, at)], [_pointer_in(wire, at)]
        at = end_of_name(wire, at)
        rrtype = int.from_bytes(wire[at : at + 2])
        end = at + _FIXED + int.from_bytes(wire[at + 8 : at + 10])
        prefix, count, _ = SHAPES.get(rrtype, (0, 0, False))
        at += _FIXED + prefix
        for _ in range(count):
            names.append(name_at(wire, at))
            pointers.append(_pointer_in(wire, at))
            at = end_of_name(wire, at)
        known = tuple(name.lower() for name in names if name is not None)
        places = tuple(place for place in pointers if place)
        yield FoundRecord(start, rrtype, known, places, end)
        if rrtype == TYPE_OPT:
            return
        at = end


def _pointer_in(wire: bytes, at: int) -> int:
    """Return where the pointer of a name is; 0 when it has none."""
    while 0 < wire[at] < 0xC0:
        at += 1 + wire[at]
    return at if wire[at] else 0


def labels_below(base: bytes, records: Iterable[FoundRecord]) -> frozenset[bytes]:
    """Return the labels that stand right below the base in names of these records."""
    found = set()
    for record in records:
        for name in record.names:
            if len(name) > len(base) and is_at_or_below(name, base):
                found.add(labels(name[: len(name) - len(base)] + b"\0")[-1])
    return frozenset(found)


def last_label(relative: bytes) -> bytes:
    """Return the last of some labels in wire form; b"" of none."""
    at = last = 0
    while at < len(relative):
        last = at
        at += 1 + relative[at]
    return relative[last + 1 :]
