"""A clock that goes round as the real reactor does."""

from __future__ import annotations

from twisted.internet.task import Clock


class RoundClock(Clock):
    """What a call schedules for "now" runs in the next round, not in this one."""

    def advance(self, amount: float) -> None:
        self.rightNow += amount
        due = [call for call in self.calls if call.getTime() <= self.rightNow]
        for call in sorted(due, key=lambda call: call.getTime()):
            if call.active():
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
