"""Lines of several processes on one pipe are never cut."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from ocizone.workers.wholelines import WholeLines


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe2(os.O_DIRECT)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_lines_are_put_together_up_to_what_a_pipe_takes_whole(pipe):
    """pipe(7): PIPE_BUF. With O_DIRECT each write is read apart."""
    reading, writing = pipe
    lines = WholeLines(writing)
    for _ in range(3):
        lines.write("x" * 1999 + "\n")
    lines.flush()
    lines.flush()
    assert [len(os.read(reading, 65536)) for _ in range(2)] == [4000, 2000]
    assert not select.select([reading], [], [], 0)[0]


def test_what_is_no_text_is_written_all_the_same(pipe):
    """A name with a lone surrogate must not end the log."""
    reading, writing = pipe
    lines = WholeLines(writing)
    lines.write("a\udcff\n")
    lines.flush()
    assert os.read(reading, 100) == b"a\\udcff\n"
