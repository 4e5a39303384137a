"""Serial number arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.zone.serial import distance, following, newer

SERIALS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("serial", "than", "expected"),
    [
        (1, 0, True),
        (0, 1, False),
        (7, 7, False),
        (0, 2**32 - 1, True),
        (2**31 - 1, 0, True),
        (2**31, 0, False),
        (0, 2**31, False),
        (2**31 + 1, 0, False),
    ],
)
def test_which_serial_is_newer(serial: int, than: int, *, expected: bool):
    """RFC 1982 3.2: across 2**32, and of two 2**31 apart neither."""
    assert newer(serial, than) is expected


@given(SERIALS)
def test_the_following_serial_is_newer_and_never_0(serial: int):
    """RFC 1982 3.1; 0 means nothing to some secondaries."""
    assert newer(following(serial), serial)
    assert following(serial)


@given(SERIALS, SERIALS)
def test_of_two_serials_at_most_one_is_newer(one: int, other: int):
    """The order is strict."""
    assert not (newer(one, other) and newer(other, one))


@given(st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1))
def test_times_are_read_as_the_nearest(now: int, offset: int):
    """RFC 4034 3.1.5."""
    assert distance((now + offset) % 2**32, now) == offset
