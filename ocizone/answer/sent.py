"""What became of a response of several messages: what log and metrics say of a transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``busy`` was not begun, ``aborted`` lost its client, ``error`` showed a bug.
Outcome = Literal["done", "busy", "aborted", "error"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A stream that is over.

    Attributes:
        outcome: how it ended.
        first: its first message; empty when none was sent.
        messages: how many were sent.
        octets: their length together, without TCP's prefixes.
    """

    outcome: Outcome
    first: bytes = b""
    messages: int = 0
    octets: int = 0

    @property
    def rcode(self) -> int:
        """The rcode of the first message, without extended bits; -1 when there is none."""
        return self.first[3] & 15 if self.first else -1
