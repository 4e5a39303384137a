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
from ocizone.plan import Plan
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
    found = served()
    assert found["zones"] == [
        {
            "name": "org.",
            "view": ORG,
            "serial": 9,
            "records": 3,
            "file": "test",
            "source": "r.test/a:v1",
            "reference": "r.test/a:v1",
            "digest": f"sha256:{'ab' * 32}",
            "since": "2026-09-21T11:26:40Z",
            "signed_until": None,
            "state": "Ready",
            "message": "",
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
    assert found["dns"] == {"rcodes": {"NOERROR": 7}, "panics": 1, "tcp_connections": 2}
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


@pytest.mark.parametrize(
    ("left", "failure", "state", "message"),
    [
        (2 * DAY, None, "Ready", ""),
        (2 * DAY, Failure("Network", "gone"), "Stale", "Network: gone"),
        (DAY - 1, None, "Expiring", "signatures until {}: push the zone signed again"),
        (-1, None, "Expired", "signatures until {}: push the zone signed again"),
        (
            0,
            Failure("Network", "gone"),
            "Expiring",
            "signatures until {}: push the zone signed again; Network: gone",
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
