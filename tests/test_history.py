"""Earlier versions of zones: which of them a difference to the current one may start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocizone import limits
from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.assemble import history
from ocizone.deployed import Deployed
from ocizone.errors import StoreError
from ocizone.live import LiveZones
from ocizone.plan import Plan
from ocizone.wire.name import from_text
from tests.servedzones import FakeImage, deployment_of, zone_with
from tests.test_plan import plan_of

ORG = "dns://org.:53"
PLAIN = "org {\noci r.test/a /a\n}"
TRANSFERRED = "org {\noci r.test/a /a\ntransfer {\nto *\n}\n}"
LAST = 2**32 - 1


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([(9, "a")], []),
        ([(9, "a"), (8, "b"), (7, "c")], [8, 7]),
        ([(1, "a"), (LAST, "b"), (LAST - 1, "c")], [LAST, LAST - 1]),
        # The same version under other rules.
        ([(9, "a"), (9, "a"), (8, "b"), (8, "b")], [8]),
        # A serial of two contents says nothing of what a secondary holds.
        ([(9, "a"), (8, "b"), (8, "c"), (7, "d")], [7]),
        ([(9, "a"), (9, "b"), (8, "c")], [8]),
        # A secondary with a newer serial never asks for this one.
        ([(5, "a"), (8, "b"), (4, "c")], [4]),
        ([(2**31 + 5, "a"), (5, "b")], []),
        # An image of an old program: its content is not known.
        ([(9, "a"), (8, ""), (7, "c")], [7]),
        ([(99, "a"), *((age, str(age)) for age in range(98, 80, -1))], [98, 97, 96, 95, 94]),
    ],
)
def test_which_versions_a_difference_may_start_from(versions, expected):
    """RFC 1995 2, RFC 1982 3.2: each serial means one content, and is below the newest."""
    readers = [zone_with("org.", serial, content=content) for serial, content in versions]
    found = history(readers)
    assert [reader.info.serial for reader in found] == expected
    assert all(reader in readers for reader in found)
    assert limits.IXFR_VERSIONS == 5


class Site:
    """A Deployed over images named by number."""

    def __init__(self, text: str = TRANSFERRED) -> None:
        self.live = LiveZones(Snapshot(0, {}))
        self.opened: list[str] = []
        self.damaged: set[str] = set()
        self.plan = plan_of(text)
        self.deployed = Deployed(
            self.live,
            self.plan,
            open_image=self._open,
            hostname="ns1",
            on_problems=lambda _: None,
            wall=lambda: 0.0,
            on_swap=lambda: None,
        )

    def _open(self, path: Path) -> FakeImage:
        self.opened.append(str(path))
        if str(path) in self.damaged:
            raise StoreError(f"{path} cannot be mapped")
        return FakeImage((ORG, "org."), serial=int(str(path)), content=str(path))

    def activate(self, number: int, *earlier: int) -> None:
        deployment = deployment_of(self.plan.sources[0].key, (ORG, "org."))
        paths = tuple(Path(str(one)) for one in earlier)
        self.deployed.activate(deployment, Path(str(number)), paths)

    @property
    def served(self) -> list[int]:
        """Serials of what is served and of what was, newest first."""
        block = self.live.snapshot.listeners["dns://:53"][from_text("org")]
        zone = block.zones[from_text("org")]
        assert isinstance(zone, Loaded)
        return [reader.info.serial for reader in (zone.reader, *zone.earlier)]


def test_earlier_versions_stand_behind_the_current_one():
    """Newest first, of the same view and apex."""
    site = Site()
    site.activate(3, 2, 1)
    assert site.served == [3, 2, 1]


def test_an_image_is_opened_once_and_let_go():
    """A swap opens what is new, and nothing of what stays."""
    site = Site()
    site.activate(2, 1)
    site.activate(3, 2, 1)
    assert site.opened == ["2", "1", "3", "2"]
    site.activate(4, 3)
    assert site.served == [4, 3]


def test_one_that_cannot_be_opened_is_passed_over():
    """The others are right without it, and a whole transfer always is."""
    site = Site()
    site.damaged = {"2"}
    site.activate(3, 2, 1)
    assert site.served == [3, 1]


def test_without_transfers_nothing_earlier_is_open():
    """Each open image takes a descriptor; a block that begins to transfer gets its history."""
    site = Site(PLAIN)
    site.activate(3, 2, 1)
    assert site.served == [3]
    assert site.opened == ["3"]
    site.deployed.move_to(plan_of(TRANSFERRED))
    assert site.served == [3, 2, 1]
    site.deployed.move_to(plan_of(PLAIN))
    assert site.served == [3]


def test_a_source_that_is_gone_leaves_nothing():
    """Its images are closed when nobody reads them any more."""
    site = Site()
    site.activate(2, 1)
    other: Plan = plan_of("net {\noci r.test/b /b\ntransfer {\nto *\n}\n}")
    site.deployed.move_to(other)
    site.deployed.move_to(site.plan)
    site.opened.clear()
    site.activate(3)
    assert site.served == [3]
    assert site.opened == ["3"]
