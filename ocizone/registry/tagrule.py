"""Which tag of a repository a range of versions picks: the newest that matches.

Versions and their order are those of semver.org 2.0.0, ranges those of npm (``>=1.2 <2``, ``^1.4``,
``~1.2``, ``1.x || 3.x``, ``1.2 - 1.5``), with npm's rule for pre-releases: one matches only
where the range names a pre-release of the same three numbers. The PyPI package semantic-version is
not used: its ``<2.0.0`` takes 2.0.0-rc.1, and its ``<=2.0.0-rc.5`` takes 2.0.0 (2.10.0).

A tag is a version when it has all three numbers; a ``v`` may stand before them, and a ``_``
for the ``+`` of build metadata, which no tag can hold (Helm's habit). ``1.2`` is no version: it
is a tag that moves. Not here: fetching the list of tags. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import total_ordering
from itertools import takewhile
from operator import eq, ge, gt, le, lt
from typing import Final

from ocizone.limits import TAG_CHARACTERS, TAG_RANGE_CHARACTERS

_NUMBER: Final = r"(?:0|[1-9][0-9]{0,17})"
_WILD: Final = rf"(?:{_NUMBER}|[xX*])"
_WORD: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_PRE: Final = rf"{_WORD}(?:\.{_WORD})*"
_BUILD: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_TAG: Final = re.compile(rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PRE}))?(?:_{_BUILD})?")
_SOME: Final = rf"v?({_WILD})(?:\.({_WILD})(?:\.({_WILD})(?:-({_PRE}))?(?:\+{_BUILD})?)?)?"
_PARTIAL: Final = re.compile(_SOME)
_WORD_OF_RANGE: Final = re.compile(rf"(<=|>=|<|>|=|\^|~|){_SOME}")
_AFTER_OPERATOR: Final = re.compile(r"(?<=[<>=^~])\s+")
# Where the OCI 1.1 fallback keeps referrers, and cosign its signatures: names of digests.
_REFERRER: Final = re.compile(r"sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})(?:\..*)?")


class BadRangeError(ValueError):
    """The text is no range of versions; the message says so without it."""

    def __init__(self) -> None:
        super().__init__("not a range of versions such as >=1.2 <2")


@total_ordering
@dataclass(frozen=True, slots=True)
class _Version:
    """A version without its build metadata, which has no part in the order (semver.org 10)."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    def _key(self) -> tuple[object, ...]:
        """Order by semver.org 11: no pre-release last, numbers before words."""
        words = tuple((0, int(w), "") if w.isdigit() else (1, 0, w) for w in self.pre)
        return (self.numbers, not self.pre, words)

    def __lt__(self, other: _Version) -> bool:
        return self._key() < other._key()


_Compare = Callable[[_Version, _Version], bool]
_OPERATORS: Final[dict[str, _Compare]] = {"<": lt, "<=": le, ">": gt, "=": eq, "": eq}
_Bound = tuple[_Compare, _Version]
#: The pre-release before every other of its three numbers.
_FIRST: Final = ("0",)


class TagRule:
    """A range of versions, parsed."""

    def __init__(self, text: str) -> None:
        """Parse it.

        Raises:
            BadRangeError: it is none.
        """
        if len(text) > TAG_RANGE_CHARACTERS:
            raise BadRangeError
        self._ranges = [_bounds(one) for one in text.split("||")]

    def choose(self, tags: Iterable[str]) -> str | None:
        """Return the tag with the newest version in the range, None when no tag has one.

        Of tags with one version (``1.2.0``, ``v1.2.0``, ``1.2.0_b7``) the last in code point
        order is taken.
        """
        versions = ((_version(tag), tag) for tag in tags)
        matching = [(found, tag) for found, tag in versions if found and self._matches(found)]
        return max(matching)[1] if matching else None

    def _matches(self, version: _Version) -> bool:
        return any(_within(version, bounds) for bounds in self._ranges)


def choose_tag(text: str, tags: Iterable[str]) -> str | None:
    """Return the tag a range picks; see TagRule.

    Raises:
        BadRangeError: the range is none.
    """
    return TagRule(text).choose(tags)


def is_referrer_tag(tag: str) -> bool:
    """Tell whether a tag names a digest: of what signs it, or refers to it."""
    return _REFERRER.fullmatch(tag) is not None


def _version(tag: str) -> _Version | None:
    """Return the version a tag is; names of digests have no dots in front and are none."""
    match = _TAG.fullmatch(tag) if len(tag) <= TAG_CHARACTERS else None
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    return _Version((int(major), int(minor), int(patch)), _words(pre))


def _words(pre: str | None) -> tuple[str, ...]:
    return tuple(pre.split(".")) if pre else ()


def _within(version: _Version, bounds: list[_Bound]) -> bool:
    if not all(compare(version, bound) for compare, bound in bounds):
        return False
    # Nothing of its triple is below "-0", so that a bound of ours lets no pre-release in.
    return not version.pre or any(
        bound.pre and bound.numbers == version.numbers for _, bound in bounds
    )


def _bounds(text: str) -> list[_Bound]:
    """Return what all must hold, of one range without ``||``.

    Raises:
        BadRangeError: it is none.
    """
    words = _AFTER_OPERATOR.sub("", text).split()
    if len(words) == 3 and words[1] == "-":
        if not (_PARTIAL.fullmatch(words[0]) and _PARTIAL.fullmatch(words[2])):
            raise BadRangeError
        words = [f">={words[0]}", f"<={words[2]}"]
    if not words:
        raise BadRangeError
    return [bound for word in words for bound in _bounds_of_word(word)]


def _bounds_of_word(word: str) -> list[_Bound]:
    """Return the bounds of one word, such as ``^1.2``, as npm's documentation has them."""
    match = _WORD_OF_RANGE.fullmatch(word)
    if match is None:
        raise BadRangeError
    operator, pre = match[1], _words(match[5])
    known = [int(part) for part in takewhile(_is_number, match.group(2, 3, 4))]
    if (pre and len(known) < 3) or (operator in {"<", ">"} and not known):
        raise BadRangeError
    low = _Version(_triple(known), pre)
    if not known:
        return [(ge, low)]
    last = len(known) - 1
    match operator:
        case "^":
            # Up to the next change of the leftmost number that is not 0.
            at = next((index for index, part in enumerate(known) if part), last)
            return [(ge, low), (lt, _after(known, at))]
        case "~":
            return [(ge, low), (lt, _after(known, min(last, 1)))]
        case ">=":
            return [(ge, low)]
        case _ if last == 2:
            return [(_OPERATORS[operator], low)]
        case "<":
            return [(lt, _Version(low.numbers, _FIRST))]
        case "<=":
            return [(lt, _after(known, last))]
        case ">":
            return [(ge, _Version(_after(known, last).numbers))]
        case _:
            return [(ge, low), (lt, _after(known, last))]


def _is_number(part: str | None) -> bool:
    return part is not None and part.isdigit()


def _triple(known: list[int]) -> tuple[int, int, int]:
    major, minor, patch = (*known, 0, 0, 0)[:3]
    return major, minor, patch


def _after(known: list[int], at: int) -> _Version:
    """Return what is before every version with the next number at an index."""
    return _Version(_triple([*known[:at], known[at] + 1]), _FIRST)
