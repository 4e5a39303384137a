"""Conditions: what is told of a source and a zone, and since when."""

from __future__ import annotations

from typing import Any

import pytest

from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.errors import FetchReason, Problem, Severity
from ocizone.follow.status import Failure, SourceStatus
from ocizone.observe import conditionbook
from ocizone.observe.conditionbook import ConditionBook
from ocizone.observe.conditions import (
    SOURCE_TYPES,
    Condition,
    conditions_of,
    conditions_of_zone,
)
from ocizone.store.standing import Held, Pin, Suspension
from tests.servedzones import status_of, zone_with
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot

NOW = 1_790_000_060.0
SOURCE = plan_of("org {\noci r.test/a:v1 /a\n}").sources[0]
SERVED = f"sha256:{'ab' * 32}"
OTHER = f"sha256:{'6b' * 32}"
BAD = Problem("db.org", 14, 9, Severity.ERROR, "cname-and-other-data", "www has CNAME and A")
ODD = Problem("db.org", 2, 1, Severity.WARNING, "odd", "is odd")
HELD = Held(
    OTHER,
    "ChangeGuard",
    1_789_999_000,
    "c",
    (Problem("org.", 0, 0, Severity.ERROR, "guard", "41 % of records deleted"),),
)


def status(**more: Any) -> SourceStatus:
    return status_of(SOURCE, ("dns://org.:53", "org."), **more)


def told(found: SourceStatus) -> dict[str, tuple[bool, str, str]]:
    return {
        str(one.type): (one.status, one.reason, one.message) for one in conditions_of(found, NOW)
    }


def test_a_source_that_is_well_is_ready_and_nothing_else():
    """Bad news is told only while it is true."""
    assert told(status()) == {"Ready": (True, "Served", "serves sha256:abababababab")}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"digest": ""}, {"Ready": (False, "NoVersion", "no version yet")}),
        (
            {"digest": "", "last_error": Failure("NotFound", "r.test/a:v1: no such tag\nmore")},
            {
                "Ready": (
                    False,
                    "NoVersion",
                    "no version yet (NotFound: r.test/a:v1: no such tag)",
                ),
                "FetchFailed": (True, "NotFound", "r.test/a:v1: no such tag"),
            },
        ),
        (
            {"last_error": Failure("Network", "refused"), "last_success": 1_790_000_000.0},
            {
                "Ready": (True, "LastGood", "serves sha256:abababababab"),
                "FetchFailed": (True, "Network", "refused"),
                "Stale": (True, "Network", "refused; last success 2026-09-21T14:13:20Z"),
            },
        ),
        (
            {"last_error": Failure("CompilerFailed", "killed"), "last_success": None},
            {
                "Ready": (True, "LastGood", "serves sha256:abababababab"),
                "Stale": (True, "CompilerFailed", "killed"),
            },
        ),
        (
            {"last_error": Failure("StorageOperationFailed", "cannot write: No space left")},
            {
                "Ready": (True, "LastGood", "serves sha256:abababababab"),
                "StorageOperationFailed": (
                    True,
                    "StorageOperationFailed",
                    "cannot write: No space left",
                ),
                "Stale": (
                    True,
                    "StorageOperationFailed",
                    "cannot write: No space left; last success 2026-09-21T14:13:20Z",
                ),
            },
        ),
        (
            {"materialised": False},
            {
                "Ready": (True, "Served", "serves sha256:abababababab"),
                "StorageOperationFailed": (
                    True,
                    "NotMaterialised",
                    "files under PATH are not up to date",
                ),
            },
        ),
        (
            {
                "last_error": Failure("ContentRefused", str(BAD)),
                "problems": (ODD, BAD, BAD),
                "found": OTHER,
            },
            {
                "Ready": (True, "LastGood", "serves sha256:abababababab"),
                "Stalled": (True, "ContentRefused", str(BAD)),
                "ArtifactOutdated": (
                    True,
                    "ContentRefused",
                    "r.test/a:v1 names sha256:6b6b6b6b6b6b, served is sha256:abababababab",
                ),
                "ZoneInvalid": (
                    True,
                    "ContentRefused",
                    "db.org:14:9: www has CNAME and A (and 1 more)",
                ),
            },
        ),
        (
            {"state": "deploying", "found": OTHER, "attempts": 2},
            {
                "Ready": (True, "Served", "serves sha256:abababababab"),
                "Reconciling": (True, "Deploying", "attempt 2"),
                "ArtifactOutdated": (
                    True,
                    "NewRevision",
                    "r.test/a:v1 names sha256:6b6b6b6b6b6b, served is sha256:abababababab",
                ),
            },
        ),
        (
            {"held": HELD},
            {
                "Ready": (True, "Served", "serves sha256:abababababab"),
                "Stalled": (True, "ChangeGuard", "release: ocizone approve 6b6b6b6b6b6b"),
                "ChangeGuard": (
                    True,
                    "Held",
                    "41 % of records deleted (release: ocizone approve 6b6b6b6b6b6b)",
                ),
            },
        ),
        (
            {"held": Held(OTHER, "RollbackDetected", 1, "c", ()), "state": "looking"},
            {
                "Ready": (True, "Served", "serves sha256:abababababab"),
                "Reconciling": (True, "Looking", "attempt 1"),
                "RollbackDetected": (True, "Held", "release: ocizone approve 6b6b6b6b6b6b"),
            },
        ),
        (
            {"pin": Pin(SERVED, "rollback", 5, "bad push"), "found": OTHER},
            {
                "Ready": (True, "Served", "serves sha256:abababababab"),
                "ArtifactOutdated": (
                    True,
                    "Pinned",
                    "r.test/a:v1 names sha256:6b6b6b6b6b6b, served is sha256:abababababab",
                ),
                "Pinned": (True, "Rollback", "sha256:abababababab: bad push"),
            },
        ),
    ],
)
def test_what_is_told(more: dict[str, Any], expected: dict[str, tuple[bool, str, str]]):
    """A last good version is ready, and the reason why it is not the newest stands beside it."""
    assert told(status(**more)) == expected


def test_one_word_for_a_disk_that_fails_twice():
    """What the last look could not write is told before PATH."""
    found = status(
        materialised=False, last_error=Failure("StorageOperationFailed", "cannot write /s")
    )
    words = [one for one in conditions_of(found, NOW) if one.type == "StorageOperationFailed"]
    assert [one.message for one in words] == ["cannot write /s"]


def test_a_refusal_without_findings_is_told_by_its_message():
    """An artifact refused before: only its digest is known."""
    found = told(status(last_error=Failure("ContentRefused", "sha256:bb was refused before")))
    assert found["ZoneInvalid"] == (True, "ContentRefused", "sha256:bb was refused before")


@pytest.mark.parametrize("reason", list(FetchReason))
def test_every_reason_of_a_registry_is_fetch_failed(reason: FetchReason):
    """Auth, Network, Timeout ...: the condition's reason is the failure's."""
    found = told(status(last_error=Failure(str(reason), "x")))
    assert found["FetchFailed"] == (True, str(reason), "x")
    assert "Stale" in found
    assert "Stalled" not in found


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"verify": "require", "verified_by": "key ops.pub"}, (True, "Signed", "key ops.pub")),
        (
            {"verify": "warn"},
            (False, "Unsigned", "sha256:abababababab has no signature that counts"),
        ),
        ({"verify": "require", "digest": ""}, (False, "NoVersion", "no version yet")),
        (
            {
                "verify": "require",
                "verified_by": "key ops.pub",
                "last_error": Failure("WaitingForSignature", "none yet"),
            },
            (False, "WaitingForSignature", "none yet"),
        ),
    ],
)
def test_source_verified(more: dict[str, Any], expected: tuple[bool, str, str] | None):
    """Told, true or not, where a signature is asked for; of what the tag names now."""
    assert told(status(**more)).get("SourceVerified") == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"suspension": Suspension(1)}, (True, "Operator", "until resume")),
        (
            {"suspension": Suspension(1, int(NOW) + 60, "move")},
            (True, "Operator", "until 2026-09-21T14:15:20Z: move"),
        ),
        ({"suspension": Suspension(1, int(NOW))}, None),
        ({"state": "suspended"}, (True, "Corefile", "no looks until it is reloaded")),
    ],
)
def test_suspended(more: dict[str, Any], expected: tuple[bool, str, str] | None):
    """By an operator, until then; or by the Corefile."""
    assert told(status(**more)).get("Suspended") == expected


def test_a_refused_signature_is_final_and_a_missing_one_is_not():
    """Waiting for a signature ends by itself: who signs does so after the push."""
    stalled = told(status(last_error=Failure("SignatureRefused", "x"), verify="require"))
    waiting = told(status(last_error=Failure("WaitingForSignature", "x"), verify="require"))
    assert ("Stalled" in stalled, "Stalled" in waiting) == (True, False)
    assert not {"Stale", "FetchFailed"} & {*stalled, *waiting}


def zone_told(
    signed_until: int, file: str, found: SourceStatus | None
) -> list[tuple[str, str, str]]:
    conditions = conditions_of_zone(signed_until, file, found, NOW)
    return [(str(one.type), one.reason, one.message) for one in conditions]


READY = ("Ready", "Served", "")
UNTIL = "2026-09-21T14:14:20Z"


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, []),
        (86_400, []),
        (86_399, ["Expiring"]),
        (0, ["Expiring"]),
        (-1, ["Expired"]),
    ],
)
def test_signatures_that_run_out(left: int | None, expected: list[str]):
    """A day before, and after: validators refuse the zone then."""
    found = zone_told(0 if left is None else int(NOW) + left, "db.org", None)
    assert [kind for kind, _, _ in found] == ["Ready", *expected]


def test_a_zone_is_invalid_where_a_finding_names_its_file():
    """With file:line; its neighbours in the artifact are not."""
    refused = status(last_error=Failure("ContentRefused", "x"), problems=(ODD, BAD))
    invalid = ("ZoneInvalid", "ContentRefused", "db.org:14:9: www has CNAME and A")
    assert zone_told(0, "db.org", refused) == [READY, invalid]
    assert zone_told(0, "/zones/db.org", refused) == [READY, invalid]
    assert zone_told(0, "db.net", refused) == [READY]
    assert zone_told(0, "adb.org", refused) == [READY]
    warned = status(problems=(ODD, BAD))
    assert zone_told(0, "db.org", warned) == [READY]


# --- Since when ------------------------------------------------------------------------------


def since(book: ConditionBook, now: float, *found: SourceStatus) -> dict[str, float | None]:
    conditions = book.sources(found, now).get(SOURCE.key, ())
    return {str(one.type): one.since for one in conditions}


def test_since_is_when_the_status_changed():
    """Another reason or message is no transition; going and coming back is one."""
    book = ConditionBook()
    assert since(book, 10, status(digest="")) == {"Ready": 10}
    away = Failure("Network", "gone")
    assert since(book, 20, status(digest="", last_error=away)) == {"Ready": 10, "FetchFailed": 20}
    other = Failure("Timeout", "late")
    assert since(book, 30, status(last_error=other)) == {
        "Ready": 30,
        "FetchFailed": 20,
        "Stale": 30,
    }
    assert since(book, 40, status()) == {"Ready": 30}
    assert since(book, 50, status(last_error=away)) == {
        "Ready": 30,
        "FetchFailed": 50,
        "Stale": 50,
    }


def test_a_subject_that_is_gone_is_forgotten():
    """A source that comes back begins anew, and nothing grows."""
    book = ConditionBook()
    since(book, 10, status())
    assert since(book, 20) == {}
    assert since(book, 30, status()) == {"Ready": 30}


def test_zones_are_remembered_while_sources_are_looked_at():
    """Events of following say nothing of zones."""
    book = ConditionBook()
    here = snapshot(block("org.", {"org.": Loaded(zone_with("org."))}))
    book.observe(here, [status()], 10)
    book.sources([status()], 20)
    ((ready,),) = book.observe(here, [status()], 30).zones.values()
    assert ready.since == 10


def test_what_is_known_to_have_begun_says_so():
    """A pin, a hold and a suspension survive a restart, and so does their beginning."""
    book = ConditionBook()
    suspended = status(
        held=HELD, pin=Pin(SERVED, "pin", 7), suspension=Suspension(9), state="suspended"
    )
    found = book.observe(Snapshot(0, {}), [suspended], NOW).sources[SOURCE.key]
    assert {str(each.type): each.since for each in found} == {
        "Ready": NOW,
        "Stalled": 1_789_999_000,
        "ChangeGuard": 1_789_999_000,
        "Suspended": 9,
        "Pinned": 7,
    }


def test_observed_zones_are_those_that_are_served():
    """By view and apex; one that is not ready has no conditions yet."""
    here = snapshot(
        block(
            "org.",
            {
                "org.": Loaded(zone_with("org.", signed_until=int(NOW) + 5)),
                "x.org.": NotReady("no version yet"),
            },
        )
    )
    found = ConditionBook().observe(here, [status()], NOW).zones
    assert {subject: [str(each.type) for each in given] for subject, given in found.items()} == {
        ("dns://org.:53", "org."): ["Ready", "Expiring"]
    }


def test_types_of_sources_are_those_of_b6():
    """The words operators and alerts know."""
    words = (
        "Ready Reconciling Stalled FetchFailed SourceVerified ArtifactOutdated "
        "StorageOperationFailed ZoneInvalid ChangeGuard RollbackDetected Suspended Pinned Stale"
    )
    assert [str(kind) for kind in SOURCE_TYPES] == words.split()


def test_what_is_noted_while_another_thread_looks_is_kept(monkeypatch: pytest.MonkeyPatch):
    """The thread's look is of a status that was true before: it must not undo the event's."""
    book = ConditionBook()
    book.sources([status()], 10)
    suspended = status(suspension=Suspension(9), state="suspended")
    real = conditions_of

    def meanwhile(one: SourceStatus, now: float) -> tuple[Condition, ...]:
        monkeypatch.setattr(conditionbook, "conditions_of", real)
        book.note(status(materialised=False), 20)
        return real(one, now)

    monkeypatch.setattr(conditionbook, "conditions_of", meanwhile)
    book.sources([suspended], 15)
    found = since(book, 30, status(materialised=False))
    assert found["StorageOperationFailed"] == 20
    assert found["Ready"] == 10
