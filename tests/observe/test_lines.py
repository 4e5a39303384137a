"""Lines go out in order, and never block who writes them."""

from __future__ import annotations

import io
import threading

from ocizone.observe.lines import LineWriter


class Stuck:
    """A stream nobody reads, until it is released."""

    def __init__(self):
        self.released = threading.Event()
        self.entered = threading.Event()
        self.text = ""

    def write(self, text: str) -> None:
        self.entered.set()
        self.released.wait(10)
        self.text += text

    def flush(self) -> None: ...


def test_lines_come_out_in_order():
    """What is queued when the writer closes is written first."""
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(100):
        writer.write(str(number))
    writer.close(10)
    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_a_full_pipe_drops_lines_and_says_so():
    """A log reader that died must not stop DNS; the loss is told when there is room again."""
    stream = Stuck()
    writer = LineWriter(stream, room=2)
    writer.write("first")
    assert stream.entered.wait(10)
    for word in ("a", "b", "lost", "lost too"):
        writer.write(word)
    stream.released.set()
    while "b\n" not in stream.text:
        pass
    writer.write("after")
    writer.close(10)
    assert stream.text.split("\n")[:-1] == [
        "first", "a", "b", "2 log lines dropped: nobody read them", "after",
    ]  # fmt: skip


def test_a_closed_stream_is_not_an_error():
    """The reader went away: there is nobody to tell."""
    stream = io.StringIO()
    stream.close()
    writer = LineWriter(stream)
    writer.write("x")
    writer.close(10)
