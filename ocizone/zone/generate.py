r"""``$GENERATE``: a range, and the patterns it fills in (BIND's directive, bounded here).

Syntax: ``start-stop[/step]``; in a pattern ``$`` is the number, ``$$`` and ``\$`` a dollar
sign, ``${offset[,width[,base]]}`` the number plus offset in base d, o, x, X, n or N.
"""

from __future__ import annotations

import re
from typing import Final

from ocizone.limits import GENERATE_STEPS, GENERATE_WIDTH

_RANGE: Final = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?", re.ASCII)
_FIELD: Final = re.compile(
    r"\\\$|\$\$|\$\{(-?\d{1,10})(?:,(\d{1,10})(?:,([doxXnN]))?)?\}|\$(?P<bad>\{)?", re.ASCII
)
_ESCAPED_DOLLAR: Final = "\\$"


class BadGenerateError(ValueError):
    """The range or a pattern is not usable; the message says why."""


def parse_range(text: str) -> range:
    """Return the numbers of ``start-stop[/step]``, stop included.

    Raises:
        BadGenerateError: it is no range, or has over GENERATE_STEPS numbers.
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise BadGenerateError("the range is start-stop or start-stop/step")
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if stop < start or step == 0:
        raise BadGenerateError("the range runs upwards, by a step of at least 1")
    numbers = range(start, stop + 1, step)
    if len(numbers) > GENERATE_STEPS:
        raise BadGenerateError(f"{len(numbers)} steps, over {GENERATE_STEPS}")
    return numbers


def fill(pattern: str, number: int) -> str:
    r"""Return the pattern with its fields filled in; ``\$`` and ``$$`` give an escaped dollar.

    Raises:
        BadGenerateError: a field is malformed, wider than GENERATE_WIDTH, or negative.
    """
    return _FIELD.sub(lambda found: _field(found, number), pattern)


def _field(found: re.Match[str], number: int) -> str:
    if found.group() in ("$$", _ESCAPED_DOLLAR):
        return _ESCAPED_DOLLAR
    if found["bad"]:
        raise BadGenerateError("a field is ${offset[,width[,base]]}")
    value = number + int(found[1] or 0)
    width = int(found[2] or 0)
    if value < 0 or width > GENERATE_WIDTH:
        raise BadGenerateError(f"a field is negative, or wider than {GENERATE_WIDTH}")
    base = found[3] or "d"
    if base in "nN":
        return _nibbles(value, width, upper=base == "N")
    return format(value, f"0{width}{base}" if width else base)


def _nibbles(value: int, width: int, *, upper: bool) -> str:
    """Return hex digits least significant first, dot-separated; width counts the dots too."""
    digits = format(value, "X" if upper else "x")[::-1]
    digits = digits.ljust((width + 1) // 2, "0")
    return ".".join(digits)
