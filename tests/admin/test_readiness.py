"""Alive, ready, and the latch between them (corefile.md 2.10, 2.11)."""

from __future__ import annotations

from typing import Any

import pytest

from ocizone.admin.readiness import Readiness, Reasons, health, missing
from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.assemble import assemble
from ocizone.follow.status import Failure
from ocizone.observe.workers import WorkerState
from ocizone.store.standing import Held, Suspension
from tests.servedzones import status_of, zone_of
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot

READY = Loaded(zone_of("org."))
WAITING = NotReady("no version of a yet")
ORG, NET = "dns://org:53", "dns://net:53"


def test_health_is_ok_whatever_is_served():
    """Who can say so is alive; 200 and the body OK."""
    page = health()
    assert (page.status, page.body) == (200, b"OK")


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], []),
        ([block("org", {"org": READY})], []),
        ([block("org", {"org": WAITING})], ["org.: no version of a yet"]),
        ([block("org", {}, pending="no version of r yet")], ["org.: no version of r yet"]),
        (
            [block("org", {"org": READY, "x.org": WAITING}), block("net", {"net": WAITING})],
            ["net.: no version of a yet", "x.org.: no version of a yet"],
        ),
    ],
)
def test_every_configured_zone_must_be_served(blocks, expected):
    """CoreDNS says ready with every zone SERVFAIL; the lines say what is missing."""
    assert missing(snapshot(*blocks)) == expected


class Site:
    """A readiness over a snapshot that tests change."""

    def __init__(self, *views: str, latch: bool) -> None:
        self.snapshot = Snapshot(0, {})
        self.stopping = False
        self.ready = Readiness(
            lambda: self.snapshot, lambda: self.stopping, views or [ORG], latch=latch
        )

    def say(self, *served: tuple[str, Loaded | NotReady]) -> tuple[int, bytes]:
        self.snapshot = snapshot(*(block(name, {name: zone}) for name, zone in served))
        page = self.ready.page()
        return page.status, page.body


@pytest.mark.parametrize("latch", [True, False])
def test_ready_says_ok_or_what_is_missing(latch):
    """503 until the first version is served."""
    site = Site(latch=latch)
    assert site.say(("org", WAITING)) == (503, b"org.: no version of a yet")
    assert site.say(("org", READY)) == (200, b"OK")


def test_until_ready_is_not_asked_again():
    """``monitor until-ready``, the default: ready once is ready."""
    site = Site(latch=True)
    site.say(("org", READY))
    assert site.say(("org", WAITING)) == (200, b"OK")


def test_continuously_is():
    """``monitor continuously``."""
    site = Site(latch=False)
    site.say(("org", READY))
    assert site.say(("org", WAITING))[0] == 503


@pytest.mark.parametrize("latch", [True, False])
def test_shutting_down_is_not_ready(latch):
    """A load balancer must look elsewhere; goes before the latch."""
    site = Site(latch=latch)
    site.say(("org", READY))
    site.stopping = True
    assert site.say(("org", READY)) == (503, b"Shutting down")


def test_only_the_blocks_with_the_directive_count():
    """``ready`` of one block says nothing of another."""
    assert Site(ORG, latch=False).say(("org", READY), ("net", WAITING)) == (200, b"OK")
    assert Site(ORG, NET, latch=False).say(("org", READY), ("net", WAITING))[0] == 503


NEVER: dict[str, Any] = {"digest": "", "generation": 0, "last_check": None}
HELD = Held(f"sha256:{'6b' * 32}", "ChangeGuard", 5, "c", ())


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (NEVER, " (not looked at yet)"),
        ({"digest": ""}, ""),
        ({**NEVER, "state": "looking"}, " (looking, attempt 1)"),
        ({**NEVER, "state": "waiting", "attempts": 2}, " (waiting, attempt 2)"),
        (
            {**NEVER, "last_error": Failure("Auth", "r.test: 401 for alice\nmore")},
            " (Auth: r.test: 401 for alice)",
        ),
        ({**NEVER, "held": HELD}, " (ChangeGuard: waits for ocizone approve)"),
        ({**NEVER, "suspension": Suspension(5)}, " (Suspended: no looks until resume)"),
        ({**NEVER, "state": "suspended"}, " (Suspended: no looks until resume)"),
        # Its version is not served here for another reason.
        ({}, ""),
    ],
)
def test_what_is_missing_is_told_with_why(more: dict[str, Any], why: str):
    """Which zone of which artifact, and what became of the last look at it."""
    plan = plan_of("org {\noci r.test/a:v1 /a\n}\nnet {\nfile /l/db net\n}")
    artifact, local = sorted(plan.sources, key=lambda one: one.name, reverse=True)
    served = assemble(plan, {}, hostname="h", generation=1).snapshot
    for status, lines in (
        (
            status_of(artifact, **more),
            [
                "net.: no version of /l/db holds net. yet",
                f"org.: no version of r.test/a:v1 yet{why}",
            ],
        ),
        (
            status_of(local, **more),
            [
                f"net.: no version of /l/db holds net. yet{why}",
                "org.: no version of r.test/a:v1 yet",
            ],
        ),
    ):
        assert missing(served, reasons=Reasons(plan, [status])) == lines


def test_ready_tells_why():
    """The reasons are asked for only when something is missing."""
    plan = plan_of("org {\noci r.test/a:v1 /a\n}")
    statuses = [status_of(plan.sources[0], **NEVER)]
    served = [assemble(plan, {}, hostname="h", generation=1).snapshot]
    asked = []

    def reasons() -> Reasons:
        asked.append(1)
        return Reasons(plan, statuses)

    views = [view.name for view in plan.views]
    page = Readiness(lambda: served[0], lambda: False, views, latch=False, reasons=reasons).page
    assert page().body == b"org.: no version of r.test/a:v1 yet (not looked at yet)"
    served[0] = snapshot(block("org.", {"org.": READY}))
    assert (page().status, len(asked)) == (200, 1)


def test_workers_that_end_again_and_again_are_told_of():
    """One that was replaced just now is no news: its queries wait for the next one."""
    workers = [
        WorkerState(1, 4711, 3, up=True, restarts=9, failures=9),
        WorkerState(2, None, 0, up=False, restarts=1, failures=1),
    ]
    served = snapshot(block("org", {"org": READY}))
    ready = Readiness(lambda: served, lambda: False, [ORG], latch=False, workers=lambda: workers)
    assert ready.page().status == 200
    workers[1] = WorkerState(2, None, 0, up=False, restarts=2, failures=2)
    page = ready.page()
    assert (page.status, page.body) == (
        503,
        b"worker 2: does not answer, it ended 2 times in a row",
    )
