"""A bounded memo of whole replies, in two generations; a flood of names cannot empty it.

A question is kept the second time it comes, so that names asked once do not get in. When the
young generation is full it becomes the old one, and what is asked again moves back: what is
asked often is never lost, and nothing is ever walked. Pure. Not here: which replies may be kept
(fastpath.table).
"""

from __future__ import annotations

from ocizone.fastpath.tally import Cell
from ocizone.limits import FAST_DOORKEEPER, FAST_MEMO_ENTRIES, FAST_MEMO_OCTETS

#: A reply without its id, and what counts it.
Kept = tuple[bytes, Cell]


class Memo:
    """Replies by question: the query without its id, its name in lower case.

    Attributes:
        young: the generation to look in first; it is another dict after ``put`` and ``get``.
    """

    __slots__ = ("_octets", "_old", "_seen", "young")

    def __init__(self) -> None:
        self.young: dict[bytes, Kept] = {}
        self._old: dict[bytes, Kept] = {}
        self._octets = 0
        #: A tag of the last question that fell on each place.
        self._seen = bytearray(FAST_DOORKEEPER)

    def get(self, key: bytes) -> Kept | None:
        """Return what is kept for a question that is not in ``young``, and make it young again."""
        kept = self._old.get(key)
        if kept is not None:
            self.put(key, kept)
        return kept

    def find(self, key: bytes) -> Kept | None:
        """Return what is kept for a question, wherever it is."""
        return self.young.get(key) or self.get(key)

    def is_asked_again(self, key: bytes) -> bool:
        """Tell whether a question came before, lately; one in 255 others is taken for it."""
        mark = hash(key)
        place = mark & (FAST_DOORKEEPER - 1)
        tag = (mark >> 40) % 255 + 1
        if self._seen[place] == tag:
            return True
        self._seen[place] = tag
        return False

    def put(self, key: bytes, kept: Kept) -> None:
        """Keep a reply; the generation before the last one is let go when this one is full."""
        if len(self.young) >= FAST_MEMO_ENTRIES or self._octets >= FAST_MEMO_OCTETS:
            self._old, self.young, self._octets = self.young, {}, 0
        self.young[key] = kept
        self._octets += len(key) + len(kept[0])
