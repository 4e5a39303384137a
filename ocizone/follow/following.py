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

    def refresh(self) -> Deferred[LookResult]:
        """Look now."""


MakeFollower = Callable[[Source], Follows]


class Following:
    """Owns the followers."""

    def __init__(self, make: MakeFollower) -> None:
        self._make = make
        self._followers: dict[str, tuple[Source, Follows]] = {}
        self._leaving: dict[str, Deferred[None]] = {}
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

    def refresh(self) -> Deferred[None]:
        """Let every follower look now; fires when all have."""
        return _all(follower.refresh() for _, follower in self._followers.values())

    def stop(self) -> Deferred[None]:
        """Stop all; fires within STOP_S."""
        self._stopped = True
        for key, (_, follower) in list(self._followers.items()):
            self._leave(key, follower)
        return _all(self._leaving.values())

    def _leave(self, key: str, follower: Follows) -> None:
        done: Deferred[None] = Deferred()
        self._leaving[key] = done

        def left(_: object) -> None:
            if self._leaving.get(key) is done:
                del self._leaving[key]
            done.callback(None)

        follower.stopService().addBoth(left)

    def _start_after(self, key: str, follower: Follows) -> None:
        """Start a follower, after the one it succeeds has ended."""
        before = self._leaving.get(key, succeed(None))

        def start(_: None) -> None:
            found = self._followers.get(key)
            if not self._stopped and found is not None and found[1] is follower:
                follower.startService()

        before.addCallback(start)


def _all(waits: Iterable[Deferred[Any]]) -> Deferred[None]:
    """Return a Deferred that fires when all have, however they ended."""
    gathered = DeferredList([*waits], consumeErrors=True)
    return gathered.addCallback(lambda _: None)
