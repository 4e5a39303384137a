"""From images to the snapshot: what is served, what is not ready, what is left out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ocizone import __version__
from ocizone.answer.blocks import Block, Loaded, NotReady, Snapshot
from ocizone.assemble import ZonesOfImage, assemble, conflicts
from ocizone.plan import Plan
from ocizone.wire.name import from_text
from ocizone.zone.reader import ZoneReader
from tests.servedzones import FakeImage, source_named
from tests.test_plan import plan_of

ORG, NET = "dns://org.:53", "dns://net.:53"


def made(plan: Plan, images: Mapping[str, ZonesOfImage]) -> Snapshot:
    assembly = assemble(plan, images, hostname="ns1", generation=7)
    assert assembly.problems == ()
    return assembly.snapshot


def block_of(plan: Plan, images: Mapping[str, ZonesOfImage], zone: str = "org") -> Block:
    return made(plan, images).listeners["dns://:53"][from_text(zone)]


def shown(block: Block) -> dict[str, str]:
    """Return each zone as ``Loaded`` or the reason it is not."""
    return {
        ".".join(apex.decode("latin-1").split()): _state(zone) for apex, zone in block.zones.items()
    }


def _state(zone: object) -> str:
    return zone.reason if isinstance(zone, NotReady) else type(zone).__name__


BARE = "org {\noci r.test/a /a\n}"


def test_a_loaded_zone_is_served():
    """The reader of the image, under the block's listener and key."""
    plan = plan_of(BARE)
    image = FakeImage((ORG, "org."), (ORG, "sub.org."))
    block = block_of(plan, {source_named(plan, "r.test/a:latest").key: image})
    assert block.name == ORG
    assert block.keys == (from_text("org"),)
    assert block.pending is None
    assert {
        apex: zone.reader for apex, zone in block.zones.items() if isinstance(zone, Loaded)
    } == {apex: reader for (_, apex), reader in image.zones().items()}
    assert made(plan, {}).generation == 7


def test_before_its_first_version_a_block_is_pending():
    """Which zones an artifact holds is not known yet: SERVFAIL, not REFUSED (row 12)."""
    block = block_of(plan_of(BARE), {})
    assert block.zones == {}
    assert block.pending == "no version of r.test/a:latest yet"


def test_pending_names_every_source_once():
    """Two directories of one artifact wait for one thing."""
    plan = plan_of(
        "org {\noci r.test/a /a\nauto {\ndirectory /a/x\n}\nauto {\ndirectory /a/y\n}\n"
        "auto {\ndirectory /d\n}\n}"
    )
    assert block_of(plan, {}).pending == "no version of r.test/a:latest, /d yet"
    known = {source_named(plan, "/d").key: FakeImage()}
    assert block_of(plan, known).pending == "no version of r.test/a:latest yet"


def test_a_named_zone_is_not_ready_before_its_version():
    """``file`` says which zones there are: each is SERVFAIL, the block is not pending."""
    plan = plan_of("org {\nfile /z/db.x a.org b.org\n}")
    block = block_of(plan, {})
    reason = "no version of /z/db.x holds {} yet"
    assert block.pending is None
    assert block.zones == {
        from_text("a.org"): NotReady(reason.format("a.org.")),
        from_text("b.org"): NotReady(reason.format("b.org.")),
    }
    image = FakeImage((ORG, "a.org."))
    partly = block_of(plan, {plan.sources[0].key: image})
    assert isinstance(partly.zones[from_text("a.org")], Loaded)
    assert isinstance(partly.zones[from_text("b.org")], NotReady)


def test_each_view_takes_its_own_zones():
    """One image may hold one origin for two views, in two versions."""
    plan = plan_of("org {\noci r.test/a /a\n}\nnet {\nfile /a/db.net\n}")
    image = FakeImage((ORG, "org."), (NET, "net."), ("gone", "x."))
    images = {plan.sources[0].key: image}
    assert set(block_of(plan, images).zones) == {from_text("org")}
    assert set(block_of(plan, images, "net").zones) == {from_text("net")}


@pytest.mark.parametrize(
    ("text", "held", "served"),
    [
        ("org {\nfile /z/db a.org\n}", ["a.org.", "b.org."], ["a.org."]),
        ("org {\nfile /z/db a.org\n}", ["x.a.org.", "a.org."], ["a.org."]),
        ("org {\nauto a.org {\ndirectory /z\n}\n}", ["a.org.", "x.a.org.", "org."], ["a.org.", "x.a.org."]),
        (BARE, ["org.", "x.org.", "com."], ["org.", "x.org."]),
    ],
)  # fmt: skip
def test_what_the_corefile_no_longer_asks_for_is_not_served(text, held, served):
    """After a reload the image of before is served for what both configurations name."""
    plan = plan_of(text)
    image = FakeImage(*((ORG, origin) for origin in held))
    zones = block_of(plan, {plan.sources[0].key: image}).zones
    assert set(zones) == {from_text(origin) for origin in served}


TWO = "org {\noci r.test/a /a\noci r.test/b /b\n}"


def test_two_sources_of_one_origin_the_first_one_keeps_it():
    """Only a Corefile changed under deployed artifacts gets here; the finding names both."""
    plan = plan_of(TWO)
    first, second = FakeImage((ORG, "org.")), FakeImage((ORG, "org."), (ORG, "x.org."))
    images = {plan.sources[1].key: second, plan.sources[0].key: first}
    assembly = assemble(plan, images, hostname="", generation=1)
    zones = assembly.snapshot.listeners["dns://:53"][from_text("org")].zones
    assert zones[from_text("org")] == Loaded(first.zones()[ORG, from_text("org")])
    assert zones[from_text("x.org")] == Loaded(second.zones()[ORG, from_text("x.org")])
    (problem,) = assembly.problems
    assert str(problem).startswith(
        "Corefile:1: error[origin-claimed-twice]: org. is served from r.test/a:latest"
        " and claimed by r.test/b:latest too"
    )


def test_conflicts_name_both_sources():
    """Asked before an activation: what another source serves in the same view."""
    plan = plan_of(TWO)
    a, b = (source.key for source in plan.sources)
    images = {a: FakeImage((ORG, "org.")), "left": FakeImage((ORG, "x.org."))}
    (problem,) = conflicts(plan, images, b, [(ORG, "org."), (ORG, "x.org."), (NET, "org.")])
    assert problem.message == (
        "org. is served from r.test/a:latest and claimed by r.test/b:latest too"
    )
    assert problem.hint
    assert conflicts(plan, images, a, [(ORG, "org.")]) == []
    # A follower that was stopped a moment ago is in no plan: still an answer, not a KeyError.
    assert "claimed by gone too" in conflicts(plan, images, "gone", [(ORG, "org.")])[0].message


def test_a_block_is_found_at_each_of_its_addresses():
    """Routing is by listener, then by zone."""
    plan = plan_of("org net:54 {\nbind 127.0.0.1 ::1\nwhoami\n}")
    listeners = made(plan, {}).listeners
    assert {name: sorted(blocks) for name, blocks in listeners.items()} == {
        "dns://127.0.0.1:53": [from_text("org")],
        "dns://[::1]:53": [from_text("org")],
        "dns://127.0.0.1:54": [from_text("net")],
        "dns://[::1]:54": [from_text("net")],
    }
    assert len({id(block) for blocks in listeners.values() for block in blocks.values()}) == 1


def test_directives_become_policy():
    """One field a directive; defaults of ``nsid`` and ``chaos`` are this server's."""
    plain = block_of(plan_of("org {\nwhoami\n}"), {}).policy
    assert (plain.nsid, plain.chaos, plain.any_hinfo, plain.whoami) == (None, None, False, True)
    policy = block_of(
        plan_of("org {\nany\nnsid\nchaos\nminimal\nbufsize 1200\nloadbalance\nacl {\nblock\n}\n}"),
        {},
    ).policy
    assert policy.nsid == b"ns1"
    assert policy.chaos is not None
    assert policy.chaos.version == f"ocizone-{__version__}"
    assert policy.any_hinfo
    assert policy.minimal
    assert policy.bufsize is not None
    assert policy.loadbalance is not None
    assert len(policy.acl) == 1
    named = block_of(plan_of("org {\nnsid here\nchaos v9 me\n}"), {}).policy
    assert named.nsid == b"here"
    assert named.chaos is not None
    assert (named.chaos.version, named.chaos.authors) == ("v9", ("me",))


def test_a_snapshot_cannot_be_changed():
    """A query sees one snapshot from its first octet to its last."""
    snapshot = made(plan_of(BARE), {})
    with pytest.raises(TypeError):
        snapshot.listeners["dns://:53"] = {}  # type: ignore[index]  # that it cannot is the point
    reader: ZoneReader | None = None
    with pytest.raises(TypeError):
        block_of(plan_of(BARE), {}).zones[b""] = reader  # type: ignore[index]  # as above


def test_zones_stay_while_a_changed_key_line_is_compiled():
    """The image names the block as it was called before; its zones are served under the new name."""
    plan = plan_of("org, net {\noci r.test/a /a\n}")
    image = FakeImage((ORG, "org."), (ORG, "elsewhere."))
    block = block_of(plan, {source_named(plan, "r.test/a:latest").key: image})
    assert block.name != ORG
    assert shown(block).keys() == {"\x03org\x00"}
    # Compiled anew, only what is named after the block counts.
    both = FakeImage((ORG, "org."), (block.name, "net."))
    block = block_of(plan, {source_named(plan, "r.test/a:latest").key: both})
    assert shown(block).keys() == {"\x03net\x00"}
