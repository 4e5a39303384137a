"""One version after another: what is served of those before, which serials, what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.compiler.spec import BaseZone, CompiledZone, SerialRule, ZoneRule
from ocizone.errors import FetchReason, Problem, Severity, Transient, ZoneError
from ocizone.follow.follower import Follower
from ocizone.follow.status import Activated, Disturbed, Looked, Outcome
from tests.fakes.following import RULES, WALL, Site

FILE = "db.example.org"
VIEW = RULES[0].view
DAY = 86_400


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.compiler.facts = facts
    yield site
    site.store.close()


def facts(zone: CompiledZone, text: str) -> CompiledZone:
    """A text is JSON: fields of the zone; its content is the text."""
    return replace(zone, **{"content": text, **json.loads(text)})


def text(**fields: object) -> dict[str, str]:
    return {FILE: json.dumps(fields)}


def rules(serial: SerialRule) -> tuple[ZoneRule, ...]:
    return (replace(RULES[0], serial=serial),)


def restarted(site: Site) -> Site:
    again = site.again()
    again.compiler.facts = facts
    return again


def told(site: Site) -> list[str]:
    return [
        one.rule for event in site.events if isinstance(event, Activated) for one in event.problems
    ]


def serials(site: Site) -> list[int]:
    """Of what was served before, newest first."""
    return [json.loads(one[FILE])["serial"] for one in site.serving.earlier]


# --- Earlier versions ----------------------------------------------------------------------------


def test_what_was_served_before_is_handed_on(site: Site):
    """Newest first, at most so many."""
    follower = None
    for serial in range(1, limits.IXFR_VERSIONS + 4):
        site.registry.push(text(serial=serial))
        follower = follower or site.follower()
        follower.refresh()
    newest = limits.IXFR_VERSIONS + 3
    assert serials(site) == [newest - age for age in range(1, limits.IXFR_VERSIONS + 1)]


def test_a_restart_keeps_the_history(site: Site):
    """Without a network: the images are in the store."""
    follower = None
    for serial in (1, 2, 3):
        site.registry.push(text(serial=serial))
        follower = follower or site.follower()
        follower.refresh()
    again = restarted(site)
    again.registry.down = Transient("gone", reason=FetchReason.NETWORK)
    again.follower()
    assert again.served == text(serial=3)
    assert serials(again) == [2, 1]
    assert again.compiler.specs == []
    again.store.close()


def test_a_damaged_image_is_passed_over(site: Site):
    """It is hashed before anybody maps it: a short one would kill the process."""
    follower = None
    names = []
    for serial in (1, 2, 3):
        site.registry.push(text(serial=serial))
        follower = follower or site.follower()
        follower.refresh()
        names.append(site.serving.deployments[-1].fingerprint)
    path = site.store.images.path(names[1])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    again = restarted(site)
    again.follower()
    assert serials(again) == [1]
    assert not [event for event in again.events if isinstance(event, Disturbed)]
    again.store.close()


def test_answers_do_not_wait_for_the_history(site: Site):
    """It may be gigabytes: the server says that everything is restored before it reads them."""
    follower = None
    for serial in (1, 2):
        site.registry.push(text(serial=serial))
        follower = follower or site.follower()
        follower.refresh()
    again = restarted(site)
    seen: list[list[int]] = []
    service = Follower(again.source(), again.client, again.tools, again.signatures)
    service.restored.addCallback(lambda _: seen.append(serials(again)))
    service.startService()
    assert seen == [[]]
    assert serials(again) == [1]
    again.store.close()


def test_earlier_images_are_held(site: Site):
    """No collection takes what differences are made of."""
    follower = None
    for serial in (1, 2):
        site.registry.push(text(serial=serial))
        follower = follower or site.follower()
        follower.refresh()
    former = site.serving.deployments[0].fingerprint
    # As if its record were lost: only the hold speaks for it.
    (site.root / "state/sources/one/deployments/00000001.json").unlink()
    site.store.collect()
    assert site.store.images.present(former)


def test_the_same_layers_again_are_no_version_of_their_own(site: Site):
    """A tag that moved forth and back: each image stands once."""
    site.registry.push(text(serial=1))
    follower = site.follower(site.source(allow_rollback=True))
    for serial in (2, 1, 2, 1):
        site.registry.push(text(serial=serial))
        follower.refresh()
    assert serials(site) == [2]


# --- Serials -------------------------------------------------------------------------------------


def test_the_compiler_is_told_what_is_deployed(site: Site):
    """Serials of now, and the time; of the first version nothing is known."""
    site.registry.push(text(serial=1))
    follower = site.follower(site.source(rules=rules("auto")))
    site.registry.push(text(serial=7))
    follower.refresh()
    first, second = site.compiler.specs
    assert (first.base, first.now, first.excuse_expired) == ((), int(WALL), False)
    assert second.base == (BaseZone(VIEW, FILE, 1, json.dumps({"serial": 1})),)
    assert second.expiring_s == limits.EXPIRING_S


def test_signatures_have_to_outlast_three_looks(site: Site):
    """Of a source that is looked at once a day."""
    site.registry.push(text(serial=1))
    site.follower(site.source(interval_s=DAY))
    assert site.compiler.specs[0].expiring_s == 3 * DAY


def test_a_rollback_is_compiled_anew_where_serials_rise(site: Site):
    """Upon what is deployed now; where they are kept its image is reused."""
    cases: list[tuple[SerialRule, int]] = [("auto", 3), ("keep", 2)]
    for rule, count in cases:
        own = Site(site.root / rule)
        own.compiler.facts = facts
        own.registry.push(text(serial=1))
        follower = own.follower(own.source(rules=rules(rule)))
        for serial in (2, 1):
            own.registry.push(text(serial=serial))
            follower.refresh()
        assert len(own.compiler.specs) == count
        own.store.close()


def test_a_restart_reuses_the_image_of_a_raised_serial(site: Site):
    """Its name depends on what was deployed before it: the record remembers."""
    site.registry.push(text(serial=1))
    follower = site.follower(site.source(rules=rules("auto")))
    site.registry.push(text(serial=2))
    follower.refresh()
    again = restarted(site)
    follower = again.follower(again.source(rules=rules("auto")))
    assert again.compiler.specs == []
    assert again.served == text(serial=2)
    follower.refresh()
    assert follower.status.generation == 2
    again.store.close()


def test_a_lost_image_is_compiled_upon_its_own_record(site: Site):
    """So that it gets the serial it had, under the name it had."""
    site.registry.push(text(serial=1))
    follower = site.follower(site.source(rules=rules("auto")))
    site.registry.push(text(serial=2))
    follower.refresh()
    name = site.serving.deployments[-1].fingerprint
    site.store.images.path(name).unlink()
    again = restarted(site)
    again.follower(again.source(rules=rules("auto")))
    (spec,) = again.compiler.specs
    assert [zone.serial for zone in spec.base] == [2]
    assert spec.excuse_expired
    assert again.serving.deployments[-1].fingerprint == name
    again.store.close()


def test_other_rules_keep_the_serial(site: Site):
    """A Corefile that begins to say ``serial auto`` raises nothing by itself."""
    site.registry.push(text(serial=5))
    site.follower()
    again = restarted(site)
    again.follower(again.source(rules=rules("auto")))
    assert [zone.serial for spec in again.compiler.specs for zone in spec.base] == [5]
    third = restarted(again)
    third.follower(third.source(rules=rules("auto")))
    assert third.compiler.specs == []
    third.store.close()


def test_serials_go_on_when_everything_else_is_lost(site: Site):
    """Images and blobs may be gone; the record says which serial secondaries have."""
    site.registry.push(text(serial=5))
    site.follower(site.source(rules=rules("auto")))
    again = restarted(site)
    for path in [*again.store.root.glob("images/*.mdb"), *again.store.root.glob("blobs/sha256/*")]:
        path.unlink()
    again.registry.push(text(serial=6))
    again.follower(again.source(rules=rules("auto")))
    assert [zone.serial for zone in again.compiler.specs[-1].base] == [5]
    again.store.close()


def test_a_change_that_secondaries_miss_is_told(site: Site):
    """And served in any case."""
    site.registry.push(text(serial=5))
    follower = site.follower(site.source(allow_rollback=True))
    site.registry.push(text(serial=5, records=2))
    follower.refresh()
    site.registry.push(text(serial=4))
    follower.refresh()
    assert told(site) == ["serial-not-risen", "serial-backwards"]
    assert site.served == text(serial=4)
    assert [problem.rule for problem in follower.status.problems] == ["serial-backwards"]


# --- Signatures ----------------------------------------------------------------------------------


def refusal(rule: str) -> ZoneError:
    return ZoneError([Problem("x", 1, 0, Severity.ERROR, rule, "no")])


@pytest.mark.parametrize(("rule", "tries"), [("rrsig-not-yet-valid", 2), ("rrsig-expired", 1)])
def test_what_may_be_right_tomorrow_is_looked_at_again(site: Site, rule: str, tries: int):
    """A clock that is behind must not make a digest bad for ever."""
    site.compiler.crash = refusal(rule)
    site.registry.push(text(serial=1))
    follower = site.follower()
    follower.refresh()
    assert len(site.compiler.specs) == tries
    outcomes = [event.result.outcome for event in site.events if isinstance(event, Looked)]
    assert outcomes == [Outcome.REFUSED, Outcome.REFUSED]


def test_an_old_image_is_judged_again(site: Site):
    """A rollback to a version whose signatures ran out is refused like a new one."""
    old, new = text(serial=1, signed_until=int(WALL) + 100), text(serial=2)
    site.registry.push(old)
    follower = site.follower(site.source(allow_rollback=True))
    site.registry.push(new)
    follower.refresh()
    site.registry.push(old)
    follower.refresh()
    assert len(site.compiler.specs) == 2, "good still, and reused"
    site.registry.push(new)
    follower.refresh()
    site.clock.advance(200)
    site.registry.push(old)
    site.compiler.crash = refusal("rrsig-expired")
    follower.refresh()
    assert len(site.compiler.specs) == 3
    assert not site.compiler.specs[-1].excuse_expired
    assert site.served == new


def test_what_ran_out_while_it_was_served_is_served_after_a_restart(site: Site):
    """Last good always."""
    site.registry.push(text(serial=1, signed_until=int(WALL) - 5))
    site.follower()
    again = restarted(site)
    again.follower()
    assert again.compiler.specs == []
    assert again.served == text(serial=1, signed_until=int(WALL) - 5)
    again.store.close()


def test_a_zone_that_lost_its_signatures_is_told(site: Site):
    """Bogus for the world, if the parent has a DS."""
    site.registry.push(text(serial=1, signed_until=int(WALL) + DAY))
    follower = site.follower()
    site.registry.push(text(serial=2))
    follower.refresh()
    assert told(site) == ["signatures-gone"]
