"""What an operator may do to a source, and that no tick, restart or failure undoes it."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from ocizone import limits
from ocizone.compiler.spec import ZoneChange
from ocizone.errors import FetchReason, StoreError, Transient
from ocizone.follow.follower import Follower
from ocizone.follow.status import Decided, LookResult, Outcome, VerbRefused
from ocizone.follow.verbs import Done
from ocizone.plugins.artifact import Guard, Keep, Verify
from ocizone.registry.trust import Signed
from tests.fakes.following import HeldPool, Site

ONE, TWO, THREE = {"db.a": "one"}, {"db.a": "two"}, {"db.a": "three"}
DOWN = Transient("no network", reason=FetchReason.NETWORK)
KEY = Verify(keys=("/keys/ops.pub",))
SUSPICIOUS = (ZoneChange("v", "a.", "changed", removed=20, before=20),)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


def done(work: Coroutine[Any, Any, Done]) -> Done:
    """Return what a verb came to; everything around it is synchronous."""
    found: list[Done] = []
    Deferred.fromCoroutine(work).addCallback(found.append)
    return found[0]


def looked(work: Coroutine[Any, Any, Done]) -> LookResult:
    result = done(work)
    assert isinstance(result, LookResult), result
    return result


def refused(work: Coroutine[Any, Any, Done]) -> str:
    result = done(work)
    assert isinstance(result, VerbRefused), result
    return result.why


def after_pushes(site: Site, *versions: dict[str, str], **options: Any) -> Follower:
    """Follow a tag that named these versions in turn."""
    follower = None
    for version in versions:
        site.registry.push(version)
        if follower is None:
            follower = site.follower(site.source(**options))
        else:
            follower.refresh()
    assert follower is not None
    return follower


# --- Rollback --------------------------------------------------------------------------------


def test_rollback_serves_the_version_before(site: Site):
    """Without an argument, from the store alone: the registry may be away."""
    follower = after_pushes(site, ONE, TWO)
    site.registry.down = DOWN
    requests = dict(site.registry.requests)
    result = looked(follower.verbs.rollback(reason="broken"))
    assert result.outcome is Outcome.ACTIVATED
    assert site.served == ONE
    assert dict(site.registry.requests) == requests
    pin = follower.status.pin
    assert pin is not None
    assert (pin.kind, pin.reason) == ("rollback", "broken")
    assert Decided("r.test/zones:prod", "rollback", result.digest, "broken") in site.events


def test_no_tick_undoes_a_rollback(site: Site):
    """It stands until the tag names yet another digest."""
    follower = after_pushes(site, ONE, TWO)
    looked(follower.verbs.rollback())
    site.clock.advance(3600)
    site.clock.advance(3600)
    assert site.served == ONE
    site.registry.push(THREE)
    site.clock.advance(3600)
    assert site.served == THREE
    assert follower.status.pin is None


def test_a_restart_does_not_undo_a_rollback(site: Site):
    """Offline it is served at once, and the first look leaves it alone."""
    follower = after_pushes(site, ONE, TWO)
    looked(follower.verbs.rollback())
    follower.stopService()
    again = site.again()
    follower = again.follower()
    assert again.served == ONE
    again.clock.advance(3600)
    assert again.served == ONE
    looked(follower.verbs.unpin())
    assert again.served == TWO


def test_unpin_is_not_held_as_a_rollback(site: Site):
    """What the tag names was served before and is no older than the mark."""
    follower = after_pushes(site, ONE, TWO)
    looked(follower.verbs.rollback())
    assert looked(follower.verbs.unpin()).outcome is Outcome.ACTIVATED
    assert site.served == TWO


@pytest.mark.parametrize("by", ["generation", "digest", "beginning"])
def test_rollback_to_a_version(site: Site, by: str):
    """Any that is kept, by its number or its digest."""
    follower = after_pushes(site, ONE, TWO, THREE)
    first = follower.status.digest
    looked(follower.verbs.rollback("1"))
    target = follower.status.digest
    looked(follower.verbs.rollback(first))
    assert site.served == THREE
    to = {"generation": "1", "digest": target, "beginning": target[7:15]}[by]
    looked(follower.verbs.rollback(to))
    assert site.served == ONE


def test_rollback_twice_goes_further_back(site: Site):
    """What was left once is not what one goes back to: two operators do not undo one another."""
    follower = after_pushes(site, ONE, TWO, THREE)
    looked(follower.verbs.rollback())
    assert site.served == TWO
    looked(follower.verbs.rollback())
    assert site.served == ONE
    site.clock.advance(3600)
    assert site.served == ONE
    assert "no version before" in refused(follower.verbs.rollback())


def test_rollback_without_an_earlier_version(site: Site):
    """Nothing changes, and the way out is named."""
    follower = after_pushes(site, ONE)
    assert "keep" in refused(follower.verbs.rollback())
    assert "no version 9 is kept" in refused(follower.verbs.rollback("9"))
    assert follower.status.pin is None


def test_rollback_to_what_was_collected(site: Site):
    """With `keep 1` there is nothing to go back to."""
    follower = after_pushes(site, ONE, TWO)
    site.tools.store.collect({"one": Keep(1)}, 0)
    assert "no version" in refused(follower.verbs.rollback())
    assert site.served == TWO


def test_each_deployment_collects_what_is_kept_no_longer(site: Site):
    """Generations, and the blobs that only they named; without anybody asking."""
    versions = [{"db.a": str(number)} for number in range(limits.KEEP_DEPLOYMENTS + 2)]
    after_pushes(site, *versions)
    kept = [one.generation for one in site.store.source("one").history()]
    assert kept == list(range(len(versions), 2, -1))
    assert len(site.store.blobs.digests()) == limits.KEEP_DEPLOYMENTS


def test_a_rollback_that_fails_is_taken_back(site: Site):
    """A decision that could not be carried out must not bind the next look."""
    follower = after_pushes(site, ONE, TWO)
    site.serving.broken = StoreError("cannot be mapped")
    assert looked(follower.verbs.rollback()).outcome is Outcome.FAILED
    assert follower.status.pin is None
    assert site.served == TWO
    site.serving.broken = None
    site.clock.advance(3600)
    assert site.served == TWO


def test_rollback_compiles_when_the_image_is_gone(site: Site):
    """Its blobs are kept as long as it is."""
    follower = after_pushes(site, ONE, TWO)
    for path in (site.root / "state" / "images").iterdir():
        if path.suffix == ".mdb" and json.loads(path.read_text()) == ONE:
            path.unlink()
    compiled = len(site.compiler.specs)
    looked(follower.verbs.rollback())
    assert site.served == ONE
    assert len(site.compiler.specs) == compiled + 1


def test_the_history_of_a_rollback(site: Site):
    """A rollback is a generation like any other; reports tell what superseded what."""
    follower = after_pushes(site, ONE, TWO)
    looked(follower.verbs.rollback())
    records = site.store.source("one")
    assert [one.generation for one in records.history()] == [3, 2, 1]
    states = {report.digest: report.state for report in records.reports()}
    assert states[follower.status.digest] == "served"
    assert sorted(states.values()) == ["served", "superseded"]


# --- Pin -------------------------------------------------------------------------------------


def test_a_pin_stands_whatever_the_tag_names(site: Site):
    """Also for versions that come later."""
    follower = after_pushes(site, ONE, TWO)
    history = site.store.source("one").history()
    looked(follower.verbs.pin(history[-1].digest, "freeze"))
    site.registry.push(THREE)
    site.clock.advance(3600)
    assert site.served == ONE
    assert follower.status.found == site.registry.tag
    looked(follower.verbs.unpin())
    assert site.served == THREE


def test_a_pin_of_what_was_never_here_is_pulled(site: Site):
    """By its digest, whatever the tag names."""
    digest = site.registry.push(ONE)
    site.registry.push(TWO)
    follower = site.follower()
    assert site.served == TWO
    assert looked(follower.verbs.pin(digest)).outcome is Outcome.ACTIVATED
    assert site.served == ONE


def test_a_pin_that_cannot_be_had_is_taken_back(site: Site):
    """At once: whoever asks does not wait for three attempts."""
    follower = after_pushes(site, ONE)
    site.registry.down = DOWN
    result = looked(follower.verbs.pin("sha256:" + "0" * 64))
    assert result.outcome is Outcome.FAILED
    assert follower.status.pin is None
    assert site.served == ONE


def test_a_beginning_of_nothing_is_no_digest(site: Site):
    """It cannot be pulled either."""
    follower = after_pushes(site, ONE)
    assert "all of the digest" in refused(follower.verbs.pin("abc"))
    assert "not pinned" in refused(follower.verbs.unpin())


# --- Suspend ---------------------------------------------------------------------------------


def test_suspended_does_not_look(site: Site):
    """What is served stays; asking tells why nothing happens."""
    follower = after_pushes(site, ONE)
    looked(follower.verbs.suspend(reason="maintenance"))
    site.registry.push(TWO)
    requests = dict(site.registry.requests)
    site.clock.advance(3600)
    results: list[LookResult] = []
    follower.refresh().addCallback(results.append)
    assert results[0].outcome is Outcome.SUSPENDED
    assert dict(site.registry.requests) == requests
    assert follower.status.state == "suspended"
    assert site.served == ONE
    looked(follower.verbs.resume())
    assert site.served == TWO
    assert "not suspended" in refused(follower.verbs.resume())


def test_a_suspension_ends_by_itself(site: Site):
    """At the first tick after its time."""
    follower = after_pushes(site, ONE)
    looked(follower.verbs.suspend(5000))
    site.registry.push(TWO)
    site.clock.advance(3600)
    assert site.served == ONE
    site.clock.advance(3600)
    assert site.served == TWO
    assert follower.status.suspension is None


def test_a_suspension_survives_a_restart(site: Site):
    """And what was served before is served."""
    follower = after_pushes(site, ONE)
    looked(follower.verbs.suspend())
    follower.stopService()
    again = site.again()
    again.registry.push(TWO)
    again.follower()
    again.clock.advance(3600)
    assert again.served == ONE


def test_suspended_by_the_corefile(site: Site):
    """No command ends it."""
    site.registry.push(ONE)
    follower = site.follower(site.source(suspend=True))
    assert site.served is None
    assert "not suspended by a command" in refused(follower.verbs.resume())


# --- Held and approved -----------------------------------------------------------------------


def test_a_suspicious_change_is_held_until_approved(site: Site):
    """Nothing is fetched again meanwhile, and approving needs no registry."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    digest = site.registry.push(TWO)
    results: list[LookResult] = []
    follower.refresh().addCallback(results.append)
    assert results[0].outcome is Outcome.HELD
    assert results[0].failure is not None
    assert results[0].failure.reason == "ChangeGuard"
    assert site.served == ONE
    requests = site.registry.requests.copy()
    site.clock.advance(3600)
    requests["head"] += 1
    assert site.registry.requests == requests
    assert f"what waits is {digest}" in refused(follower.verbs.approve("abc"))
    site.registry.down = DOWN
    assert looked(follower.verbs.approve(digest[7:19])).outcome is Outcome.ACTIVATED
    assert site.served == TWO
    assert follower.status.held is None
    assert refused(follower.verbs.approve(digest)) == "nothing waits for approval"


def test_what_is_held_survives_a_restart(site: Site):
    """Its blobs and image are kept, its approval needs no registry."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    digest = site.registry.push(TWO)
    follower.refresh()
    follower.stopService()
    again = site.again()
    again.registry.down = DOWN
    follower = again.follower(again.source(guard=Guard(deletes=0.3)))
    again.store.collect()
    looked(follower.verbs.approve(digest))
    assert again.served == TWO
    assert again.compiler.specs == []


def test_another_push_takes_the_place_of_what_is_held(site: Site):
    """The newest is what the operator is asked about."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    site.registry.push(TWO)
    follower.refresh()
    site.compiler.changes = ()
    site.registry.push(THREE)
    follower.refresh()
    assert site.served == THREE


def test_what_cannot_be_compared_is_held(site: Site):
    """A guard that knows nothing must not let everything pass."""
    follower = after_pushes(site, ONE, guard=Guard(ns=True))
    site.compiler.compared_well = False
    site.registry.push(TWO)
    follower.refresh()
    assert follower.status.held is not None
    assert [problem.rule for problem in follower.status.held.problems] == ["guard-unknown"]
    assert site.served == ONE


def test_without_a_guard_it_is_told(site: Site):
    """A warning, and served."""
    follower = after_pushes(site, ONE)
    site.compiler.changes = SUSPICIOUS
    site.registry.push(TWO)
    follower.refresh()
    assert site.served == TWO
    assert "guard-deletes" in {problem.rule for problem in follower.status.problems}


def test_another_guard_is_another_judgement(site: Site):
    """The configuration changed: what is held is looked at anew."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    site.registry.push(TWO)
    follower.refresh()
    follower.stopService()
    again = site.again()
    again.follower(again.source())
    assert again.served == TWO


def test_an_older_artifact_is_held(site: Site):
    """Whoever can move a tag can move it to an old signed version (TUF's rollback)."""
    site.registry.push(ONE, created="2026-09-20T10:00:00Z")
    follower = site.follower()
    site.registry.push(TWO, created="2026-09-19T10:00:00Z")
    follower.refresh()
    held = follower.status.held
    assert held is not None
    assert held.condition == "RollbackDetected"
    assert site.served == ONE


def test_an_older_artifact_with_allow_rollback(site: Site):
    """Those who revert by moving the tag back say so."""
    site.registry.push(ONE, created="2026-09-20T10:00:00Z")
    follower = site.follower(site.source(allow_rollback=True))
    site.registry.push(TWO, created="2026-09-19T10:00:00Z")
    follower.refresh()
    assert site.served == TWO


def test_a_damaged_standing_is_told(site: Site):
    """Pins are forgotten aloud; the last good version is served."""
    follower = after_pushes(site, ONE, TWO)
    looked(follower.verbs.rollback())
    follower.stopService()
    path = site.root / "state" / "sources" / "one" / "standing.json"
    path.write_bytes(path.read_bytes().replace(b"rollback", b"rollbacc"))
    again = site.again()
    again.registry.down = DOWN
    again.follower()
    assert again.served == ONE
    assert any("decide again" in str(event) for event in again.events)


# --- Decisions that meet ---------------------------------------------------------------------


def test_what_another_push_replaced_is_not_held_any_more(site: Site):
    """Approving it later would serve what the tag does not name."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    held = site.registry.push(TWO)
    follower.refresh()
    site.compiler.changes = ()
    site.registry.push(THREE)
    follower.refresh()
    assert follower.status.held is None
    assert refused(follower.verbs.approve(held)) == "nothing waits for approval"
    assert site.served == THREE


def test_approving_what_the_tag_does_not_name_now(site: Site):
    """Not even before the next look: the tag is known to have moved."""
    follower = after_pushes(site, ONE, guard=Guard(deletes=0.3))
    site.compiler.changes = SUSPICIOUS
    held = site.registry.push(TWO)
    follower.refresh()
    follower.found = "sha256:" + "9" * 64
    assert "the tag names" in refused(follower.verbs.approve(held))
    assert site.served == ONE


def test_an_approval_is_for_once(site: Site):
    """It lets a change pass, not a rollback of the tag later on."""
    old, new = "2026-09-18T00:00:00Z", "2026-09-19T00:00:00Z"
    site.registry.push(ONE, created="2026-09-17T00:00:00Z")
    follower = site.follower(site.source(guard=Guard(deletes=0.3)))
    site.compiler.changes = SUSPICIOUS
    approved = site.registry.push(TWO, created=old)
    follower.refresh()
    looked(follower.verbs.approve(approved))
    site.compiler.changes = ()
    site.registry.push(THREE, created=new)
    follower.refresh()
    site.registry.tag = approved
    follower.refresh()
    assert site.served == THREE
    assert follower.status.held is not None
    assert follower.status.held.condition == "RollbackDetected"


def test_two_decisions_at_once_both_stand(site: Site):
    """Neither is written over the other."""
    follower = after_pushes(site, ONE, TWO)
    decisions = follower._deployer.decisions
    held = HeldPool()
    decisions._files = held
    first = Deferred.fromCoroutine(decisions.suspend(60))
    second = Deferred.fromCoroutine(decisions.pin("sha256:" + "1" * 64, "pin"))
    while not (first.called and second.called):
        held.release()
    standing = site.store.source("one").standing()
    assert standing.suspension is not None
    assert standing.pin is not None
    assert standing == decisions.standing


def test_a_rollback_does_not_wait_for_a_compilation(site: Site):
    """What was served when it was asked for is what is left, not what was on its way."""
    follower = after_pushes(site, ONE, TWO)
    site.compiler.hang = True
    site.registry.push(THREE)
    follower.refresh()
    assert follower.status.state == "deploying"
    site.compiler.hang = False
    looked(follower.verbs.rollback())
    assert site.compiler.cancelled == 1
    assert site.served == ONE
    site.clock.advance(3600)
    assert site.served == ONE


def test_a_pin_that_fails_does_not_undo_a_rollback(site: Site):
    """Made meanwhile, by somebody who was in more of a hurry."""
    follower = after_pushes(site, ONE, TWO)
    pulls = HeldPool()
    object.__setattr__(site.tools, "pulls", pulls)
    site.registry.down = DOWN
    results: list[Done] = []
    pinning = follower.verbs.pin("sha256:" + "0" * 64)
    Deferred.fromCoroutine(pinning).addCallback(results.append)
    looked(follower.verbs.rollback())
    while not results:
        pulls.release()
    assert isinstance(results[0], LookResult)
    assert results[0].outcome is Outcome.FAILED
    assert follower.status.pin is not None
    assert follower.status.pin.kind == "rollback"
    assert site.served == ONE


def test_a_pin_that_is_interrupted_does_not_stand(site: Site):
    """Nobody knows whether there is such a digest: later pushes must not be ignored for it."""
    follower = after_pushes(site, ONE)
    object.__setattr__(site.tools, "pulls", HeldPool())
    results: list[Done] = []
    pinning = follower.verbs.pin("sha256:" + "0" * 64)
    Deferred.fromCoroutine(pinning).addCallback(results.append)
    assert site.store.source("one").standing().pin is None
    follower.stopService()
    assert site.store.source("one").standing().pin is None


def test_a_push_that_is_refused_does_not_end_a_rollback(site: Site):
    """Else whoever may push could bring the bad version back in two steps."""
    follower = after_pushes(site, ONE, TWO)
    bad = site.registry.tag
    looked(follower.verbs.rollback())
    site.registry.push({"db.a": "BAD"})
    follower.refresh()
    site.registry.tag = bad
    follower.refresh()
    assert site.served == ONE
    assert follower.status.pin is not None


def test_a_pin_passes_the_gate(site: Site):
    """Whoever pins an older or suspicious version means it."""
    old = site.registry.push(ONE, created="2026-09-17T00:00:00Z")
    site.registry.push(TWO, created="2026-09-18T00:00:00Z")
    follower = site.follower(site.source(guard=Guard(deletes=0.3)))
    site.compiler.changes = SUSPICIOUS
    assert looked(follower.verbs.pin(old)).outcome is Outcome.ACTIVATED
    assert site.served == ONE


def test_unpin_needs_no_approval_of_what_was_served(site: Site):
    """The guard judged it when the tag first named it."""
    follower = after_pushes(site, ONE, TWO, guard=Guard(deletes=0.3))
    first = site.store.source("one").history()[-1]
    looked(follower.verbs.pin(first.digest))
    site.compiler.changes = SUSPICIOUS
    assert looked(follower.verbs.unpin()).outcome is Outcome.ACTIVATED
    assert site.served == TWO


def test_a_number_is_a_generation(site: Site):
    """One that is gone is not the beginning of some digest."""
    follower = after_pushes(site, *({"db.a": f"{number}"} for number in range(12)))
    for gone in range(1, 7):
        assert f"no version {gone} is kept" in refused(follower.verbs.rollback(str(gone)))
    looked(follower.verbs.rollback("7"))
    assert site.served == {"db.a": "6"}


def test_rollback_needs_what_is_not_in_the_store(site: Site):
    """It is said, and no decision stands."""
    follower = after_pushes(site, ONE, TWO)
    first = site.store.source("one").history()[-1]
    for path in (site.root / "state" / "images").glob("*.mdb"):
        path.unlink()
    site.store.blobs.path(first.layers[0].digest).unlink()
    result = looked(follower.verbs.rollback())
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    assert "missing or damaged blobs" in result.failure.message
    assert follower.status.pin is None
    assert site.store.source("one").rejected() is None


# --- Signatures ------------------------------------------------------------------------------


def test_going_back_needs_a_signature_too(site: Site):
    """`verify` was added after the versions were served: only who says so gets them."""
    after_pushes(site, ONE, TWO).stopService()
    again = site.again()
    follower = again.follower(again.source(verify=KEY))
    assert "is not signed, and `verify` requires it" in refused(follower.verbs.rollback())
    first = again.store.source("one").history()[-1]
    assert "--unsigned" in refused(follower.verbs.pin(first.digest))
    assert again.served == TWO
    looked(follower.verbs.rollback(unsigned=True))
    assert again.served == ONE


def test_who_signed_must_be_trusted_now(site: Site):
    """A key that was taken out of the Corefile does not count for old versions either."""
    for version in (ONE, TWO):
        site.verdicts[site.registry.push(version)] = Signed("key ops.pub", "tag")
        if version is ONE:
            follower = site.follower(site.source(verify=KEY))
        else:
            follower.refresh()
    looked(follower.verbs.rollback())
    assert site.served == ONE
    looked(follower.verbs.unpin())
    follower.stopService()
    again = site.again()
    other = Verify(keys=("/keys/new.pub",))
    follower = again.follower(again.source(verify=other))
    assert "whom `verify` does not name now" in refused(follower.verbs.rollback())
