"""Where two versions of a file differ: ranges of whole lines, found without looking at each line.

For two large files that differ little: equal stretches are compared at the speed of memory. The
ranges need not be the smallest there are. Pure; not here: what lines mean (compiler.passages).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ocizone.limits import KIB, MIB

_BLOCK: Final = MIB
# How far is looked for the place where both versions go on alike; further each time.
_WINDOWS: Final = (4 * KIB, 64 * KIB, MIB)
# So many equal lines are no coincidence (empty lines, comments, a lone parenthesis are).
_ALIKE: Final = 4


@dataclass(frozen=True, slots=True)
class Hunk:
    """What stands in place of what: offsets in the former and in the newer file, at line ends."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def hunks(old: bytes, new: bytes, most: int) -> list[Hunk] | None:
    """Return where two files differ, in order; None when that is too much.

    Args:
        old: ends with a newline.
        new: ends with a newline.
        most: octets that may have changed.
    """
    found: list[Hunk] = []
    here = there = changed = 0
    while True:
        here, there = _alike(old, new, here, there)
        if here == len(old) and there == len(new):
            return found
        lines = _different(old, new, here, there)
        if lines is None:
            return None
        gone, come = lines
        found.append(Hunk(here, here + gone, there, there + come))
        here, there = here + gone, there + come
        changed += gone + come
        if changed > most:
            return None


def _alike(old: bytes, new: bytes, here: int, there: int) -> tuple[int, int]:
    """Return where lines begin to differ, going on from two places where lines begin."""
    at = 0
    while True:
        one, other = old[here + at : here + at + _BLOCK], new[there + at : there + at + _BLOCK]
        if one != other:
            break
        at += len(one)
        if len(one) < _BLOCK:
            return here + at, there + at
    at += _first_difference(one, other)
    at = old.rfind(b"\n", here, here + at) + 1 - here if at else 0
    return here + max(at, 0), there + max(at, 0)


def _first_difference(one: bytes, other: bytes) -> int:
    """Return how many octets two different blocks begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _different(old: bytes, new: bytes, here: int, there: int) -> tuple[int, int] | None:
    """Return how many octets of each differ before both go on alike; None when it is too far."""
    for window in _WINDOWS:
        one, other = _lines(old, here, window), _lines(new, there, window)
        both = here + window >= len(old) and there + window >= len(new)
        found = _meeting(one, other, to_end=both)
        if found is not None:
            gone, come = found
            return _octets(one[:gone]), _octets(other[:come])
        if both:
            return len(old) - here, len(new) - there
    return None


def _lines(data: bytes, start: int, window: int) -> list[bytes]:
    """Return whole lines without their newlines."""
    end = start + window
    # The last one may be cut.
    end = len(data) if end >= len(data) else data.rfind(b"\n", start, end) + 1
    return data[start:end].split(b"\n")[:-1]


def _octets(lines: list[bytes]) -> int:
    return sum(map(len, lines)) + len(lines)


def _meeting(one: list[bytes], other: list[bytes], *, to_end: bool) -> tuple[int, int] | None:
    """Return how many lines of each come before both are alike, as few as can be seen quickly."""
    places: dict[bytes, int] = {}
    for place, line in enumerate(one):
        places.setdefault(line, place)
    best: tuple[int, int] | None = None
    for come, line in enumerate(other):
        if best is not None and come >= sum(best):
            break
        gone = places.get(line)
        if gone is None or (best is not None and gone + come >= sum(best)):
            continue
        left = min(len(one) - gone, len(other) - come, _ALIKE)
        enough = left == _ALIKE or (to_end and len(one) - gone == len(other) - come)
        if enough and one[gone : gone + left] == other[come : come + left]:
            best = gone, come
    return best
