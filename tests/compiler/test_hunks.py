"""Where two versions of a file differ, in whole lines."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.compiler import hunks as hunks_module
from ocizone.compiler.hunks import Hunk, hunks

ENOUGH = 10_000_000


def applied(old: bytes, new: bytes, found: list[Hunk]) -> bytes:
    """Return what hunks make of the former file; all else is taken from it."""
    parts, at = [], 0
    for hunk in found:
        parts += [old[at : hunk.old_start], new[hunk.new_start : hunk.new_end]]
        at = hunk.old_end
    return b"".join([*parts, old[at:]])


def well_formed(data: bytes, ranges: list[tuple[int, int]]) -> bool:
    """Tell whether ranges are in order, apart, and begin and end where lines do."""
    ends = {0, *(at + 1 for at, octet in enumerate(data) if octet == 10)}
    apart = all(end < start for (_, end), (start, _) in itertools.pairwise(ranges))
    return apart and all(start in ends and end in ends and start <= end for start, end in ranges)


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"dd\r\n"]), max_size=30)


@settings(max_examples=300, deadline=None)
@given(LINES, LINES, st.sampled_from([1, 2, 7]))
def test_what_is_found_makes_the_new_of_the_old(
    one: list[bytes], other: list[bytes], window: int
) -> None:
    """Whatever the lines, and however near it looks for where both go on alike."""
    old, new = b"".join(one), b"".join(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hunks_module, "_WINDOWS", (window, 4 * window, 1000))
        patch.setattr(hunks_module, "_BLOCK", window)
        found = hunks(old, new, ENOUGH)
    assert found is not None
    assert applied(old, new, found) == new
    assert well_formed(old, [(one.old_start, one.old_end) for one in found])
    assert well_formed(new, [(one.new_start, one.new_end) for one in found])
    assert (not found) == (old == new)


def numbered(*changes: tuple[int, bytes]) -> bytes:
    """Return 20,000 lines, some of them changed."""
    lines = [b"line %d of many\n" % number for number in range(20_000)]
    for at, line in changes:
        lines[at] = line
    return b"".join(lines)


def test_little_is_found_where_little_changed() -> None:
    """Each change by itself, also the first line and the last."""
    new = numbered((0, b"x\n"), (70, b""), (9_000, b"y\nz\n"), (19_999, b"end\n"))
    found = hunks(numbered(), new, ENOUGH)
    assert found is not None
    old = numbered()
    assert [(old[h.old_start : h.old_end], new[h.new_start : h.new_end]) for h in found] == [
        (b"line 0 of many\n", b"x\n"),
        (b"line 70 of many\n", b""),
        (b"line 9000 of many\n", b"y\nz\n"),
        (b"line 19999 of many\n", b"end\n"),
    ]


def test_much_is_none() -> None:
    """Neither too many changes, nor one that is too long to see across."""
    assert hunks(numbered(), numbered(*((at, b"x\n") for at in range(0, 20_000, 9))), 5_000) is None
    new = b"".join(b"other %d\n" % number for number in range(200_000))
    assert hunks(numbered() * 10, new, ENOUGH) is None


def test_one_is_empty() -> None:
    """Everything is new, or gone."""
    assert hunks(b"", b"a\n", ENOUGH) == [Hunk(0, 0, 0, 2)]
    assert hunks(b"a\nb\n", b"", ENOUGH) == [Hunk(0, 4, 0, 0)]
    assert hunks(b"a\n", b"a\n", ENOUGH) == []
