"""Exactly one follower a source, whatever reloads do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from ocizone.follow.following import Following
from ocizone.follow.source import LocalSource, Source
from ocizone.follow.status import LookResult, Outcome, SourceStatus
from tests.servedzones import status_of


class FakeFollower:
    """A follower that ends when it is told to."""

    def __init__(self, source: Source, *, slow: bool) -> None:
        self.source = source
        self.restored: Deferred[None] = Deferred()
        self.ending: Deferred[None] | None = None
        self.log: list[str] = []
        self.working = False
        self.looks: list[Deferred[LookResult]] = []
        self._slow = slow

    @property
    def status(self) -> SourceStatus:
        return status_of(self.source)

    def startService(self) -> None:
        self.log.append("start")
        self.working = True

    def stopService(self) -> Deferred[None]:
        self.log.append("stop")
        if not self.working or not self._slow:
            self.working = False
            return succeed(None)
        self.ending = Deferred()
        return self.ending

    def end(self) -> None:
        """Let a slow stop end."""
        assert self.ending is not None
        self.working = False
        self.ending.callback(None)

    @property
    def verbs(self) -> None:
        return None

    def refresh(self, *, hard: bool = False, once: bool = False) -> Deferred[LookResult]:
        assert self.working, "a follower that has not started must not look"
        look: Deferred[LookResult] = Deferred()
        self.looks.append(look)
        return look


class Site:
    """A Following, and every follower it ever made."""

    def __init__(self, *, slow: bool = True) -> None:
        self.made: list[FakeFollower] = []
        self.slow = slow
        self.following = Following(self._make)

    def _make(self, source: Source) -> FakeFollower:
        self.made.append(FakeFollower(source, slow=self.slow))
        return self.made[-1]

    def move_to(self, *sources: Source) -> Deferred[None]:
        return self.following.move_to(sources)

    def working(self) -> list[str]:
        """Return the keys being worked on; twice would be the fault."""
        return sorted(one.source.key for one in self.made if one.working)


def source(key: str, interval_s: float = 60.0) -> LocalSource:
    return LocalSource(key, key, "/z", None, (), interval_s)


def changed(one: LocalSource) -> LocalSource:
    return replace(one, interval_s=one.interval_s + 1)


def fired(wait: Deferred[None]) -> bool:
    results: list[object] = []
    wait.addBoth(results.append)
    return bool(results)


A, B = source("a"), source("b")


def test_each_source_has_its_follower():
    """Started at once, listed in plan order."""
    site = Site()
    site.move_to(B, A)
    assert site.working() == ["a", "b"]
    assert [status.key for status in site.following.statuses] == ["b", "a"]


def test_what_did_not_change_is_not_touched():
    """A reload that adds a block restarts nothing."""
    site = Site()
    site.move_to(A)
    site.move_to(B, source("a"))
    assert [one.log for one in site.made] == [["start"], ["start"]]
    assert [status.key for status in site.following.statuses] == ["b", "a"]


def test_what_left_is_stopped():
    """Old tag, path and password end with their block."""
    site = Site()
    site.move_to(A, B)
    site.move_to(A)
    assert [one.log for one in site.made] == [["start"], ["start", "stop"]]
    assert [status.key for status in site.following.statuses] == ["a"]


def test_a_successor_starts_after_its_predecessor_ended():
    """Two never work on one source."""
    site = Site()
    site.move_to(A)
    site.move_to(changed(A))
    first, second = site.made
    assert site.working() == ["a"]
    assert (first.log, second.log) == (["start", "stop"], [])
    first.end()
    assert second.log == ["start"]
    assert site.working() == ["a"]


def test_a_successor_starts_at_once_after_a_quick_stop():
    """An idle predecessor costs no turn of the reactor."""
    site = Site(slow=False)
    site.move_to(A)
    site.move_to(changed(A))
    assert site.working() == ["a"]
    assert site.made[1].log == ["start"]


def test_reloads_in_a_row_wait_for_the_one_that_works():
    """The second reload replaces a follower that never started; the first still ends."""
    site = Site()
    site.move_to(A)
    site.move_to(changed(A))
    site.move_to(changed(changed(A)))
    first, second, third = site.made
    assert site.working() == ["a"]
    assert third.log == []
    first.end()
    assert (second.log, third.log) == (["stop"], ["start"])


def test_back_to_the_first_configuration_while_it_still_ends():
    """A roll-back: the stopped follower is not revived, a new one waits for it."""
    site = Site()
    site.move_to(A)
    site.move_to()
    site.move_to(A)
    assert site.made[1].log == []
    site.made[0].end()
    assert site.made[1].log == ["start"]


def test_one_that_left_while_waiting_never_starts():
    """Its predecessor ends, nobody follows."""
    site = Site()
    site.move_to(A)
    site.move_to(changed(A))
    site.move_to()
    site.made[0].end()
    assert site.working() == []
    assert "start" not in site.made[1].log


def test_a_stop_that_fails_lets_the_successor_start():
    """Whatever the end was, it is one."""
    site = Site()
    site.move_to(A)
    site.move_to(changed(A))
    ending = site.made[0].ending
    assert ending is not None
    site.made[0].working = False
    ending.errback(Failure(RuntimeError("a bug")))
    assert site.made[1].log == ["start"]


def test_stop_waits_for_all_and_starts_nobody():
    """Also for one that a reload stopped before; its successor never starts."""
    site = Site()
    site.move_to(A, B)
    site.move_to(changed(A), B)
    stopped = site.following.stop()
    ended: list[object] = []
    stopped.addBoth(ended.append)
    old_a, b, new_a = site.made
    b.end()
    assert ended == []
    old_a.end()
    assert ended == [None]
    assert "start" not in new_a.log
    assert site.working() == []


def test_stop_without_followers_ends_at_once():
    """A Corefile may follow nothing."""
    assert fired(Site().following.stop())


def test_moving_fires_when_all_have_restored():
    """Answering begins then: a last good version is served from the first query."""
    site = Site()
    wait = site.move_to(A, B)
    done: list[object] = []
    wait.addBoth(done.append)
    site.made[0].restored.callback(None)
    assert done == []
    site.made[1].restored.errback(Failure(RuntimeError("not this one")))
    assert done == [None]
    assert fired(Site().move_to())


def test_refresh_asks_those_that_work():
    """SIGHUP: one that waits for its predecessor looks when it starts, not before."""
    site = Site()
    site.move_to(A, B)
    site.move_to(changed(A), B)
    wait = site.following.refresh()
    done: list[object] = []
    wait.addBoth(done.append)
    assert [len(one.looks) for one in site.made] == [0, 1, 0]
    assert done == []
    site.made[1].looks[0].callback(LookResult(Outcome.FAILED))
    assert done == [None]


@pytest.mark.parametrize("ending", [[0, 1], [1, 0]])
def test_sources_wait_for_their_own_predecessors(ending: Iterable[int]):
    """One slow registry does not keep another block from its new configuration."""
    site = Site()
    site.move_to(A, B)
    site.move_to(changed(A), changed(B))
    for number in ending:
        site.made[number].end()
        assert site.made[number + 2].log == ["start"]
