"""Pages that take long to make: in a thread, once for many, and never older than a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from ocizone.admin.pages import Page
from ocizone.admin.shared import SharedPage, Taken, at_once, text_of
from ocizone.admin.status import Facts
from ocizone.admin.statuspage import Moment, StatusPage
from ocizone.answer.blocks import Loaded
from ocizone.limits import PAGE_KEPT_OCTETS, PAGE_KEPT_S
from ocizone.observe.conditionbook import ConditionBook
from tests.servedzones import status_of, zone_of
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot


class Maker:
    """A page whose making ends when the test says so."""

    def __init__(self, octets: int = PAGE_KEPT_OCTETS) -> None:
        self.clock = Clock()
        self.octets = octets
        self.tag: object = "a"
        self.taken = 0
        self.under_way: list[tuple[Deferred[Any], Callable[[], Any]]] = []
        self.page = SharedPage(self._take, self._in_thread, self.clock.seconds)
        self.given: list[bytes] = []

    def _take(self) -> Taken:
        self.taken += 1
        name = b"%d " % self.taken
        return Taken(lambda: Page(200, "", name.ljust(self.octets)), self.tag)

    def _in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()
        self.under_way.append((result, work))
        return result

    def ask(self) -> None:
        self.page().addCallback(lambda page: self.given.append(page.body.split()[0]))

    def make(self) -> None:
        result, work = self.under_way.pop(0)
        result.callback(work())


def test_who_asks_while_it_is_made_gets_the_same():
    """A flood of requests is one making."""
    maker = Maker()
    for _ in range(100):
        maker.ask()
    assert len(maker.under_way) == 1
    maker.make()
    assert maker.given == [b"1"] * 100


def test_a_large_page_is_given_for_a_second():
    """Counted from when what it tells of was taken."""
    maker = Maker()
    maker.ask()
    maker.make()
    maker.clock.advance(PAGE_KEPT_S - 0.01)
    maker.ask()
    assert (maker.given, maker.under_way) == ([b"1", b"1"], [])
    maker.clock.advance(0.01)
    maker.ask()
    maker.make()
    assert maker.given[-1] == b"3"


def test_a_small_page_is_made_anew():
    """It costs nothing, and a count that stands still would be a riddle."""
    maker = Maker(PAGE_KEPT_OCTETS - 1)
    for _ in range(2):
        maker.ask()
        maker.make()
    assert maker.given == [b"1", b"2"]


def test_what_changed_is_told_at_once():
    """Another tag is another page; who asked before gets what was so then."""
    maker = Maker()
    maker.ask()
    maker.tag = "b"
    maker.ask()
    maker.make()
    maker.make()
    assert maker.given == [b"1", b"2"]
    maker.ask()
    assert maker.given == [b"1", b"2", b"2"]


def test_a_bug_is_told_to_all_and_not_kept():
    """The next one tries again."""
    maker = Maker()
    failed: list[Any] = []
    for _ in range(2):
        maker.page().addErrback(lambda failure: failed.append(failure.type))
    maker.under_way.pop(0)[0].errback(ZeroDivisionError())
    assert failed == [ZeroDivisionError] * 2
    maker.ask()
    maker.make()
    assert maker.given == [b"3"]


def test_without_a_thread():
    """Where nobody gives one it is made here and now; a bug is a failure there, too."""
    found: list[Any] = []
    at_once(lambda: 1 // 1).addCallback(found.append)
    at_once(lambda: 1 // 0).addErrback(lambda failure: found.append(failure.type))
    assert found == [1, ZeroDivisionError]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _VALUES))
def test_json_in_pieces_is_the_same_json(document: dict[str, Any]):
    """Octet for octet."""
    assert text_of(document) == json.dumps(document).encode()


PLAN = plan_of("org {\noci r.test/a:v1 /a\n}")


@pytest.mark.parametrize("change", ["nothing", "snapshot", "status"])
def test_the_status_page(change: str):
    """It is the document; what was decided meanwhile is in it at once."""
    clock, book = Clock(), ConditionBook()
    here = snapshot(block("org.", {"org": Loaded(zone_of("org."))}))
    now = [Moment(_facts(), PLAN, here, (status_of(PLAN.sources[0]),))]
    page = StatusPage(lambda: now[0], book, at_once, clock.seconds)
    found: list[Page] = []
    page().addCallback(found.append)
    if change == "snapshot":
        other = snapshot(block("org.", {"org": Loaded(zone_of("org.", 9))}))
        now[0] = Moment(_facts(), PLAN, other, now[0].statuses)
    elif change == "status":
        now[0] = Moment(_facts(), PLAN, here, (status_of(PLAN.sources[0], state="suspended"),))
    page().addCallback(found.append)
    first, second = (json.loads(one.body) for one in found)
    assert first["schema"] == "ocizone.status/v1"
    assert first["dns"]["dropped"] == 4
    assert second["zones"][0]["serial"] == (9 if change == "snapshot" else 1)
    assert second["sources"][0]["state"] == ("suspended" if change == "status" else "idle")


def _facts() -> Facts:
    return Facts("n", 1.0, 2.0, "/state", {}, 0, {}, 0, dropped=4)
