"""Which octets of a file a request asks for (RFC 9110 13 and 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, slots=True)
class Asked:
    """The headers that decide, "" for one that is missing."""

    if_none_match: str = ""
    range: str = ""
    if_range: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What is answered: 200, 206, 304 or 416, and the octets from ``start`` on."""

    status: int
    start: int = 0
    length: int = 0


def part_of(asked: Asked, tag: str, octets: int) -> Part:
    """Return what of a file is asked for.

    Several ranges, and a range in other units, are answered with all of it, as RFC 9110 14.2 lets
    a server do.

    Args:
        asked: the request.
        tag: the file's entity tag, with its quotes.
        octets: the file's size.
    """
    if asked.if_none_match:
        tags = _TAG.findall(asked.if_none_match)
        if tag in tags or asked.if_none_match.strip() == "*":
            return Part(304)
    found = _RANGE.fullmatch(asked.range.replace(" ", ""))
    # A weak tag, or a date, is not strong enough to put parts together (RFC 9110 13.1.5).
    if found is None or (asked.if_range and asked.if_range.strip() != tag):
        return Part(200, 0, octets)
    first, last = found.groups()
    if not first and not last:
        return Part(200, 0, octets)
    if not first:
        start, end = max(0, octets - int(last)), octets - 1
    else:
        start, end = int(first), min(int(last) if last else octets - 1, octets - 1)
        if last and int(last) < start:
            # Not a valid range at all (RFC 9110 14.1.1).
            return Part(200, 0, octets)
    if start > end or start >= octets:
        return Part(416)
    return Part(206, start, end - start + 1)
