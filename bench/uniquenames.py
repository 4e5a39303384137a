"""Names that do not exist and never come back, as attacks with random subdomains have them.

What makes a name unique is its last six characters, a walk through all there are; before them stand
none to fourteen random ones, so that names lie everywhere in a zone's order and are of many lengths.
Not here: which share of queries they are (workloads).
"""

from __future__ import annotations

import string
from itertools import product
from random import Random

#: Names of zones here end with a digit (zones), unique names with a letter: none exists.
CHARACTERS = string.ascii_lowercase + string.digits
CORE = 6
MOST_BEFORE = 14
#: So many names have the unique part as a label of its own, below it another.
ONE_DEEP_IN = 10


class UniqueNames:
    """Labels that never repeat within 1.5 billion: 6 to 20 letters and digits, ending with a letter."""

    #: Odd, and divisible by neither 3 nor 13, so that it visits every core before one comes back.
    _STEP = 971_629_141
    _HEADS = tuple(map("".join, product(CHARACTERS, repeat=3)))
    _TAILS = tuple(map("".join, product(CHARACTERS, CHARACTERS, string.ascii_lowercase)))
    CORES = len(_HEADS) * len(_TAILS)

    def __init__(self, seed: int) -> None:
        self._at = seed
        self._chance = Random(seed)
        # Cutting pieces out of it costs a fraction of drawing characters.
        self._random = "".join(self._chance.choices(CHARACTERS, k=1 << 16))

    def take(self, count: int) -> list[str]:
        """Return so many relative names that no zone here has."""
        begun, self._at = self._at, self._at + count
        heads, tails, width = self._HEADS, self._TAILS, len(self._TAILS)
        found = []
        for number in range(begun, self._at):
            head, tail = divmod(number * self._STEP % self.CORES, width)
            place, before = self._piece()
            text = self._random[place : place + before]
            if before and place % ONE_DEEP_IN == 0:
                text += "."
            found.append(text + heads[head] + tails[tail])
        return found

    def _piece(self) -> tuple[int, int]:
        place = int(self._chance.random() * ((1 << 16) - MOST_BEFORE))
        return place, int(self._chance.random() * (MOST_BEFORE + 1))
