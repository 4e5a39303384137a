"""What is deployed: activation is one swap, and a reload keeps what it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.deployed import Deployed
from ocizone.errors import Problem, StoreError
from ocizone.live import LiveZones
from ocizone.plan import Plan
from ocizone.wire.name import from_text
from tests.servedzones import FakeImage, deployment_of
from tests.test_plan import plan_of

ORG = "dns://org.:53"
TWO = "org {\noci r.test/a /a\noci r.test/b /b\n}"


class Site:
    """A Deployed over images named by path."""

    def __init__(self, text: str = TWO) -> None:
        self.live = LiveZones(Snapshot(0, {}))
        self.images: dict[str, FakeImage] = {}
        self.problems: list[Problem] = []
        self.swaps: list[Snapshot] = []
        self.plan = plan_of(text)
        self.deployed = Deployed(
            self.live,
            self.plan,
            open_image=self._open,
            hostname="ns1",
            on_problems=self.problems.extend,
            wall=lambda: 1_790_000_000.5,
            on_swap=lambda: self.swaps.append(self.live.snapshot),
        )

    def _open(self, path: Path) -> FakeImage:
        if str(path) not in self.images:
            raise StoreError(f"{path} cannot be mapped")
        return self.images[str(path)]

    def key(self, number: int = 0, plan: Plan | None = None) -> str:
        return (plan or self.plan).sources[number].key

    def activate(self, key: str, *held: tuple[str, str], serial: int = 1) -> None:
        self.images[f"{key}{serial}"] = FakeImage(*held, serial=serial)
        self.deployed.activate(deployment_of(key, *held), Path(f"{key}{serial}"))

    def serials(self) -> list[int]:
        """Return the generation of each snapshot that was told of."""
        return [snapshot.generation for snapshot in self.swaps]

    def served(self, zone: str = "org") -> dict[str, int | None]:
        """Return the serial of each zone of the block; None for one not ready."""
        block = self.live.snapshot.listeners["dns://:53"][from_text(zone)]
        found: dict[str, int | None] = {}
        for apex, one in block.zones.items():
            match one:
                case Loaded(reader):
                    found[apex[1:-1].decode()] = reader.info.serial
                case NotReady():
                    found[apex[1:-1].decode()] = None
        return found


def test_an_activation_is_one_swap():
    """A reader of the cell sees the old snapshot or the new one; the number rises."""
    site = Site()
    before = site.live.snapshot
    assert before.generation == 1
    site.activate(site.key(), (ORG, "org."))
    assert site.served() == {"org": 1}
    site.activate(site.key(), (ORG, "org."), serial=2)
    assert site.served() == {"org": 2}
    assert site.live.snapshot.generation == 3
    assert before.listeners["dns://:53"][from_text("org")].zones == {}
    assert set(site.deployed.images) == {site.key()}


def test_an_image_that_cannot_be_opened_changes_nothing():
    """What was served before still is, in the same snapshot."""
    site = Site()
    site.activate(site.key(), (ORG, "org."))
    before = site.live.snapshot
    with pytest.raises(StoreError):
        site.deployed.activate(deployment_of(site.key(), (ORG, "org.")), Path("nosuch"))
    assert site.live.snapshot is before


def test_a_second_claim_is_refused_before_it_is_activated():
    """Two artifacts cannot serve one zone; its own earlier version does not speak against one."""
    site = Site()
    site.activate(site.key(), (ORG, "org."))
    (problem,) = site.deployed.check(deployment_of(site.key(1), (ORG, "org.")))
    assert problem.rule == "origin-claimed-twice"
    assert site.deployed.check(deployment_of(site.key(0), (ORG, "org."))) == ()
    assert site.deployed.check(deployment_of(site.key(1), (ORG, "x.org."))) == ()
    assert site.problems == []


def test_a_reload_keeps_the_images_of_sources_that_stay():
    """No zone goes away because the Corefile was read again; sources left out do."""
    site = Site()
    site.activate(site.key(0), (ORG, "org."))
    site.activate(site.key(1), (ORG, "x.org."))
    plan = plan_of("org {\noci r.test/a:v2 /a\nany\n}")
    site.deployed.move_to(plan)
    assert site.deployed.plan is plan
    assert site.served() == {"org": 1}
    assert set(site.deployed.images) == {site.key()}


def test_a_follower_stopped_by_a_reload_serves_nothing_any_more():
    """Its deployment was under way when its source left the plan."""
    site = Site()
    late = site.key(1)
    site.deployed.move_to(plan_of("org {\noci r.test/a /a\n}"))
    before = site.live.snapshot
    site.activate(late, (ORG, "x.org."))
    assert site.live.snapshot is before
    assert site.deployed.images == {}


def test_what_has_to_be_left_out_is_told():
    """A Corefile changed under deployed artifacts may leave one zone with two sources."""
    site = Site("org {\noci r.test/a /a\n}\nnet {\nfile /a/db.net\n}")
    site.activate(site.key(), (ORG, "org."))
    # Nobody asks `check` here: the order of activations decides nothing, the Corefile does.
    site.deployed.move_to(plan_of(TWO))
    site.activate(site.key(1, site.deployed.plan), (ORG, "org."), serial=9)
    assert site.served() == {"org": 1}
    assert [problem.rule for problem in site.problems] == ["origin-claimed-twice"]


def test_every_swap_is_told_of_once_it_is_live():
    """What has to follow a swap (NOTIFY) sees the new snapshot."""
    site = Site()
    site.activate(site.key(), (ORG, "org."))
    assert site.serials() == [1, 2]
    site.deployed.move_to(site.plan)
    assert site.serials() == [1, 2, 3]
    assert site.swaps[-1] is site.live.snapshot


def test_a_catalog_goes_on_from_swap_to_swap():
    """Its serial is the time of its last change; a push of other content is none."""
    site = Site("org {\noci r.test/a /a\ncatalog c.invalid\n}")
    name = from_text("c.invalid")

    def catalog() -> Loaded:
        found = site.live.snapshot.listeners["dns://:53"][name].zones[name]
        assert isinstance(found, Loaded)
        return found

    site.activate(site.key(), (ORG, "org."))
    first = catalog()
    assert first.reader.info.serial == 1_790_000_000
    site.activate(site.key(), (ORG, "org."), serial=2)
    assert catalog() is first
    site.activate(site.key(), (ORG, "org."), (ORG, "x.org."), serial=3)
    assert catalog().reader.info.serial == 1_790_000_001
    assert catalog().earlier == (first.reader,)


def test_every_reader_that_is_served_has_a_place():
    """Workers open the same images: also those differences start from."""
    site = Site("org {\noci r.test/a /a\ntransfer {\nto *\n}\n}")
    key = site.key()
    site.images["/old"] = FakeImage((ORG, "org."), serial=1, content="a")
    site.images["/new"] = FakeImage((ORG, "org."), serial=2, content="b")
    deployment = deployment_of(key, (ORG, "org."))
    site.deployed.activate(deployment, Path("/new"), (Path("/old"),))
    zone = site.live.snapshot.listeners["dns://:53"][from_text("org")].zones[from_text("org")]
    assert isinstance(zone, Loaded)
    places = site.deployed.places
    assert [places[id(one)] for one in (zone.reader, *zone.earlier)] == [
        ("/new", ORG, from_text("org")),
        ("/old", ORG, from_text("org")),
    ]
