"""Reading bodies never takes more than was asked for."""

from __future__ import annotations

import requests

from ocizone.registry.body import read_capped


class Endless:
    """A body that never ends, and counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    def read1(self, amount: int, *, decode_content: bool) -> bytes:
        assert not decode_content
        self.taken += amount
        return b"x" * amount

    def close(self) -> None:
        self.closed = True


def test_endless_body_is_left_after_the_limit() -> None:
    """At most one piece beyond the limit is received, and the connection is dropped."""
    response, body = requests.Response(), Endless()
    response.raw = body
    assert read_capped(response, 100_000) == b"x" * 100_000
    assert body.taken <= 200_000
    assert body.closed
