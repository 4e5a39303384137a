"""Die, or fail, at every file operation of a deployment: what is served is old or new, whole.

Each point is found by running once with a hook that writes the points down.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone.compiler.spec import ZoneRule
from ocizone.errors import FetchReason, Transient
from ocizone.follow.source import OciSource
from tests.fakes.following import RULES, Site

OLD = {"db.a": "old a", "db.b": "old b", "sub/db.c": "old c"}
NEW = {"db.a": "new a", "db.d": "new d", "sub/deep/db.c": "new c"}
DOWN = Transient("no network", reason=FetchReason.NETWORK)

#: What happens between two versions: prepares, then returns the source to follow next.
Scenario = Callable[[Site], OciSource]


def first_pull(site: Site) -> OciSource:
    """Nothing was there before."""
    site.registry.push(NEW)
    return site.source()


def update(site: Site) -> OciSource:
    """One version was there; files are changed, added and dropped."""
    site.registry.push(OLD)
    site.follower().stopService()
    site.registry.push(NEW)
    return site.source()


def rollback(site: Site) -> OciSource:
    """The version was there before the current one."""
    site.registry.push(NEW)
    follower = site.follower()
    site.registry.push(OLD)
    follower.refresh()
    follower.stopService()
    site.registry.push(NEW)
    return site.source()


def pin(site: Site) -> OciSource:
    """The block is pinned to a digest that was not pulled yet."""
    site.registry.push(OLD)
    site.follower().stopService()
    return site.source(digest=site.registry.push(NEW))


def other_rules(site: Site) -> OciSource:
    """The Corefile was edited along with the artifact."""
    update(site)
    return site.source(rules=(*RULES, ZoneRule("dns://.:54", "artifact", "", (".",))))


SCENARIOS = (first_pull, update, rollback, pin, other_rules)


@pytest.fixture(autouse=True)
def fast_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing that was written; a power cut cannot be had here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Hook:
    """Passes everything, until armed: then writes points down, or acts at one of them."""

    def __init__(self, at: int | None = None, act: Callable[[], None] = lambda: None) -> None:
        self.armed = False
        self.points: list[str] = []
        self._at = at
        self._act = act

    def __call__(self, point: str) -> None:
        if self.armed:
            self.points.append(point)
            if len(self.points) - 1 == self._at:
                self._act()


def deploy(root: Path, scenario: Scenario, hook: Hook) -> tuple[Site, OciSource]:
    """Prepare a scenario, then follow its source with the hook armed."""
    site = Site(root, inject=hook)
    source = scenario(site)
    hook.armed = True
    site.follower(source)
    return site, source


def points_of(root: Path, scenario: Scenario) -> list[str]:
    hook = Hook()
    site, _ = deploy(root, scenario, hook)
    site.store.close()
    assert site.served == NEW
    return hook.points


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_kill_at_every_point(tmp_path: Path, scenario: Scenario) -> None:
    """After SIGKILL anywhere: offline, exactly old or new is served; online, new, and PATH too."""
    points = points_of(tmp_path / "rehearsal", scenario)
    assert len(points) > 40
    seen = set()
    for at, point in enumerate(points):
        # Between "after" one operation and "before" the next nothing happens on disk.
        if point.startswith("after") and at != len(points) - 1:
            continue
        root = tmp_path / str(at)
        child = os.fork()
        if child == 0:
            deploy(root, scenario, Hook(at, kill_self))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, point
        seen.add(tuple(served_after(root, scenario, point)))
    # Both happen: or the test would not show anything.
    assert len(seen) == 2


def served_after(root: Path, scenario: Scenario, point: str) -> list[str]:
    """Start on what a killed process left; return the files that are served offline."""
    site = Site(root)
    # The same registry as the killed process saw, made again: digests are the same.
    twin = Site(root / "twin", registry=site.registry)
    source = scenario(twin)
    source = replace(source, artifact=replace(source.artifact, path=str(site.path)))
    twin.store.close()
    site.registry.down = DOWN
    assert list((root / "state" / "tmp").iterdir()) == [], point
    follower = site.follower(source)
    offline = site.served
    assert offline in ([None, NEW] if scenario is first_pull else [OLD, NEW]), point
    site.registry.down = None
    site.clock.advance(30)
    assert site.served == NEW, point
    assert files_below(site.path) == NEW, point
    # What was written just before the kill is known to be ours: the next version removes it.
    if not source.artifact.reference.digest:
        site.registry.push(OLD)
        follower.refresh()
        assert files_below(site.path) == OLD, point
    follower.stopService()
    site.store.close()
    return sorted(offline or {})


def files_below(path: Path) -> dict[str, str]:
    """Return the files below PATH, temporaries too."""
    return {str(one.relative_to(path)): one.read_text() for one in path.rglob("*") if one.is_file()}


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT, errno.EMFILE]
)
@pytest.mark.parametrize("scenario", [first_pull, update])
def test_error_at_every_point(tmp_path: Path, scenario: Scenario, number: int) -> None:
    """A full or broken disk: old or new is served, the condition is told, the next look recovers."""
    points = points_of(tmp_path / "rehearsal", scenario)
    for at, point in enumerate(points):
        if point.startswith("after"):
            continue  # an operation that fails has not happened
        root = tmp_path / str(at)
        site, _ = deploy(root, scenario, Hook(at, lambda: fail_with(number)))
        served = site.served
        assert served in ([None, NEW] if scenario is first_pull else [OLD, NEW]), point
        assert any("StorageOperationFailed" in str(event) for event in site.events) or any(
            "file-not-written" in str(event) for event in site.events
        ), point
        site.clock.pump([30.0, 30.0, 3600.0])
        assert site.served == NEW, point
        assert files_below(site.path) == NEW, point
        site.store.close()


def fail_with(number: int) -> None:
    raise OSError(number, os.strerror(number))


def test_disk_that_stays_full(tmp_path: Path) -> None:
    """As long as nothing can be written the old version is served; then the new one is."""
    full = [False]

    def hook(point: str) -> None:
        if full[0] and point.split()[1] in {"write", "fsync", "rename", "mkdir", "fetch"}:
            fail_with(errno.ENOSPC)

    site = Site(tmp_path, inject=hook)
    site.registry.push(OLD)
    follower = site.follower()
    full[0] = True
    site.registry.push(NEW)
    for _ in range(5):
        site.clock.pump([30.0] * 120)
        assert site.served == OLD
        assert follower.status.last_error is not None
        assert follower.status.last_error.reason == "StorageOperationFailed"
    full[0] = False
    site.clock.pump([30.0] * 120)
    assert site.served == NEW
    assert follower.status.last_error is None
    site.store.close()
