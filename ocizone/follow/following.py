"""All followers of a plan: exactly one for each source, across reloads.

A source that did not change keeps its follower; a changed one is stopped before its successor
starts, so that two never work on one source. Not here: what one follower does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, succeed

from ocizone.follow.source import Source
from ocizone.follow.status import LookResult, SourceStatus
from ocizone.follow.verbs import Verbs


class Follows(Protocol):
    """What a follower is to its owner."""

    @property
    def status(self) -> SourceStatus:
        """The source now."""

    @property
    def restored(self) -> Deferred[None]:
        """Fires when what was served before is served again, or cannot be."""

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Begin; returns at once."""

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """End; fires within STOP_S."""

    def refresh(self, *, hard: bool = False, once: bool = False) -> Deferred[LookResult]:
        """Look now."""

    @property
    def verbs(self) -> Verbs | None:
        """What an operator may do to it; None when it is not followed in a registry."""


MakeFollower = Callable[[Source], Follows]


class Following:
    """Owns the followers."""

    def __init__(self, make: MakeFollower) -> None:
        self._make = make
        self._followers: dict[str, tuple[Source, Follows]] = {}
        self._leaving: dict[str, Deferred[None]] = {}
        self._started: set[Follows] = set()
        self._stopped = False

    @property
    def statuses(self) -> list[SourceStatus]:
        """The sources now, in plan order."""
        return [follower.status for _, follower in self._followers.values()]

    def move_to(self, sources: Iterable[Source]) -> Deferred[None]:
        """Follow these sources; fires when the new ones have restored what they can."""
        wanted = {source.key: source for source in sources}
        for key, (source, follower) in list(self._followers.items()):
            if wanted.get(key) != source:
                del self._followers[key]
                self._leave(key, follower)
        for key, source in wanted.items():
            if key not in self._followers:
                follower = self._make(source)
                self._followers[key] = (source, follower)
                self._start_after(key, follower)
        self._followers = {key: self._followers[key] for key in wanted}
        return _all(follower.restored for _, follower in self._followers.values())

    @property
    def sources(self) -> list[tuple[Source, Follows]]:
        """The sources and who follows them, in plan order."""
        return list(self._followers.values())

    def status_of(self, name: str) -> SourceStatus | None:
        """Return the status of the source with this name; None for one that was replaced."""
        for source, follower in self._followers.values():
            if source.name == name:
                return follower.status
        return None

    def refresh(self) -> Deferred[None]:
        """Let every follower look now; fires when all have.

        One that waits for its predecessor to end is left out: it looks as soon as it starts.
        """
        return _all(look for _, look in self.refresh_where(lambda _: True))

    def refresh_where(
        self, meant: Callable[[Source], bool], *, hard: bool = False, once: bool = False
    ) -> list[tuple[Source, Deferred[LookResult]]]:
        """Let some followers look now; returns them, and what becomes of each look.

        Args:
            meant: tells whether a source is.
            hard: look even at what was refused or held before.
            once: make one attempt.
        """
        return [
            (source, follower.refresh(hard=hard, once=once))
            for source, follower in self._followers.values()
            if follower in self._started and meant(source)
        ]

    def stop(self) -> Deferred[None]:
        """Stop all; fires within STOP_S."""
        self._stopped = True
        for key, (_, follower) in list(self._followers.items()):
            self._leave(key, follower)
        return _all([self._left(key) for key in self._leaving])

    def _leave(self, key: str, follower: Follows) -> None:
        """Stop a follower. One that never started has nothing to end, but its predecessor may."""
        ended = follower.stopService()
        if follower not in self._started:
            return
        self._started.remove(follower)
        done = self._leaving[key] = Deferred()

        def left(_: object) -> None:
            del self._leaving[key]
            done.callback(None)

        ended.addBoth(left)

    def _left(self, key: str) -> Deferred[None]:
        """Return what fires when no follower of a source is ending any more."""
        done = self._leaving.get(key)
        if done is None:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        done.addCallback(waiter.callback)
        return waiter

    def _start_after(self, key: str, follower: Follows) -> None:
        """Start a follower, after the one it succeeds has ended."""

        def start(_: None) -> None:
            found = self._followers.get(key)
            if not self._stopped and found is not None and found[1] is follower:
                self._started.add(follower)
                follower.startService()

        self._left(key).addCallback(start)


def _all(waits: Iterable[Deferred[Any]]) -> Deferred[None]:
    """Return a Deferred that fires when all have, however they ended."""
    gathered = DeferredList([*waits], consumeErrors=True)
    return gathered.addCallback(lambda _: None)
