"""Following an artifact: when it looks, what it fetches, what it serves, and what it tells."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from ocizone import limits
from ocizone.compiler.spec import ZoneRule
from ocizone.errors import (
    CompilerError,
    FetchReason,
    Permanent,
    Problem,
    Severity,
    StoreError,
    Transient,
    ZoneError,
)
from ocizone.follow.status import (
    BUG,
    CONTENT_REFUSED,
    Activated,
    AttemptFailed,
    Crashed,
    Disturbed,
    Looked,
    LookResult,
    Outcome,
)
from ocizone.plugins.artifact import Startup
from ocizone.registry.manifest import Manifest
from tests.fakes.following import RULES, FakeServing, HungPool, Site

DOWN = Transient("connection refused", reason=FetchReason.NETWORK)
ONE = {"db.example.org": "one"}
TWO = {"db.example.org": "two"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.store.close()


def outcomes(site: Site) -> list[Outcome]:
    return [event.result.outcome for event in site.events if isinstance(event, Looked)]


# --- Looking and attempts --------------------------------------------------------------------


def test_first_look_is_at_start(site: Site) -> None:
    """A pushed artifact is served without waiting for an interval."""
    digest = site.registry.push(ONE)
    follower = site.follower()
    assert site.served == ONE
    assert follower.status.digest == digest
    assert follower.status.state == "idle"
    assert follower.status.next_check == follower.status.last_check + 3600  # type: ignore[operator] # both are set


def test_three_attempts_thirty_seconds_apart(site: Site) -> None:
    """Attempts fall at 0, 30 and 60 s; then nothing before the interval."""
    site.registry.down = DOWN
    follower = site.follower()
    assert follower.status.state == "waiting"
    site.clock.pump([1.0] * 3599)
    assert site.registry.times == [0.0, 30.0, 60.0]
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "Network"
    site.clock.advance(1)
    assert site.registry.times == [0.0, 30.0, 60.0, 3600.0]


def test_missing_tag_is_exactly_three_requests(site: Site) -> None:
    """404 gets the three attempts too: the first push may come any moment."""
    site.follower()
    site.clock.pump([1.0] * 600)
    assert site.registry.requests == {"head": 3}
    assert outcomes(site) == [Outcome.FAILED]


def test_push_between_attempts_is_served(site: Site) -> None:
    """The second attempt finds what the first did not."""
    site.follower()
    site.registry.push(ONE)
    site.clock.advance(30)
    assert site.served == ONE
    failed = [event for event in site.events if isinstance(event, AttemptFailed)]
    assert [(one.attempt, one.retry_in_s) for one in failed] == [(1, 30.0)]


@pytest.mark.parametrize(
    ("asked", "interval_s", "second"),
    [(60.0, 3600.0, 60.0), (5.0, 3600.0, 30.0), (86_400.0, 600.0, 600.0), (60.0, 5.0, 30.0)],
)
def test_retry_after(site: Site, asked: float, interval_s: float, second: float) -> None:
    """Retry-After lengthens the wait, up to the interval, and never shortens it."""
    site.registry.failures = [
        Transient("busy", reason=FetchReason.RATE_LIMITED, retry_after_s=asked)
    ]
    site.registry.push(ONE)
    site.follower(site.source(interval_s=interval_s))
    site.clock.pump([1.0] * int(second))
    assert site.registry.times[:2] == [0.0, second]


def test_unchanged_tag_is_one_head_and_no_write(site: Site) -> None:
    """A look at an unchanged tag asks once and leaves every file as it is."""
    site.registry.push(ONE)
    site.follower()
    before = snapshot_of(site.root)
    site.registry.requests.clear()
    for _ in range(10):
        site.clock.advance(3600)
    assert site.registry.requests == {"head": 10}
    assert snapshot_of(site.root) == before
    assert outcomes(site)[1:] == [Outcome.UNCHANGED] * 10


def snapshot_of(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return (inode, mtime, ctime) of everything below a directory."""
    return {
        str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns)
        for path in root.rglob("*")
    }


def test_looks_never_overlap_and_missed_ticks_are_one(tmp_path: Path) -> None:
    """While a look hangs, ticks start no other; afterwards the grid goes on."""
    hung = HungPool()
    site = Site(tmp_path, pulls=hung)
    site.follower(site.source(interval_s=5.0))
    site.clock.pump([1.0] * 60)
    assert hung.calls == 1
    site.store.close()


def test_suspended_machine_looks_once(site: Site) -> None:
    """A clock that jumps over many ticks makes one look of them."""
    site.registry.push(ONE)
    follower = site.follower(site.source(interval_s=60.0))
    site.clock.advance(86_400 + 7)
    assert site.registry.requests["head"] == 2
    due = follower.status.next_check
    assert due is not None
    assert due - follower.status.last_check == pytest.approx(53)  # type: ignore[operator] # set by the look


def test_hung_attempt_ends_at_its_deadline(tmp_path: Path) -> None:
    """A thread that outlives its deadline is given up; the attempt counts as a timeout."""
    hung = HungPool()
    site = Site(tmp_path, pulls=hung)
    follower = site.follower()
    site.clock.pump([1.0] * 66)
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "Timeout"
    assert (site.registry.aborted, site.registry.closed) == (1, 1)
    site.clock.pump([1.0] * 30)
    # An attempt, the close of its client, an attempt.
    assert hung.calls == 3
    site.store.close()


def test_waiting_for_a_thread_is_no_timeout(tmp_path: Path) -> None:
    """A deadline counts from when the work began: other registries may fill the pool."""
    site = Site(tmp_path, pulls=HungPool(full=True))
    follower = site.follower()
    site.clock.pump([1.0] * 600)
    assert follower.status.attempts == 1
    assert follower.status.last_error is None
    site.store.close()


def test_refresh_is_coalesced(tmp_path: Path) -> None:
    """Several who ask during a look get that look's result."""
    hung = HungPool()
    site = Site(tmp_path, pulls=hung)
    follower = site.follower()
    results: list[LookResult] = []
    for _ in range(3):
        follower.refresh().addCallback(results.append)
    forgotten = follower.refresh()
    forgotten.addErrback(lambda _: None)
    forgotten.cancel()
    assert hung.calls == 1
    follower.stopService()
    assert [result.outcome for result in results] == [Outcome.CANCELLED] * 3
    site.store.close()


def test_refresh_looks_now(site: Site) -> None:
    """Refresh returns after publication, with what happened."""
    site.registry.push(ONE)
    follower = site.follower()
    digest = site.registry.push(TWO)
    results: list[LookResult] = []
    follower.refresh().addCallback(results.append)
    assert [(one.outcome, one.digest) for one in results] == [(Outcome.ACTIVATED, digest)]
    assert site.served == TWO


# --- What is fetched -------------------------------------------------------------------------


def test_same_layers_pushed_again_do_not_reload(site: Site) -> None:
    """A push of the same content has another digest (its date), and is no news."""
    site.registry.push(ONE)
    site.follower()
    digest = site.registry.push(ONE, created="later")
    site.clock.advance(3600)
    assert len(site.serving.deployments) == 1
    assert site.registry.requests == {"head": 2, "manifest": 2, "blob": 1}
    site.clock.advance(3600)
    assert site.registry.requests == {"head": 3, "manifest": 2, "blob": 1}
    current = site.store.source("one").current()
    assert current is not None
    assert (current.digest, current.generation) == (digest, 1)


def test_refused_digest_is_not_fetched_again(site: Site) -> None:
    """Content that was refused is remembered, across a restart, until the tag moves."""
    site.registry.push(ONE)
    site.follower()
    bad = site.registry.push({"db.example.org": "BAD"})
    site.clock.advance(3600)
    fetched = site.registry.requests["blob"]
    assert site.served == ONE
    for _ in range(3):
        site.clock.advance(3600)
    assert site.registry.requests["blob"] == fetched
    assert len(site.compiler.specs) == 2
    again = site.again()
    follower = again.follower()
    assert again.served == ONE
    assert again.registry.requests["blob"] == fetched
    assert again.compiler.specs == []
    status = follower.status
    assert status.last_error is not None
    assert status.last_error.reason == CONTENT_REFUSED
    assert bad in status.last_error.message
    assert [str(problem) for problem in status.problems] == ["db.example.org:1: error[bad]: is bad"]
    again.registry.push(TWO)
    again.clock.advance(3600)
    assert again.served == TWO
    assert follower.status.problems == ()
    again.store.close()


def test_refused_digest_is_tried_with_another_configuration(site: Site) -> None:
    """A refusal belongs to the rules it was found with."""
    site.registry.push({"db.example.org": "BAD"})
    site.follower()
    again = site.again()
    rules = (ZoneRule("dns://.:53", "artifact", "", ("org.",)),)
    again.follower(again.source(rules=rules))
    assert len(again.compiler.specs) == 1
    again.store.close()


def test_tag_moved_back_reuses_the_image(site: Site) -> None:
    """A roll-back is a new deployment of an image that is there: nothing is compiled."""
    first = site.registry.push(ONE)
    follower = site.follower()
    site.registry.push(TWO)
    site.clock.advance(3600)
    site.registry.tag = first
    site.clock.advance(3600)
    assert site.served == ONE
    assert len(site.compiler.specs) == 2
    assert follower.status.generation == 3
    assert (site.path / "db.example.org").read_text() == "one"


def test_attempts_keep_what_they_fetched(site: Site) -> None:
    """A layer fetched before a failure is not fetched again."""
    site.registry.push({"a": "a", "b": "b"})
    site.registry.blobs.pop(next(reversed(site.registry.blobs)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.registry, "blobs", Broken(site.registry.blobs))
        site.follower()
    assert site.registry.requests["blob"] == 2
    site.registry.push({"a": "a", "b": "b"})
    site.clock.advance(30)
    assert site.registry.requests["blob"] == 3
    assert site.served == {"a": "a", "b": "b"}


class Broken(dict[str, bytes]):
    def __missing__(self, key: str) -> bytes:
        raise DOWN


def test_cut_blob_leaves_everything_as_it_was(site: Site) -> None:
    """A connection cut at any octet of a blob changes neither answers nor files."""
    site.registry.push(ONE)
    site.follower()
    before = {path: path.read_bytes() for path in site.path.rglob("*")}
    site.registry.push(TWO)
    for octets in range(4):
        site.registry.cut_blob_after = octets
        site.clock.pump([1.0] * 3600)
        assert site.served == ONE
        assert {path: path.read_bytes() for path in site.path.rglob("*")} == before
        assert list((site.root / "state" / "tmp").iterdir()) == []


def test_pinned_digest_is_pulled_once(site: Site) -> None:
    """A digest reference asks nothing after the pull; a restart asks nothing at all."""
    digest = site.registry.push(ONE)
    source = site.source(digest=digest)
    site.follower(source)
    assert site.registry.requests == {"manifest": 1, "blob": 1}
    site.clock.advance(36_000)
    again = site.again()
    again.follower(source)
    assert again.served == ONE
    assert site.registry.requests == {"manifest": 1, "blob": 1}
    again.store.close()


def test_a_tag_that_moves_during_a_look_does_not_mix_versions(site: Site) -> None:
    """The tag is asked once a look; what follows goes by the digest it named (falcoctl: 4 times)."""
    first = site.registry.push(ONE)
    site.registry.manifests = Moving(site.registry.manifests, lambda: site.registry.push(TWO))
    follower = site.follower()
    assert (follower.status.digest, site.served) == (first, ONE)
    assert site.registry.requests["head"] == 1
    site.clock.advance(3600)
    assert site.served == TWO


class Moving(dict[str, Manifest]):
    """Manifests of a registry whose tag is moved by somebody as the first one is read."""

    def __init__(self, manifests: dict[str, Manifest], move: Callable[[], object]) -> None:
        super().__init__(manifests)
        self._moves = [move]

    def __getitem__(self, digest: str) -> Manifest:
        found = super().__getitem__(digest)
        if self._moves:
            self._moves.pop()()
        return found


def test_files_under_path_are_not_read(site: Site) -> None:
    """They are for others: what somebody writes there is neither served nor compiled."""
    site.registry.push(ONE)
    site.follower().stopService()
    (site.path / "db.example.org").write_text("somebody else's")
    (site.path / "db.example.net").write_text("BAD")
    again = site.again()
    again.registry.down = DOWN
    again.follower(again.source(rules=(*RULES, *OTHER_RULES)))
    assert len(again.compiler.specs) == 1
    assert again.served == ONE
    again.store.close()


def test_image_removed_under_us_is_made_again(site: Site) -> None:
    """Served from a mapped image that somebody unlinked: the next look replaces it."""
    site.registry.push(ONE)
    site.follower()
    for image in (site.root / "state" / "images").iterdir():
        image.unlink()
    site.clock.advance(3600)
    assert len(site.compiler.specs) == 2
    assert site.registry.requests["blob"] == 1
    assert site.served == ONE


# --- Deploying -------------------------------------------------------------------------------


def test_warnings_are_shown_as_long_as_it_is_served(site: Site) -> None:
    """A warning of the compiler stays in the status, after a restart too."""
    site.registry.push({"db.example.org": "ODD"})
    follower = site.follower()
    assert [problem.rule for problem in follower.status.problems] == ["odd"]
    again = site.again()
    assert [problem.rule for problem in again.follower().status.problems] == ["odd"]
    again.store.close()


def test_origin_of_another_source_is_refused_and_tried_again(site: Site) -> None:
    """What serving objects to may go away: it is tried at each look, without fetching."""
    taken = Problem("Corefile", 1, 0, Severity.ERROR, "origin-claimed", "claimed by both")
    site.serving.objections = (taken,)
    site.registry.push(ONE)
    follower = site.follower()
    assert not site.serving.served
    assert follower.status.problems == (taken,)
    site.serving.objections = ()
    site.clock.advance(3600)
    assert site.served == ONE
    assert site.registry.requests["blob"] == 1
    assert len(site.compiler.specs) == 1


def test_image_that_cannot_be_served_is_retracted(site: Site) -> None:
    """When the swap fails, the pointer goes back to what is served."""
    first = site.registry.push(ONE)
    follower = site.follower()
    site.serving.broken = StoreError("cannot map")
    site.registry.push(TWO)
    site.clock.advance(3600)
    assert follower.status.digest == first
    current = site.store.source("one").current()
    assert current is not None
    assert current.digest == first
    site.serving.broken = None
    site.clock.advance(3600)
    assert site.served == TWO


def test_first_image_that_cannot_be_served_leaves_no_pointer(site: Site) -> None:
    """Without a version before, there is no current one after a failed swap."""
    site.serving.broken = StoreError("cannot map")
    site.registry.push(ONE)
    site.follower()
    assert site.store.source("one").current() is None


def test_compiler_that_dies_is_tried_at_three_looks(site: Site) -> None:
    """A digest that kills the compiler is given up after three looks, until a restart."""
    site.registry.push(ONE)
    site.compiler.crash = CompilerError("killed by signal 9")
    follower = site.follower()
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "CompilerFailed"
    for _ in range(5):
        site.clock.advance(3600)
    assert len(site.compiler.specs) == limits.ATTEMPTS
    assert outcomes(site)[-1] is Outcome.REFUSED
    assert list((site.root / "state" / "tmp").iterdir()) == []
    again = site.again()
    again.follower()
    assert again.served == ONE
    again.store.close()


def test_report_without_image_and_error_is_a_compiler_failure(site: Site) -> None:
    """A compiler that says nothing is not believed."""
    site.registry.push(ONE)
    site.compiler.silent = True
    follower = site.follower()
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "CompilerFailed"


def test_image_that_is_not_the_reported_one_is_refused(site: Site) -> None:
    """An image is read back before it is published."""
    site.registry.push(ONE)
    site.compiler.lie = True
    follower = site.follower()
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "StorageOperationFailed"
    assert site.served is None


def test_bug_does_not_end_the_following(site: Site) -> None:
    """An exception nobody foresaw is told with its traceback; the next look is due as ever."""
    site.registry.push(ONE)
    site.registry.blobs.clear()
    follower = site.follower()
    crash = next(event for event in site.events if isinstance(event, Crashed))
    assert "KeyError" in crash.traceback
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == BUG
    site.registry.push(ONE)
    site.clock.advance(3600)
    assert site.served == ONE


def test_two_sources_do_not_activate_at_once(site: Site) -> None:
    """Between the check and the swap of one source no other one activates."""
    site.registry.push(ONE)
    lock = site.tools.activating
    held: list[object] = []
    lock.acquire().addCallback(held.append)
    site.follower()
    assert site.served is None
    lock.release()
    assert site.served == ONE


# --- Stopping --------------------------------------------------------------------------------


def test_stop_with_a_hung_client(tmp_path: Path) -> None:
    """Stopping ends at once, aborts the client, and leaves no timer."""
    site = Site(tmp_path, pulls=HungPool())
    follower = site.follower()
    stopped: list[None] = []
    follower.stopService().addCallback(stopped.append)
    assert stopped == [None]
    assert (site.registry.aborted, site.registry.closed) == (1, 1)
    assert site.clock.getDelayedCalls() == []
    assert follower.status.state == "stopped"
    site.store.close()


def test_stop_while_waiting(site: Site) -> None:
    """A wait between attempts ends at once."""
    site.registry.down = DOWN
    follower = site.follower()
    follower.stopService()
    assert site.clock.getDelayedCalls() == []
    assert outcomes(site) == [Outcome.CANCELLED]
    assert site.registry.requests == {"head": 1}


def test_stop_while_compiling(site: Site) -> None:
    """The compiler is cancelled; nothing is activated."""
    site.registry.push(ONE)
    site.compiler.hang = True
    follower = site.follower()
    assert follower.status.state == "deploying"
    follower.stopService()
    assert site.compiler.cancelled == 1
    assert site.served is None
    assert site.clock.getDelayedCalls() == []


def test_stop_when_idle_and_start_again(site: Site) -> None:
    """A stopped follower can be started again, and looks at once."""
    site.registry.push(ONE)
    follower = site.follower()
    follower.stopService()
    assert site.clock.getDelayedCalls() == []
    site.registry.push(TWO)
    follower.startService()
    assert site.served == TWO


def test_stop_before_the_first_look(site: Site) -> None:
    """A random wait at the start ends with the service, too (falcoctl leaks there)."""
    site.registry.push(ONE)
    follower = site.follower(site.source(startup=Startup("jitter")))
    assert site.registry.requests == {}
    stopped: list[None] = []
    follower.stopService().addCallback(stopped.append)
    assert stopped == [None]
    assert site.clock.getDelayedCalls() == []


def test_stop_is_late_at_most(site: Site) -> None:
    """Even a look that ignores its cancellation holds a stop up for STOP_S at most."""
    follower = site.follower()
    follower.stopService()
    stubborn: Deferred[LookResult | None] = Deferred(lambda _: None)
    follower.startService()
    follower._turn = stubborn
    stubborn.cancel = lambda: None  # type: ignore[method-assign] # a coroutine that swallows it
    stopped: list[None] = []
    follower.stopService().addCallback(stopped.append)
    site.clock.advance(limits.STOP_S - 0.1)
    assert stopped == []
    site.clock.advance(0.1)
    assert stopped == [None]


def test_ten_reloads_leave_one_puller(site: Site) -> None:
    """Stopped followers ask the registry nothing more."""
    site.registry.push(ONE)
    for _ in range(10):
        follower = site.follower()
        follower.stopService()
    # The one fetch has a client of its own, which its thread closes when it likes.
    assert site.registry.closed in {10, 11}
    site.follower()
    site.registry.requests.clear()
    site.clock.advance(3600)
    assert site.registry.requests == {"head": 1}


# --- Restart ---------------------------------------------------------------------------------


def test_restart_offline_serves_last_good(site: Site) -> None:
    """Without a registry the last good version is served at once, without compiling."""
    site.registry.push(ONE)
    site.follower()
    again = site.again()
    again.registry.down = DOWN
    follower = again.follower()
    assert again.served == ONE
    assert again.compiler.specs == []
    activated = [event for event in again.events if isinstance(event, Activated)]
    assert [event.restored for event in activated] == [True]
    assert follower.status.generation == 1
    again.store.close()


def test_restored_fires_before_the_registry_answers(tmp_path: Path) -> None:
    """Who waits for last good versions does not wait for a registry."""
    site = Site(tmp_path)
    site.registry.push(ONE)
    site.follower()
    again = site.again()
    hung = Site(
        tmp_path / "other", pulls=HungPool(), registry=again.registry, serving=FakeServing()
    )
    follower = hung.follower()
    fired: list[None] = []
    follower.restored.addCallback(fired.append)
    assert fired == [None]
    again.store.close()
    hung.store.close()


def test_restored_fires_on_stop(tmp_path: Path) -> None:
    """A follower stopped before it restored tells its waiters."""
    site = Site(tmp_path, files=HungPool())
    follower = site.follower()
    fired: list[None] = []
    follower.restored.addCallback(fired.append)
    cancelled = follower.restored
    cancelled.addErrback(lambda _: None)
    cancelled.cancel()
    assert fired == []
    follower.stopService()
    assert fired == [None]
    site.store.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "remove"])
@pytest.mark.parametrize("pattern", ["images/*.mdb", "images/*.json", "sources/one/current.json"])
def test_damaged_state_is_rebuilt_offline(site: Site, pattern: str, damage: str) -> None:
    """A damaged image, record or pointer is noticed; blobs and history make up for it."""
    site.registry.push(ONE)
    site.follower()
    site.registry.push(TWO)
    site.clock.advance(3600)
    site.registry.down = DOWN
    for path in (site.root / "state").glob(pattern):
        spoil(path, damage)
    again = site.again()
    again.follower()
    assert again.served == TWO
    again.store.close()


def spoil(path: Path, damage: str) -> None:
    data = bytearray(path.read_bytes())
    path.unlink()
    match damage:
        case "flip":
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        case "cut":
            path.write_bytes(data[:-1] if path.suffix == ".mdb" else data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case _:
            assert damage == "remove"


def test_image_and_blob_damaged_falls_back_to_the_deployment_before(site: Site) -> None:
    """What cannot be rebuilt gives way to the newest older version that is whole."""
    site.registry.push(ONE)
    site.follower()
    site.registry.push(TWO)
    site.clock.advance(3600)
    current = site.store.source("one").current()
    assert current is not None
    spoil(site.store.images.path(current.fingerprint), "flip")
    spoil(site.store.blobs.path(current.layers[0].digest), "flip")
    site.registry.down = DOWN
    again = site.again()
    again.follower()
    assert again.served == ONE
    assert [event.what for event in again.events if isinstance(event, Disturbed)] == ["restore"]
    again.registry.down = None
    again.clock.advance(30)
    assert again.served == TWO
    again.store.close()


def test_restart_with_other_rules_compiles_from_blobs(site: Site) -> None:
    """An edited Corefile needs no registry: the layers are in the store."""
    site.registry.push(ONE)
    site.follower()
    again = site.again()
    again.registry.down = DOWN
    rules = (ZoneRule("dns://.:5353", "artifact", "", (".",)),)
    again.follower(again.source(rules=rules))
    assert again.served == ONE
    assert len(again.compiler.specs) == 1
    once_more = again.again()
    once_more.follower(once_more.source(rules=rules))
    assert once_more.compiler.specs == []
    assert once_more.served == ONE
    once_more.store.close()


@pytest.mark.parametrize("kind", ["directory", "link", "loop", "fifo"])
@pytest.mark.parametrize(
    "record",
    [
        "sources/one/rejected.json",
        "sources/one/ledger.json",
        "sources/one/current.json",
        "sources/one/deployments/00000001.json",
        "sources/one/deployments/00000002.json",
    ],
)
def test_unreadable_record_does_not_stop_the_restore(site: Site, record: str, kind: str) -> None:
    """One record that cannot be read is told once; what the others name is served."""
    site.registry.push(ONE)
    site.follower()
    site.registry.push(TWO)
    site.clock.advance(3600)
    make_unreadable(site.root / "state" / record, kind)
    again = site.again()
    again.registry.down = DOWN
    again.follower()
    assert again.served == TWO
    assert again.compiler.specs == []
    (disturbed,) = [event for event in again.events if isinstance(event, Disturbed)]
    assert disturbed.failure is not None
    assert "cannot read" in disturbed.failure.message
    again.store.close()


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_unreadable_record_of_an_image_is_made_again(site: Site, kind: str) -> None:
    """An image whose record cannot be read is compiled from its blobs, which mends the record."""
    site.registry.push(ONE)
    site.follower()
    (record,) = (site.root / "state" / "images").glob("*.json")
    make_unreadable(record, kind)
    again = site.again()
    again.registry.down = DOWN
    again.follower()
    assert again.served == ONE
    assert len(again.compiler.specs) == 1
    assert record.is_file()
    again.store.close()


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_unreadable_pointer_is_replaced_by_the_next_deployment(site: Site, kind: str) -> None:
    """The next generation is committed over a pointer that cannot be read."""
    site.registry.push(ONE)
    site.follower()
    make_unreadable(site.root / "state/sources/one/current.json", kind)
    site.registry.push(TWO)
    site.clock.advance(3600)
    assert site.served == TWO
    current = site.store.source("one").current()
    assert current is not None
    assert current.generation == 2


def make_unreadable(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    match kind:
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to(path.with_name("elsewhere"))
        case "loop":
            path.symlink_to(path)
        case _:
            os.mkfifo(path)


def test_unlisted_history_does_not_stop_the_restore(site: Site) -> None:
    """Without its history, what the pointer names is served."""
    site.registry.push(ONE)
    site.follower()
    history = site.root / "state/sources/one/deployments"
    (history / "00000001.json").unlink()
    history.rmdir()
    history.write_text("x")
    again = site.again()
    again.registry.down = DOWN
    again.follower()
    assert again.served == ONE
    assert [event.what for event in again.events if isinstance(event, Disturbed)] == ["restore"]
    again.store.close()


def test_unreadable_state_does_not_end_the_following(site: Site) -> None:
    """A pointer that cannot be read is told at start; the looks go on and recover."""
    site.registry.push(ONE)
    pointer = site.root / "state" / "sources" / "one" / "current.json"
    pointer.mkdir(parents=True)
    site.follower()
    disturbed = [event for event in site.events if isinstance(event, Disturbed)]
    assert disturbed[0].what == "restore"
    assert outcomes(site) == [Outcome.FAILED]
    pointer.rmdir()
    site.clock.advance(3600)
    assert site.served == ONE


def test_permanent_error_is_retried_too(site: Site) -> None:
    """Whatever the client calls the failure, it gets the three attempts."""
    site.registry.push(ONE)
    site.registry.failures = [Permanent("denied", reason=FetchReason.AUTH, status=401)]
    site.follower()
    site.clock.advance(30)
    assert site.served == ONE


def test_origin_taken_at_restart_is_not_served(site: Site) -> None:
    """A Corefile edited under two sources: the one that comes second says why it is not served."""
    site.registry.push(ONE)
    site.follower()
    again = site.again()
    taken = Problem("Corefile", 1, 0, Severity.ERROR, "origin-claimed", "claimed by both")
    again.serving.objections = (taken,)
    again.registry.down = DOWN
    again.follower()
    assert not again.serving.served
    (told,) = [event for event in again.events if isinstance(event, Disturbed)]
    assert told.problems == (taken,)
    again.store.close()


@pytest.mark.parametrize("spoiled", ["missing file", "missing PATH"])
def test_path_is_made_whole_at_restart(site: Site, spoiled: str) -> None:
    """PATH may be lost while the state is not (a container); no registry is needed for it."""
    site.registry.push(ONE)
    site.follower()
    (site.path / "db.example.org").unlink()
    if spoiled == "missing PATH":
        site.path.rmdir()
    again = site.again()
    again.registry.down = DOWN
    again.follower()
    assert (again.path / "db.example.org").read_text() == "one"
    assert again.compiler.specs == []
    again.store.close()


def test_path_that_cannot_be_written_does_not_stop_serving(site: Site) -> None:
    """A file where PATH should be: served all the same, told, and tried at every look."""
    site.path.write_text("in the way")
    site.registry.push(ONE)
    follower = site.follower()
    assert site.served == ONE
    seen = [follower.status.materialised]
    assert [event.what for event in site.events if isinstance(event, Disturbed)] == ["materialise"]
    site.path.unlink()
    site.clock.advance(3600)
    seen.append(follower.status.materialised)
    assert seen == [False, True]
    assert (site.path / "db.example.org").read_text() == "one"
    assert site.registry.requests == {"head": 2, "manifest": 1, "blob": 1}


def test_what_was_derived_is_told(site: Site) -> None:
    """In the report and in the event; the compiler is told what is served."""
    site.registry.push(ONE)
    site.follower()
    site.compiler.derived = {"zones_kept": 2, "zones_amended": 0, "names_changed": 0}
    digest = site.registry.push(TWO)
    site.clock.advance(3600)
    first, second = site.compiler.specs
    assert (first.former, first.former_sha256, first.former_layers) == ("", "", ())
    image = Path(second.former)
    assert second.former_sha256 == hashlib.sha256(image.read_bytes()).hexdigest()
    assert second.former_layers == first.layers
    report = site.store.source("one").report(digest)
    assert report is not None
    assert report.derived == site.compiler.derived
    events = [event for event in site.events if isinstance(event, Activated)]
    assert [dict(event.derived) for event in events] == [{}, site.compiler.derived]


def test_files_taken_from_path_come_back_with_the_next_version(site: Site) -> None:
    """Also those that did not change, which the compiler does not write."""
    files = {"db.example.org": "one", "db.example.net": "one"}
    site.registry.push(files)
    follower = site.follower()
    (site.path / "db.example.net").unlink()
    files["db.example.org"] = "two"
    site.registry.push(files)
    site.clock.advance(3600)
    assert site.served == files
    assert {path.name: path.read_text() for path in site.path.iterdir()} == files
    assert follower.status.materialised
    assert [event for event in site.events if isinstance(event, Disturbed)] == []


def test_file_of_others_in_path_is_told_once(site: Site) -> None:
    """What others wrote is left and told; it is not tried again at every look."""
    site.path.mkdir()
    (site.path / "db.example.org").write_text("theirs")
    site.registry.push(ONE)
    follower = site.follower()
    site.clock.advance(3600)
    assert site.served == ONE
    assert follower.status.materialised
    (told,) = [event for event in site.events if isinstance(event, Disturbed)]
    assert [problem.rule for problem in told.problems] == ["file-of-others"]
    assert (site.path / "db.example.org").read_text() == "theirs"


def test_artifact_that_is_too_large(site: Site) -> None:
    """Layers that sum up to more than an artifact may have are not fetched."""
    site.registry.push(ONE)
    follower = site.follower(site.source(max_octets=2))
    site.clock.pump([30.0, 30.0])
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "TooLarge"
    assert site.registry.requests == {"head": 3, "manifest": 3}


def test_asking_for_a_look_ends_the_wait_for_the_next_attempt(site: Site) -> None:
    """Who asks wants to know now: the second attempt follows at once, the third 30 s later."""
    site.registry.down = DOWN
    follower = site.follower()
    site.clock.advance(7)
    assert follower.status.next_check == site.tools.wall() + 23
    follower.refresh()
    assert site.registry.times == [0.0, 7.0]
    site.clock.advance(29)
    assert site.registry.times == [0.0, 7.0]
    site.clock.advance(1)
    assert site.registry.times == [0.0, 7.0, 37.0]
    assert follower.status.state == "idle"


def test_stopping_in_a_wait_leaves_no_timer(site: Site) -> None:
    """A wait between attempts ends with the service."""
    site.registry.down = DOWN
    follower = site.follower()
    follower.stopService()
    assert site.clock.getDelayedCalls() == []


OTHER_RULES = (ZoneRule("dns://.:54", "artifact", "", (".",)),)


def test_what_was_served_stands_in_while_other_rules_are_compiled(site: Site) -> None:
    """A Corefile that changed under a slow compiler does not make zones fall silent."""
    site.registry.push(ONE)
    site.follower()
    again = site.again()
    again.compiler.hang = True
    again.follower(again.source(rules=OTHER_RULES))
    assert again.served == ONE
    assert len(again.compiler.specs) == 1
    again.store.close()


def test_what_was_served_stays_when_other_rules_refuse_it(site: Site) -> None:
    """Under the new rules it is refused: it goes on as it was, and no older version comes back."""
    site.registry.push(ONE)
    first = site.follower()
    site.registry.push(TWO)
    first.refresh()
    again = site.again()
    again.registry.down = DOWN
    again.compiler.crash = ZoneError([Problem("x", 1, 0, Severity.ERROR, "gone", "no such file")])
    follower = again.follower(again.source(rules=OTHER_RULES))
    assert again.served == TWO
    assert follower.status.generation == 2
    # It is looked at again: the registry may have something these rules take.
    again.registry.down = None
    again.compiler.crash = None
    again.clock.advance(30)
    assert len(again.compiler.specs) == 2
    assert again.served == TWO
    again.store.close()
