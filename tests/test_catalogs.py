"""A block's catalog: what is in it, when there is one, and whose name it may not have."""

from __future__ import annotations

import pytest

from ocizone.answer.blocks import Block, Loaded, NotReady, ServedZone, Snapshot
from ocizone.assemble import assemble, conflicts
from ocizone.errors import ConfigError
from ocizone.limits import IXFR_VERSIONS
from ocizone.plan import Plan
from ocizone.wire.name import from_text
from ocizone.zone.catalog import CatalogZone
from tests.servedzones import FakeImage
from tests.test_plan import plan_of

ORG = "dns://org.:53"
NAME = from_text("c.invalid")
BOTH = "org {\noci r.test/a /a\nfile /z/db f.org\ncatalog c.invalid {\ngroup blue\n}\n}"


def block_of(
    plan: Plan, *held: str, before: Snapshot | None = None, now: int = 100
) -> tuple[Block, Snapshot]:
    """Return the block and the snapshot when the artifact holds these zones; none: no version."""
    images = {}
    if held:
        key = next(source.key for source in plan.sources if "r.test" in source.name)
        images[key] = FakeImage(*((ORG, origin) for origin in held))
    made = assemble(plan, images, hostname="", generation=1, before=before, now=now)
    return made.snapshot.listeners["dns://:53"][NAME], made.snapshot


def members(served: ServedZone) -> set[bytes]:
    assert isinstance(served, Loaded)
    assert isinstance(served.reader, CatalogZone)
    assert served.catalog
    return set(served.reader.labels)


def test_it_lists_every_zone_of_the_block():
    """Also a named one without a version: secondaries would drop what is left out."""
    block, _ = block_of(plan_of(BOTH), "org.", "x.org.")
    assert members(block.zones[NAME]) == {from_text(zone) for zone in ("org", "x.org", "f.org")}


def test_there_is_none_before_the_set_of_zones_is_known():
    """SERVFAIL: half a list would make secondaries drop the other half (RFC 9432 5.4)."""
    block, _ = block_of(plan_of(BOTH))
    assert block.zones[NAME] == NotReady("no version of r.test/a:latest yet")


def test_it_is_found_by_its_name_on_each_address():
    """Though no key of the block has it."""
    plan = plan_of("org {\nbind 127.0.0.1 ::1\nwhoami\ncatalog c.invalid\n}")
    listeners = assemble(plan, {}, hostname="", generation=1).snapshot.listeners
    assert [set(blocks) for blocks in listeners.values()] == [{from_text("org"), NAME}] * 2
    assert all(block.keys == (from_text("org"),) for block in listeners["dns://[::1]:53"].values())


def test_it_goes_on_from_the_one_before():
    """The same set is the same version; older ones are kept for IXFR, so many."""
    plan = plan_of(BOTH)
    block, snapshot = block_of(plan, "org.")
    first = block.zones[NAME]
    block, snapshot = block_of(plan, "org.", before=snapshot, now=200)
    assert block.zones[NAME] is first
    serials = []
    for number in range(IXFR_VERSIONS + 2):
        block, snapshot = block_of(plan, f"{number}.org.", before=snapshot, now=200)
        served = block.zones[NAME]
        assert isinstance(served, Loaded)
        serials = [zone.info.serial for zone in (served.reader, *served.earlier)]
    assert serials == list(range(200 + IXFR_VERSIONS + 1, 200, -1))


def test_a_source_that_is_new_does_not_take_it_away():
    """After a reload the old list is served until the new source has told its zones."""
    _, snapshot = block_of(plan_of(BOTH), "org.")
    plan = plan_of(BOTH.replace("r.test/a", "r.test/b"))
    block, snapshot = block_of(plan, before=snapshot)
    assert block.pending
    assert members(block.zones[NAME]) == {from_text("org"), from_text("f.org")}


def test_no_zone_has_its_name():
    """An artifact that brings one is refused; it is not served if it is there already."""
    plan = plan_of(". {\noci r.test/a /a\ncatalog c.invalid\n}")
    key = plan.sources[0].key
    image = FakeImage(("dns://.:53", "c.invalid."), ("dns://.:53", "org."))
    (problem,) = conflicts(plan, {}, key, [("dns://.:53", "c.invalid."), ("dns://.:53", "org.")])
    assert "c.invalid. is the block's catalog and a zone of r.test/a:latest too" in str(problem)
    made = assemble(plan, {key: image}, hostname="", generation=1)
    assert made.problems == (problem,)
    block = made.snapshot.listeners["dns://:53"][from_text(".")]
    assert members(block.zones[NAME]) == {from_text("org")}


@pytest.mark.parametrize("other", ["c.invalid {\nwhoami\n}", "net {\nwhoami\ncatalog c.invalid\n}"])
def test_no_other_block_has_its_name(other):
    """On the same address: neither as a key nor as a catalog."""
    text = "org {\nwhoami\ncatalog c.invalid\n}\n"
    with pytest.raises(ConfigError, match=r"catalog c\.invalid\. is served on .* already"):
        plan_of(text + other)
    assert plan_of(text + other.replace(" {", ":54 {", 1))
