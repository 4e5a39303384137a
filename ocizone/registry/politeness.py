"""How often a host is asked: one token bucket for each, shared by every client.

A host that says it is too much (429, 503) is asked half as often from then on; what it serves well
afterwards brings the old rate back. A short wait it asks for is everybody's; a long one is that of
the repository it was asked for, which has a quota of its own, as a rule: one that is out of it must
not stop its neighbours. Who would wait long is told when to come back, so that its thread is free.
Any thread; no Twisted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ocizone import limits
from ocizone.errors import FetchReason, Transient
from ocizone.registry.failure import retry_after

_TOO_MUCH = (429, 503)


@dataclass(slots=True)
class _Host:
    """What is known of one host; times on the monotonic clock.

    ``tokens`` may be negative: places in the queue that were given out.
    """

    rate: float
    tokens: float
    filled: float
    paused_until: float = float("-inf")
    cut: float = float("-inf")
    promised: float = float("-inf")


class Politeness:
    """The buckets.

    Args:
        rate: requests a second to one host, while it has not complained.
        burst: requests that may be made at once after a silence.
        monotonic: seconds that never go back.
        now: seconds since the epoch, for Retry-After dates.
    """

    def __init__(
        self,
        *,
        rate: float = limits.REQUESTS_PER_S,
        burst: int = limits.REQUESTS_BURST,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._now = now
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        #: Until when a host wants to hear nothing of a repository.
        self._paused: OrderedDict[tuple[str, str], float] = OrderedDict()

    def enter(self, host: str, where: str, sleep: Callable[[float], None]) -> None:
        """Return when one request may be made.

        Args:
            host: ``host:port``.
            where: the repository it is made for, ``registry/repository``.
            sleep: waits so many seconds, or raises; called for short waits only.

        Raises:
            Transient: it would take longer than SHORT_WAIT_S; when to come back is in it. It has
                the status 429 when the host wants to be left alone, None when it is just us.
        """
        pause_s = self._pause_of(host, where)
        if pause_s > 0:
            raise Transient(
                f"{where}: {host} is not asked for this repository for another {pause_s:.1f} s: "
                "so long it wants to hear nothing of it (Retry-After)",
                reason=FetchReason.RATE_LIMITED,
                status=429,
                retry_after_s=pause_s,
            )
        wait_s, come_back_s, paused = self._take(host)
        if come_back_s:
            why = "it wants to be left alone" if paused else "too many of us ask it"
            raise Transient(
                f"{where}: {host} is not asked for another {come_back_s:.1f} s: {why}",
                reason=FetchReason.RATE_LIMITED,
                status=429 if paused else None,
                retry_after_s=come_back_s,
            )
        if wait_s > 0:
            sleep(wait_s)

    def _pause_of(self, host: str, where: str) -> float:
        """Return the seconds a repository is left alone; not positive when it is not."""
        with self._lock:
            return self._paused.get((host, where), float("-inf")) - self._monotonic()

    def _take(self, host: str) -> tuple[float, float, bool]:
        """Return seconds to sleep for a place that was taken, or seconds to stay away.

        The last is whether the host itself asked for it.
        """
        with self._lock:
            now, state = self._monotonic(), self._state(host)
            state.tokens = min(self._burst, state.tokens + (now - state.filled) * state.rate)
            state.filled = now
            wait_s = max(0.0, (1 - state.tokens) / state.rate, state.paused_until - now)
            if wait_s <= limits.SHORT_WAIT_S:
                state.tokens -= 1
                return wait_s, 0.0, False
            # A slot for each, one after another: sent away together, they would be back together.
            state.promised = max(state.promised + 1 / state.rate, now + wait_s)
            state.promised = min(state.promised, now + wait_s + limits.PAUSE_MOST_S)
            return 0.0, state.promised - now, state.paused_until > now

    def answered(
        self, host: str, where: str, status: int, header: str | None, began: float
    ) -> None:
        """Learn from an answer.

        Args:
            host: ``host:port``.
            where: as for ``enter``.
            status: of the answer.
            header: its Retry-After.
            began: when the request was made, on the monotonic clock. Answers to requests of
                before the last cut are complaints about the old rate.
        """
        with self._lock:
            now, state = self._monotonic(), self._state(host)
            if status in _TOO_MUCH:
                asked = retry_after(header, self._now())
                pause_s = limits.PAUSE_S if asked is None else min(asked, limits.PAUSE_MOST_S)
                if pause_s <= limits.HOST_PAUSE_MOST_S:
                    state.paused_until = max(state.paused_until, now + pause_s)
                else:
                    self._pause(host, where, now + pause_s)
                if began >= state.cut:
                    state.rate = max(limits.REQUESTS_LEAST_PER_S, state.rate / 2)
                    state.cut = now
                    # What was saved up is not spent on who complains.
                    state.tokens = min(state.tokens, 1.0)
            elif status < 400 and state.rate < self._rate and now - state.cut >= limits.RATE_KEPT_S:
                state.rate = min(self._rate, state.rate * 1.5)

    def _pause(self, host: str, where: str, until: float) -> None:
        self._paused[host, where] = max(until, self._paused.pop((host, where), until))
        while len(self._paused) > limits.PAUSES_REMEMBERED:
            self._paused.popitem(last=False)

    def rates(self) -> dict[str, float]:
        """Return requests a second that each host known is asked at most."""
        with self._lock:
            return {host: state.rate for host, state in self._hosts.items()}

    def _state(self, host: str) -> _Host:
        state = self._hosts.pop(host, None)
        if state is None:
            state = _Host(self._rate, self._burst, self._monotonic())
        self._hosts[host] = state
        # Redirects name hosts: a registry must not fill our memory with them.
        while len(self._hosts) > limits.HOSTS_REMEMBERED:
            self._hosts.popitem(last=False)
        return state
