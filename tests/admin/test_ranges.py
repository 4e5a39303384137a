"""What part of a file a request asks for (RFC 9110 13, 14)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.admin.ranges import Asked, Part, part_of

TAG = '"sha256:aa"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Part(200, 0, 10)),
        ("bytes=0-0", Part(206, 0, 1)),
        ("bytes=2-4", Part(206, 2, 3)),
        ("bytes = 2 - 4", Part(206, 2, 3)),
        ("bytes=2-", Part(206, 2, 8)),
        ("bytes=0-99", Part(206, 0, 10)),
        ("bytes=-3", Part(206, 7, 3)),
        ("bytes=-99", Part(206, 0, 10)),
        ("bytes=9-", Part(206, 9, 1)),
        ("bytes=10-", Part(416)),
        ("bytes=10-12", Part(416)),
        ("bytes=-0", Part(416)),
        # No valid range: as if it were not there (14.2).
        ("bytes=4-2", Part(200, 0, 10)),
        ("bytes=-", Part(200, 0, 10)),
        ("bytes=a-b", Part(200, 0, 10)),
        ("bytes=0-1,3-4", Part(200, 0, 10)),
        ("lines=0-1", Part(200, 0, 10)),
        ("bytes=" + "9" * 30 + "-", Part(200, 0, 10)),
        ("bytes=\u0663-\u0664", Part(200, 0, 10)),
    ],
)
def test_range(header: str, expected: Part):
    """One range of octets; 416 behind the end, all of it for what is no range."""
    assert part_of(Asked(range=header), TAG, 10) == expected


@pytest.mark.parametrize("header", ["", "bytes=0-0", "bytes=-1"])
def test_an_empty_file(header: str):
    """Nothing in it satisfies a range."""
    assert part_of(Asked(range=header), TAG, 0).length == 0


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (TAG, 304),
        (f"W/{TAG}", 304),
        (f'"x", {TAG}', 304),
        ("*", 304),
        ('"x"', 206),
        ("sha256:aa", 206),
    ],
)
def test_if_none_match(header: str, status: int):
    """Weak comparison, before the range (13.1.2, 13.2.2)."""
    asked = Asked(if_none_match=header, range="bytes=0-1")
    assert part_of(asked, TAG, 10).status == status


@pytest.mark.parametrize(
    ("header", "status"),
    [(TAG, 206), (f"W/{TAG}", 200), ('"x"', 200), ("Sat, 21 Nov 2026 06:45:07 GMT", 200)],
)
def test_if_range(header: str, status: int):
    """Parts are put together only of what is the same, strongly (13.1.5)."""
    assert part_of(Asked(range="bytes=0-1", if_range=header), TAG, 10).status == status


@given(
    header=st.text(max_size=20) | st.from_regex(r"bytes=\d{0,3}-\d{0,3}"), octets=st.integers(0, 50)
)
@settings(max_examples=200)
def test_a_part_lies_in_the_file(header: str, octets: int):
    """Whatever is asked for."""
    part = part_of(Asked(range=header), TAG, octets)
    assert part.status in {200, 206, 416}
    assert part.start >= 0
    assert part.start + part.length <= octets
    assert part.length > 0 or part.status != 206
