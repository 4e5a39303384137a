"""A transfer on its way: pulled, ended once, and within quotas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ocizone import limits
from ocizone.answer.sent import Sent
from ocizone.serve.outgoing import Outgoing, TransferSlots


class Watched:
    """One transfer of three messages; tells when its generator is closed."""

    def __init__(self, *, bad_close: bool = False) -> None:
        self.bad_close = bad_close
        self.now = 0.0
        self.closed = False
        self.bugs = 0
        self.sent: list[Sent] = []
        self.outgoing = Outgoing(
            self._messages(), ended=self.sent.append, on_bug=self._bug, seconds=lambda: self.now
        )

    def _messages(self) -> Iterator[bytes | None]:
        try:
            yield b"abcd"
            yield None
            yield b"ef"
        finally:
            self.closed = True
            if self.bad_close:
                raise ZeroDivisionError

    def _bug(self) -> None:
        self.bugs += 1


def test_messages_come_with_their_length_until_it_is_done():
    """RFC 1035 4.2.2; None is not yet while there is no outcome, and never again after."""
    watched = Watched()
    pull = watched.outgoing.pull
    assert [pull(), pull(), pull()] == [b"\x00\x04abcd", None, b"\x00\x02ef"]
    assert watched.sent == []
    assert [pull(), pull()] == [None, None]
    assert watched.sent == [Sent("done", b"abcd", 2, 6)]


def test_an_end_lets_the_image_go_and_is_told_once():
    """A generator that is dropped is closed some day; here it is closed now."""
    watched = Watched()
    watched.outgoing.pull()
    watched.outgoing.end("aborted")
    watched.outgoing.end("aborted")
    assert watched.closed
    assert watched.sent == [Sent("aborted", b"abcd", 1, 4)]


def test_a_bug_while_closing_is_a_bug_and_no_more():
    """The place is freed all the same."""
    watched = Watched(bad_close=True)
    watched.outgoing.pull()
    watched.outgoing.end("aborted")
    assert (watched.bugs, len(watched.sent)) == (1, 1)


def test_messages_need_not_be_a_generator():
    """Any iterator will do."""
    sent: list[Sent] = []
    outgoing = Outgoing(iter([b"x"]), ended=sent.append, on_bug=lambda: None, seconds=lambda: 0.0)
    assert outgoing.pull() == b"\x00\x01x"
    assert outgoing.pull() is None
    assert sent == [Sent("done", b"x", 1, 1)]


def test_a_transfer_does_not_take_for_ever():
    """TRANSFER_S in all, however well the client reads."""
    watched = Watched()
    watched.outgoing.pull()
    watched.now = limits.TRANSFER_S + 1
    assert watched.outgoing.pull() is None
    assert watched.sent[0].outcome == "aborted"


@pytest.mark.parametrize(
    ("first", "rcode"), [(b"", -1), (bytes(12), 0), (b"\0\0\x84\x05" + bytes(8), 5)]
)
def test_the_rcode_is_that_of_the_first_message(first, rcode):
    """RFC 1035 4.1.1; -1 when none was sent."""
    assert Sent("done", first).rcode == rcode


def test_places_in_all():
    """TRANSFERS, whoever asks; a place given back can be taken."""
    slots = TransferSlots()
    clients = [f"192.0.2.{number}" for number in range(limits.TRANSFERS + 1)]
    assert [slots.take(client) for client in clients] == [True] * limits.TRANSFERS + [False]
    slots.free(clients[0])
    assert slots.take(clients[-1])
    assert len(slots) == limits.TRANSFERS


def test_places_for_one_client():
    """TRANSFERS_PER_CLIENT; a /56 is one client."""
    slots = TransferSlots()
    clients = [f"2001:db8::{number}" for number in range(limits.TRANSFERS_PER_CLIENT)]
    assert all(slots.take(client) for client in clients)
    assert not slots.take("2001:db8:0:ff::1")
    assert slots.take("192.0.2.1")
    for client in clients:
        slots.free(client)
    assert len(slots) == 1
