"""Does anything in a master file speak of a name, beside the lines that it owns?

By its first label, wherever that stands as a label: who finds none has proved that no record points
at the name or below it. Finding one proves nothing. Pure.
"""

from __future__ import annotations

from typing import Final

from ocizone.compiler.passages import Text
from ocizone.limits import AMENDED_ODD_LINES, AMENDED_SEARCHES

_OF_LABELS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_*/")
_BEHIND_OWNER: Final = frozenset(b" \t.")


class Mentions:
    """The mentions in one file."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._lowered: bytes | None = None
        self._searches = 0

    def any(self, key: bytes) -> bool:
        """Tell whether there may be one of a name, by its key in the zone."""
        self._searches += 1
        if self._lowered is None:
            self._lowered = self._text.data.lower()
        label = key[key.rfind(b"\x00", 0, -1) + 1 : -1]
        # What may be written otherwise than it is spelled cannot be searched for.
        if self._searches > AMENDED_SEARCHES or b"\\" in self._lowered or set(label) - _OF_LABELS:
            return True
        at = -1
        for _ in range(AMENDED_ODD_LINES):
            at = self._lowered.find(label, at + 1)
            if at < 0:
                return False
            if self._is_label(at, len(label)) and not self._owns(at, len(label)):
                return True
        return True

    def _is_label(self, at: int, size: int) -> bool:
        data = self._lowered
        assert data is not None  # any() made it
        before = data[at - 1] if at else 0
        return before not in _OF_LABELS and data[at + size] not in _OF_LABELS

    def _owns(self, at: int, size: int) -> bool:
        """Tell whether it begins the owner of a record."""
        data = self._lowered
        assert data is not None  # any() made it
        begins = not at or data[at - 1] == ord("\n")
        return begins and data[at + size] in _BEHIND_OWNER and not self._text.inside(at)
