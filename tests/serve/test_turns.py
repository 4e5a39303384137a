"""Work in turns: one piece each time round, in order."""

from __future__ import annotations

import pytest

from ocizone.serve.turns import Turns
from tests.rounds import RoundClock


def test_one_piece_each_time_round():
    """In the order they came; what a piece adds waits for its own turn."""
    clock, done = RoundClock(), list[str]()
    turns = Turns(clock)

    def again() -> None:
        done.append("again")
        turns.later(lambda: done.append("last"))

    turns.later(again)
    turns.later(lambda: done.append("second"))
    assert done == []
    for expected in (["again"], ["again", "second"], ["again", "second", "last"]):
        clock.advance(0)
        assert done == expected
    assert clock.getDelayedCalls() == []


def test_a_bug_in_one_piece_stops_no_other():
    """The reactor logs it; the next piece has its turn."""
    clock, done = RoundClock(), list[str]()
    turns = Turns(clock)

    def bug() -> None:
        raise ZeroDivisionError

    turns.later(bug)
    turns.later(lambda: done.append("second"))
    with pytest.raises(ZeroDivisionError):
        clock.advance(0)
    clock.advance(0)
    assert done == ["second"]
    turns.later(lambda: done.append("third"))
    clock.advance(0)
    assert done == ["second", "third"]
