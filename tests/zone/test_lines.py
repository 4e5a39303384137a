"""Lines of a file, alone and by the chunk (zone.lines)."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.zone import lines as lines_module
from ocizone.zone.lines import Lines

DATA = st.lists(
    st.sampled_from([b"a A 192.0.2.1", b"", b"\r", b"x" * 30, b" A 192.0.2.1", b"\n", b"\x0b\x0c"])
).map(b"\n".join)


@pytest.mark.parametrize("octets", [1, 16, 1000])
@given(data=DATA, ways=st.lists(st.integers(0, 4), max_size=20))
def test_every_line_is_taken_once(octets: int, data: bytes, ways: list[int]):
    """Numbered from 1, whether one is taken or some, and wherever chunks end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "_CHUNK_OCTETS", octets)
        lines = Lines(data)
        expected = list(enumerate(io.BytesIO(data), 1))
        number = 1
        for count in ways:
            rows = lines.rows()
            assert lines.number == number
            some = min(count, len(rows))
            lines.take(some)
            number += some
            taken = next(lines, None)
            assert taken == (expected[number - 1] if number <= len(expected) else None)
            number += taken is not None
        assert list(lines) == expected[number - 1 :]
    assert lines.rows() == []


def test_rows_are_what_the_lines_say():
    """Label or name, TTL, halves of an address or type and rdata; nothing of other lines."""
    lines = Lines(b"a 60 IN A 192.0.2.1\nb.c IN TXT x ; y\n\n AAAA ::1\r\nA A 192.0.2.1\nend")
    nothing = (b"",) * 7
    assert lines.rows() == [
        (b"a", b"", b"60", b"192.0", b"2.1", b"", b""),
        (b"", b"b.c", b"", b"", b"", b"TXT", b"x "),
        nothing,
        (b"", b"", b"", b"", b"", b"AAAA", b"::1"),
        nothing,
    ]
    lines.take(5)
    assert lines.rows() == [nothing]


def test_after_a_line_taken_alone_few_rows_are_given():
    """And more each time they go on."""
    lines = Lines(b"a A 192.0.2.1\n" * 1000)
    next(lines)
    given_out = []
    while rows := lines.rows():
        given_out.append(len(rows))
        lines.take(len(rows))
    assert given_out == [16, 64, 256, 663]
