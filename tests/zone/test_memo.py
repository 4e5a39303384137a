"""Results that are kept (zone.memo)."""

from __future__ import annotations

import pytest

from ocizone.zone import memo as memo_module
from ocizone.zone.memo import Memo


def test_a_token_is_made_once():
    """And what cannot be made is tried again each time."""
    asked: list[bytes] = []

    def make(token: bytes) -> int:
        asked.append(token)
        return int(token)

    memo = Memo(make)
    assert [memo[b"1"], memo[b"2"], memo[b"1"]] == [1, 2, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            memo[b"x"]
    assert asked == [b"1", b"2", b"x", b"x"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """A hostile file has no token twice."""
    monkeypatch.setattr(memo_module, "_KEPT", 2)
    memo = Memo(int)
    for number in range(9):
        assert memo[str(number).encode()] == number
        assert len(memo) <= 2
