"""On what terms an artifact is taken: types, signatures, size; and the report of how far it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocizone.errors import FetchReason, Transient
from ocizone.follow.follower import Follower
from ocizone.follow.status import LookResult, Outcome
from ocizone.plugins.artifact import Verify
from ocizone.registry.trust import Signed, Unsigned, Untrusted
from ocizone.store.reports import DeployReport
from tests.fakes.following import HeldPool, Site

ONE, TWO, BAD = {"db.a": "one"}, {"db.a": "two"}, {"db.a": "BAD"}
KEY = Verify(keys=("/keys/ops.pub",))
WARN = Verify(keys=("/keys/ops.pub",), policy="warn")
OURS = Signed("key ops.pub", "tag")
FORGED = Untrusted("key other.pub signed it")
DOWN = Transient("no network", reason=FetchReason.NETWORK)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


def follow(site: Site, **options: Any) -> Follower:
    return site.follower(site.source(**options))


def look(follower: Follower) -> LookResult:
    """Return what a look now comes to."""
    results: list[LookResult] = []
    follower.refresh().addCallback(results.append)
    return results[0]


def report_of(site: Site, digest: str) -> DeployReport:
    found = site.store.source("one").report(digest)
    assert found is not None
    return found


def states(report: DeployReport) -> list[str]:
    return [state for state, _ in report.history]


# --- Signatures ------------------------------------------------------------------------------


def test_signed_is_served(site: Site):
    """And said by whom."""
    digest = site.registry.push(ONE)
    site.verdicts[digest] = OURS
    follower = follow(site, verify=KEY)
    assert site.served == ONE
    assert follower.status.verified_by == "key ops.pub"
    assert report_of(site, digest).verified_by == "key ops.pub"


def test_a_signature_may_come_after_the_push(site: Site):
    """Until then: waiting, no blob is fetched, and every look asks again."""
    digest = site.registry.push(ONE)
    follower = follow(site, verify=KEY)
    assert look(follower).outcome is Outcome.HELD
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "WaitingForSignature"
    assert site.served is None
    assert site.registry.requests["blob"] == 0
    site.verdicts[digest] = OURS
    assert look(follower).outcome is Outcome.ACTIVATED
    assert site.served == ONE


def test_waiting_is_written_down_once(site: Site):
    """A look every five seconds must not write to the disk each time."""
    digest = site.registry.push(ONE)
    follower = follow(site, verify=KEY)
    before = report_of(site, digest)
    assert before.state == "waiting"
    site.clock.advance(3600)
    look(follower)
    assert report_of(site, digest) == before


def test_a_signature_of_others_is_refused(site: Site):
    """What was served stays; looked at again, because a good one may be added."""
    good = site.registry.push(ONE)
    site.verdicts[good] = OURS
    follower = follow(site, verify=KEY)
    forged = site.registry.push(TWO)
    site.verdicts[forged] = FORGED
    result = look(follower)
    assert result.outcome is Outcome.REFUSED
    assert result.problems[0].rule == "signature"
    assert site.served == ONE
    assert report_of(site, forged).reason == "SignatureRefused"
    site.verdicts[forged] = OURS
    assert look(follower).outcome is Outcome.ACTIVATED


@pytest.mark.parametrize("verdict", [Unsigned("none"), FORGED])
def test_policy_warn_tells_and_serves(site: Site, verdict: Unsigned | Untrusted):
    """For the time until everything is signed."""
    digest = site.registry.push(ONE)
    site.verdicts[digest] = verdict
    follower = follow(site, verify=WARN)
    assert site.served == ONE
    assert [problem.rule for problem in follower.status.problems] == ["not-verified"]
    assert follower.status.verified_by == ""


def test_verify_that_is_new_judges_what_is_served(site: Site):
    """It goes on being served, and the condition says that nobody signed it."""
    site.registry.push(ONE)
    follow(site).stopService()
    again = site.again()
    follower = again.follower(again.source(verify=KEY))
    assert again.served == ONE
    assert follower.status.last_error is not None
    assert follower.status.last_error.reason == "WaitingForSignature"


def test_what_is_served_is_verified_once_a_start(site: Site):
    """Not at every tick."""
    digest = site.registry.push(ONE)
    site.verdicts[digest] = OURS
    follower = follow(site, verify=KEY)
    site.clock.advance(3600)
    assert site.registry.requests["signature"] == 1
    follower.stopService()
    again = site.again()
    again.follower(again.source(verify=KEY))
    again.clock.advance(3600)
    assert site.registry.requests["signature"] == 2


def test_the_same_layers_under_an_unsigned_manifest(site: Site):
    """A new digest needs a signature of its own, whatever it holds."""
    first = site.registry.push(ONE)
    site.verdicts[first] = OURS
    follower = follow(site, verify=KEY)
    site.registry.push(ONE, created="2026-09-20T10:00:00Z")
    assert look(follower).outcome is Outcome.HELD
    assert follower.status.digest == first


def test_the_same_layers_again_are_told_of(site: Site):
    """What DNS says of the digest changes with it; no zone is swapped."""
    site.registry.push(ONE)
    follower = follow(site)
    again = site.registry.push(ONE, created="2026-09-20T10:00:00Z")
    assert look(follower).outcome is Outcome.UNCHANGED
    assert [one.digest for one in site.serving.relabellings] == [again]
    assert len(site.serving.deployments) == 1


# --- Types -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "served"),
    [
        ((), True),
        (("application/x",), True),
        (("text/dns",), True),
        (("text/dns", "application/y"), True),
        (("application/y",), False),
    ],
)
def test_allowed_types(site: Site, allowed: tuple[str, ...], served: bool):
    """The artifact's own type, or that of every titled layer."""
    site.registry.push(ONE)
    follow(site, allowed_types=allowed)
    assert (site.served == ONE) is served


def test_a_wrong_type_costs_one_manifest(site: Site):
    """No blob, and no manifest again until the tag or the configuration changes."""
    digest = site.registry.push(ONE)
    follower = follow(site, allowed_types=("application/y",))
    assert look(follower).outcome is Outcome.REFUSED
    assert site.registry.requests["manifest"] == 1
    assert site.registry.requests["blob"] == 0
    assert report_of(site, digest).reason == "TypeRefused"
    follower.stopService()
    again = site.again()
    again.follower(again.source(allowed_types=("application/x",)))
    assert again.served == ONE


# --- Reports ---------------------------------------------------------------------------------


def test_the_states_of_a_deployment(site: Site):
    """In order, with times; the last one is where it is now."""
    digest = site.registry.push(ONE, created="2026-09-20T10:00:00Z")
    site.verdicts[digest] = OURS
    follow(site, verify=KEY)
    report = report_of(site, digest)
    assert states(report) == [
        "resolved",
        "verifying",
        "fetching",
        "compiling",
        "guarding",
        "activating",
        "served",
    ]
    assert (report.tag, report.created, report.generation) == ("prod", "2026-09-20T10:00:00Z", 1)
    assert [change.kind for change in report.changes] == ["added"]


def test_a_refused_deployment_tells_the_place(site: Site):
    """Source, digest, rule, file and line."""
    digest = site.registry.push(BAD)
    follow(site)
    report = report_of(site, digest)
    assert (report.state, report.name) == ("refused", "r.test/zones:prod")
    assert [(one.rule, one.where()) for one in report.problems] == [("bad", "db.a:1")]


def test_a_deployment_that_fails_tells_how_far_it_came(site: Site):
    """The registry went away between manifest and blobs."""
    digest = site.registry.push(ONE)
    site.registry.cut_blob_after = 1
    follower = follow(site)
    site.clock.pump([30, 30])
    report = report_of(site, digest)
    assert report.state == "failed"
    assert "fetching" in states(report)
    site.registry.cut_blob_after = None
    look(follower)
    assert report_of(site, digest).state == "served"
    assert report_of(site, digest).reason == ""


def test_unchanged_writes_nothing(site: Site):
    """One HEAD and no file."""
    site.registry.push(ONE)
    follower = follow(site)
    before = {path: path.stat().st_mtime_ns for path in (site.root / "state").rglob("*")}
    look(follower)
    after = {path: path.stat().st_mtime_ns for path in (site.root / "state").rglob("*")}
    assert before == after


def test_what_is_served_keeps_its_report(site: Site):
    """A registry that goes away afterwards has nothing to do with it."""
    digest = site.registry.push(ONE)
    follower = follow(site)
    site.registry.down = DOWN
    follower.refresh(once=True)
    assert report_of(site, digest).state == "served"
    assert report_of(site, digest).reason == ""


def test_a_blob_that_was_lost_is_fetched_again(site: Site):
    """A scrub takes damaged ones away; nothing is reloaded for it."""
    site.registry.push(ONE)
    follower = follow(site)
    current = site.store.source("one").current()
    assert current is not None
    path = site.store.blobs.path(current.layers[0].digest)
    path.unlink()
    assert look(follower).outcome is Outcome.UNCHANGED
    assert path.is_file()
    assert len(site.serving.deployments) == 1
    assert site.serving.relabellings == []
    look(follower)
    assert site.registry.requests["blob"] == 2


# --- Asking ----------------------------------------------------------------------------------


def test_who_asks_during_a_look_is_told_of_a_stop(site: Site):
    """The look that was asked for is never made."""
    site.registry.push(ONE)
    site.compiler.hang = True
    follower = follow(site)
    site.registry.push(TWO)
    results: list[LookResult] = []
    follower.refresh().addCallback(results.append)
    assert results == []
    site.compiler.hang = False
    follower.stopService()
    assert [result.outcome for result in results] == [Outcome.CANCELLED]


def test_who_asks_during_a_look_gets_the_next_one(tmp_path: Path):
    """Several who ask meanwhile share it; it finds what was pushed before they asked."""
    pulls = HeldPool()
    site = Site(tmp_path, pulls=pulls)
    site.registry.push(ONE)
    follower = follow(site)
    pulls.answer()
    site.registry.push(TWO)
    results: list[LookResult] = []
    for _ in range(3):
        follower.refresh().addCallback(results.append)
    assert pulls.waiting == 1
    pulls.deliver()
    assert (results, site.served) == ([], ONE)
    pulls.answer()
    pulls.deliver()
    assert [result.outcome for result in results] == [Outcome.ACTIVATED] * 3
    assert site.served == TWO
    assert site.registry.requests["head"] == 2
    site.store.close()


def test_asked_while_waiting_for_the_next_attempt(site: Site):
    """It is made now, and what it finds is the answer."""
    site.registry.push(ONE)
    site.registry.failures = [DOWN]
    follower = follow(site)
    assert follower.status.state == "waiting"
    assert look(follower).outcome is Outcome.ACTIVATED


def test_hard_looks_at_what_was_refused(site: Site):
    """A plain refresh does not fetch it again."""
    site.registry.push(BAD)
    follower = follow(site)
    look(follower)
    assert len(site.compiler.specs) == 1
    follower.refresh(hard=True)
    assert len(site.compiler.specs) == 2


def test_once_makes_one_attempt(site: Site):
    """Who asks at a terminal does not wait for two pauses."""
    site.registry.push(ONE)
    follower = follow(site)
    site.registry.down = DOWN
    results: list[LookResult] = []
    follower.refresh(once=True).addCallback(results.append)
    assert [result.outcome for result in results] == [Outcome.FAILED]
    site.clock.advance(3600)
    assert follower.status.state == "waiting"


def test_attempts_and_backoff_of_the_block(site: Site):
    """`retries 1 5s`: two in all, five seconds apart."""
    site.registry.push(ONE)
    site.registry.down = DOWN
    follower = follow(site, attempts=2, backoff_s=5.0)
    site.clock.advance(5)
    assert follower.status.state == "idle"
    assert site.registry.times == [0.0, 5.0]
