"""The status document: what it says of zones and sources, and what it never says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ocizone import __version__
from ocizone.admin.status import Facts, document
from ocizone.assemble import ZonesOfImage, assemble
from ocizone.errors import Problem, Severity
from ocizone.follow.status import Failure, SourceStatus
from ocizone.observe.conditionbook import ConditionBook
from ocizone.observe.workers import WorkerState
from ocizone.plan import Plan
from ocizone.store.standing import Held, Pin, Suspension
from tests.servedzones import FakeImage, status_of
from tests.test_plan import plan_of

FACTS = Facts(
    "ns1", 1_790_000_000.0, 1_790_000_060.0, "/s", {"dns://:53": 53}, 2, {"NOERROR": 7}, 1
)
ORG = "dns://org.:53"
ARTIFACT = "org {\noci r.test/a:v1 /a {\nusername alice\npassword hunter2\n}\n}"


def made(plan: Plan, images: dict[str, ZonesOfImage], *statuses: SourceStatus) -> dict[str, Any]:
    snapshot = assemble(plan, images, hostname="ns1", generation=5).snapshot
    found = document(FACTS, plan, snapshot, statuses)
    # As a reader gets it.
    back: dict[str, Any] = json.loads(json.dumps(found))
    return back


def served(text: str = ARTIFACT, **more: object) -> dict[str, Any]:
    """Return the document of one source whose image holds org."""
    plan = plan_of(text)
    (source,) = plan.sources
    status = status_of(source, (ORG, "org."), **more)
    return made(plan, {source.key: FakeImage((ORG, "org."), serial=9)}, status)


def test_a_served_zone():
    """Which version, from where, since when."""
    found = served(tag="v1")
    assert found["zones"] == [
        {
            "name": "org.",
            "view": ORG,
            "serial": 9,
            "records": 3,
            "file": "test",
            "source": "r.test/a:v1",
            "reference": "r.test/a:v1",
            "tag": "v1",
            "digest": f"sha256:{'ab' * 32}",
            "since": "2026-09-21T11:26:40Z",
            "signed_until": None,
            "state": "Ready",
            "message": "",
            "conditions": [
                {
                    "type": "Ready",
                    "status": True,
                    "reason": "Served",
                    "message": "",
                    "since": "2026-09-21T14:14:20Z",
                }
            ],
        }
    ]
    assert (found["ready"], found["missing"], found["generation"]) == (True, [], 5)


def test_the_frame():
    """Versioned; times are RFC 3339 in UTC."""
    found = served()
    assert found["schema"] == "ocizone.status/v1"
    assert found["version"] == __version__
    assert (found["node"], found["state_dir"]) == ("ns1", "/s")
    assert (found["started"], found["now"]) == ("2026-09-21T14:13:20Z", "2026-09-21T14:14:20Z")
    assert found["listeners"] == [{"endpoint": "dns://:53", "port": 53}]
    dns = {"rcodes": {"NOERROR": 7}, "panics": 1, "tcp_connections": 2, "dropped": 0}
    assert found["dns"] == dns
    assert found["config"]["path"] == "Corefile"
    assert len(found["config"]["sha256"]) == 64


def test_a_certificate_is_shown_at_its_address():
    """Until when it is good; a plain address has none."""
    facts = replace(
        FACTS,
        listening={"dns://:53": 53, "tls://:853": 853},
        certificates={"tls://:853": FACTS.now + 60},
    )
    plan = plan_of(ARTIFACT)
    snapshot = assemble(plan, {}, hostname="ns1", generation=5).snapshot
    assert document(facts, plan, snapshot, [])["listeners"] == [
        {"endpoint": "dns://:53", "port": 53},
        {"endpoint": "tls://:853", "port": 853, "certificate_until": "2026-09-21T14:15:20Z"},
    ]


def test_a_source_that_fails_makes_its_zones_stale():
    """Served all the same; the reason is visible, findings with file and line."""
    problem = Problem("db.org", 3, 1, Severity.ERROR, "syntax", "not a record", "see RFC 1035 5.1")
    failure = Failure("Network", "connection refused")
    found = served(last_error=failure, problems=(problem,), last_success=None)
    assert found["zones"][0]["state"] == "Stale"
    assert found["zones"][0]["message"] == "Network: connection refused"
    assert [one["type"] for one in found["sources"][0]["conditions"]] == [
        "Ready",
        "FetchFailed",
        "Stale",
    ]
    (source,) = found["sources"]
    assert source["error"] == {"reason": "Network", "message": "connection refused"}
    assert source["problems"] == [
        {
            "where": "db.org:3:1",
            "severity": "error",
            "rule": "syntax",
            "message": "not a record",
            "hint": "see RFC 1035 5.1",
        }
    ]
    assert source["last_success"] is None
    assert found["ready"]


def test_a_zone_without_a_version_is_loading():
    """Named by ``file``, or the block's keys while an artifact is pending."""
    found = made(plan_of("org net {\noci r.test/a /a\nfile /l/x x.org\n}"), {})
    assert [(zone["name"], zone["state"], zone["message"]) for zone in found["zones"]] == [
        ("x.org.", "Loading", "no version of /l/x holds x.org. yet"),
        ("org.", "Loading", "no version of r.test/a:latest yet"),
        ("net.", "Loading", "no version of r.test/a:latest yet"),
    ]
    assert not found["ready"]
    assert len(found["missing"]) == 3


def test_sources_are_told_with_their_kind():
    """A registry's has a PATH, one on disk has none; in plan order."""
    plan = plan_of("org {\noci r.test/a /a\n}\nnet {\nfile /l/db\n}")
    found = made(plan, {}, *(status_of(source) for source in reversed(plan.sources)))
    assert [(one["name"], one["kind"], one["path"]) for one in found["sources"]] == [
        ("/l/db", "local", None),
        ("r.test/a:latest", "oci", "/a"),
    ]


def test_it_never_shows_a_secret():
    """No password, not even its user: the document is for dashboards."""
    text = json.dumps(served())
    assert "hunter2" not in text
    assert "alice" not in text


def test_a_zone_held_by_no_known_source_is_still_shown():
    """During a reload a status may be missing for a moment."""
    plan = plan_of(ARTIFACT)
    found = made(plan, {plan.sources[0].key: FakeImage((ORG, "org."))})
    assert found["sources"] == []
    (zone,) = found["zones"]
    assert (zone["state"], zone["digest"], zone["since"]) == ("Ready", "", None)


DAY = 86_400
GONE = "Network: gone; last success 2026-09-21T14:13:20Z"


@pytest.mark.parametrize(
    ("left", "failure", "state", "message"),
    [
        (2 * DAY, None, "Ready", ""),
        (2 * DAY, Failure("Network", "gone"), "Stale", GONE),
        (DAY - 1, None, "Expiring", "signatures until {}: push the zone signed again"),
        (-1, None, "Expired", "signatures until {}: push the zone signed again"),
        (
            0,
            Failure("Network", "gone"),
            "Expiring",
            "signatures until {}: push the zone signed again; " + GONE,
        ),
    ],
)
def test_signatures_that_run_out(left: int, failure: Failure | None, state: str, message: str):
    """Told a day before; the zone goes on being served (invariant 2)."""
    plan = plan_of(ARTIFACT)
    (source,) = plan.sources
    until = int(FACTS.now) + left
    image = FakeImage((ORG, "org."), signed_until=until)
    status = status_of(source, (ORG, "org."), last_error=failure)
    (zone,) = made(plan, {source.key: image}, status)["zones"]
    assert zone["signed_until"] == datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (zone["state"], zone["message"]) == (state, message.format(zone["signed_until"]))


OTHER = f"sha256:{'6b' * 32}"
GUARDED = Problem("org.", 0, 0, Severity.ERROR, "guard", "41 % of records deleted")
REFUSED = Failure("ContentRefused", "db.org:3:1: error[syntax]: not a record")


@pytest.mark.parametrize(
    ("more", "state", "message"),
    [
        (
            {"held": Held(OTHER, "ChangeGuard", 5, "c", (GUARDED,))},
            "Held",
            "ChangeGuard: 41 % of records deleted (release: ocizone approve 6b6b6b6b6b6b)",
        ),
        (
            {"verify": "require", "last_error": Failure("WaitingForSignature", "none yet")},
            "Held",
            "WaitingForSignature: none yet",
        ),
        (
            {"last_error": Failure("TypeRefused", "no zone types")},
            "Held",
            "TypeRefused: no zone types",
        ),
        ({"verify": "warn"}, "Ready", ""),
        ({"suspension": Suspension(5, None, "move")}, "Suspended", "Suspended: until resume: move"),
        (
            {"pin": Pin(OTHER, "pin", 5, "bad push")},
            "Pinned",
            "Pinned: sha256:6b6b6b6b6b6b: bad push",
        ),
        # Worst first, and all of it.
        (
            {"pin": Pin(OTHER, "pin", 5), "last_error": Failure("Network", "gone")},
            "Stale",
            f"{GONE}; Pinned: sha256:6b6b6b6b6b6b",
        ),
        (
            {
                "last_error": REFUSED,
                "problems": (Problem("test", 3, 1, Severity.ERROR, "syntax", "not a record"),),
            },
            "Invalid",
            "ZoneInvalid: test:3:1: not a record",
        ),
        # The file of another zone of the artifact: this one is not the newest.
        (
            {
                "last_error": REFUSED,
                "problems": (Problem("db.net", 3, 1, Severity.ERROR, "syntax", "not a record"),),
            },
            "Stale",
            "ZoneInvalid: db.net:3:1: not a record",
        ),
    ],
)
def test_the_word_of_a_zone_that_is_served(more: dict[str, Any], state: str, message: str):
    """Why the newest version is not served, with what to do about it."""
    (zone,) = served(**more)["zones"]
    assert (zone["state"], zone["message"]) == (state, message)


def test_what_an_operator_decided_is_shown():
    """Loudly: pin, suspension, what is held, and who signed."""
    (source,) = served(
        tag="v1",
        found=OTHER,
        verify="require",
        verified_by="key ops.pub",
        octets=1234,
        pin=Pin(OTHER, "rollback", 1_790_000_000, "bad push", (OTHER,)),
        suspension=Suspension(1_790_000_000, 1_790_000_600, "move"),
        held=Held(OTHER, "RollbackDetected", 1_790_000_000, "c", (GUARDED,)),
    )["sources"]
    assert (source["tag"], source["found"], source["octets"]) == ("v1", OTHER, 1234)
    assert (source["verify"], source["verified_by"]) == ("require", "key ops.pub")
    since = "2026-09-21T14:13:20Z"
    assert source["pin"] == {
        "digest": OTHER,
        "kind": "rollback",
        "since": since,
        "reason": "bad push",
    }
    assert source["suspension"] == {
        "since": since,
        "until": "2026-09-21T14:23:20Z",
        "reason": "move",
    }
    assert source["held"] == {
        "digest": OTHER,
        "condition": "RollbackDetected",
        "since": since,
        "problems": [
            {
                "where": "org.",
                "severity": "error",
                "rule": "guard",
                "message": "41 % of records deleted",
                "hint": "",
            }
        ],
    }
    pinned = next(one for one in source["conditions"] if one["type"] == "Pinned")
    assert pinned == {
        "type": "Pinned",
        "status": True,
        "reason": "Rollback",
        "message": "sha256:6b6b6b6b6b6b: bad push",
        "since": since,
    }


def test_nothing_decided_is_null():
    """A reader need not guess whether a key is there."""
    (source,) = served()["sources"]
    assert (source["pin"], source["suspension"], source["held"]) == (None, None, None)


def test_since_goes_on_from_one_document_to_the_next():
    """With the server's book of conditions."""
    plan = plan_of(ARTIFACT)
    (source,) = plan.sources
    snapshot = assemble(
        plan, {source.key: FakeImage((ORG, "org."))}, hostname="ns1", generation=5
    ).snapshot
    book = ConditionBook()
    status = status_of(source, (ORG, "org."))
    first = document(FACTS, plan, snapshot, [status], book)
    later = document(replace(FACTS, now=FACTS.now + 60), plan, snapshot, [status], book)
    assert later["sources"][0]["conditions"] == first["sources"][0]["conditions"]
    assert later["zones"][0]["conditions"][0]["since"] == "2026-09-21T14:14:20Z"


def test_the_store_is_told_when_it_was_counted():
    """Octets and generations, for whoever watches the disk."""
    plan = plan_of(ARTIFACT)
    snapshot = assemble(plan, {}, hostname="ns1", generation=5).snapshot
    facts = replace(FACTS, store={"octets": 5, "generations": 2})
    assert document(facts, plan, snapshot, [])["store"] == {"octets": 5, "generations": 2}
    assert "store" not in document(FACTS, plan, snapshot, [])


def test_a_missing_zone_is_told_with_what_became_of_its_source():
    """The same line as ``/ready``: which zone, of which artifact, why."""
    plan = plan_of("org {\noci r.test/a /a\n}")
    (source,) = plan.sources
    failure = Failure("NotFound", "r.test/a: no such tag\nmore")
    found = made(plan, {}, status_of(source, digest="", zones=(), last_error=failure))
    line = "no version of r.test/a:latest yet (NotFound: r.test/a: no such tag)"
    assert found["missing"] == [f"org.: {line}"]
    assert [(zone["name"], zone["message"]) for zone in found["zones"]] == [("org.", line)]


def test_workers_are_told_of_where_there_are_any():
    """Which version each serves; one that ends again and again makes the server unready."""
    plan = plan_of(ARTIFACT)
    (source,) = plan.sources
    snapshot = assemble(
        plan, {source.key: FakeImage((ORG, "org."))}, hostname="ns1", generation=5
    ).snapshot
    workers = (
        WorkerState(1, 4711, 5, up=True),
        WorkerState(2, None, 0, up=False, restarts=3, failures=3),
    )
    status = status_of(source, (ORG, "org."))
    found = document(replace(FACTS, workers=workers), plan, snapshot, [status])
    assert found["workers"] == [
        {"worker": 1, "pid": 4711, "up": True, "generation": 5, "restarts": 0},
        {"worker": 2, "pid": None, "up": False, "generation": 0, "restarts": 3},
    ]
    assert not found["ready"]
    assert found["missing"] == ["worker 2: does not answer, it ended 3 times in a row"]
    assert "workers" not in document(FACTS, plan, snapshot, [status])
