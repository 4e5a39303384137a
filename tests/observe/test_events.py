"""Events of following as log lines and counters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem, Severity
from ocizone.follow.status import (
    Activated,
    AttemptFailed,
    Crashed,
    Disturbed,
    Event,
    Failure,
    Looked,
    LookResult,
    Outcome,
)
from ocizone.observe.events import FollowJournal
from ocizone.observe.log import line_of

NETWORK = Failure("Network", "connection refused")
FINDING = Problem("db.org", 3, 0, Severity.ERROR, "syntax", "not a record", "see RFC 1035 5.1")
ODD = Problem("db.org", 4, 0, Severity.WARNING, "odd", "is odd")
DIGEST = "sha256:ab"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Return the lines logged, without their times."""
    written: list[str] = []

    @implementer(ILogObserver)
    class Observer:
        def __call__(self, event: LogEvent) -> None:
            if event["log_namespace"] == "ocizone":
                written.extend(line[21:] for line in line_of(event))

    observer = Observer()
    globalLogPublisher.addObserver(observer)
    yield written
    globalLogPublisher.removeObserver(observer)


def looked(outcome: Outcome, failure: Failure | None = None, *problems: Problem) -> Looked:
    return Looked("r.test/a", LookResult(outcome, DIGEST, failure, problems), 0.5)


ZONES = tuple(CompiledZone("v", f"{number}.org.", number, 2, "db") for number in range(10))
CASES: list[tuple[Event, list[str]]] = [
    (
        AttemptFailed("r.test/a", 1, NETWORK, 30.0),
        [
            ('WARN  pull failed, will retry source=r.test/a attempt=1 reason=Network '
            'error="connection refused" retry_in=30s')
        ],
    ),
    (looked(Outcome.UNCHANGED), ["DEBUG unchanged source=r.test/a digest=sha256:ab"]),
    (looked(Outcome.ACTIVATED), []),
    (looked(Outcome.CANCELLED), []),
    (
        looked(Outcome.REFUSED, Failure("ContentRefused", "x"), FINDING),
        [
            'ERROR artifact refused source=r.test/a digest=sha256:ab reason=ContentRefused error=x served="no version yet"',
            'ERROR finding source=r.test/a where=db.org:3 rule=syntax what="not a record" hint="see RFC 1035 5.1"',
        ],
    ),
    (
        looked(Outcome.FAILED, NETWORK),
        [
            ("ERROR pull failed until the next interval source=r.test/a reason=Network "
            'error="connection refused"')
        ],
    ),
    (looked(Outcome.FAILED), ["ERROR pull failed until the next interval source=r.test/a"]),
    (
        Activated("r.test/a", DIGEST, 2, ZONES, False, (ODD,)),
        [
            "INFO  artifact activated source=r.test/a digest=sha256:ab generation=2 zones=10 "
            "records=20 serials=" + ",".join(f"{number}.org.={number}" for number in range(8)),
            'WARN  finding source=r.test/a where=db.org:4 rule=odd what="is odd"',
        ],
    ),
    (
        Activated("r.test/a", DIGEST, 3, (), False, (), {"zones_kept": 9, "zones_read": 1}),
        [
            ("INFO  artifact activated source=r.test/a digest=sha256:ab generation=3 zones=0 "
            "records=0 zones_kept=9 zones_read=1")
        ],
    ),
    (
        Activated("r.test/a", DIGEST, 2, (), True, ()),
        [
            ("INFO  artifact restored source=r.test/a digest=sha256:ab generation=2 zones=0 "
            "records=0")
        ],
    ),
    (
        Disturbed("r.test/a", "materialise", Failure("StorageOperationFailed", "full")),
        ["WARN  materialise failed source=r.test/a reason=StorageOperationFailed error=full"],
    ),
    (
        Disturbed("r.test/a", "materialise", None, (ODD,)),
        [
            "WARN  materialise failed source=r.test/a",
            'WARN  finding source=r.test/a where=db.org:4 rule=odd what="is odd"',
        ],
    ),
    (
        Crashed("r.test/a", "Traceback\n  ValueError"),
        [
            "ERROR bug while following source=r.test/a",
            "ERROR traceback line=Traceback",
            'ERROR traceback line="  ValueError"',
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "expected"), CASES)
def test_an_event_is_these_lines(lines, event, expected):
    """Reason, file and line are there; nothing is said twice."""
    FollowJournal()(event)
    assert lines == expected


def test_looks_are_counted_by_outcome(lines):
    """Attempts within a look are not: a look is what an interval brings."""
    journal = FollowJournal()
    for event in (
        looked(Outcome.UNCHANGED),
        looked(Outcome.UNCHANGED),
        looked(Outcome.FAILED, NETWORK),
        AttemptFailed("r.test/a", 1, NETWORK, 30.0),
        Crashed("r.test/a", ""),
    ):
        journal(event)
    assert journal.pulls == {
        ("r.test/a", "unchanged"): 2,
        ("r.test/a", "failed"): 1,
        ("r.test/a", "crashed"): 1,
    }


def test_a_hostile_registry_writes_no_line_of_its_own(lines):
    """Its error text is one field of one line."""
    failure = Failure("Protocol", "oops\n2026-01-01T00:00:00Z INFO  all is well\x1b[2J")
    FollowJournal()(looked(Outcome.FAILED, failure))
    (line,) = lines
    assert line.isprintable()
    assert line.startswith("ERROR pull failed")


def test_what_is_refused_at_every_look_is_told_once(lines):
    """A push that waits to be mended must not fill the log; a mended one is news again."""
    journal = FollowJournal()
    problem = Problem("db.org", 3, 0, Severity.ERROR, "syntax", "not a record", "")
    failure = Failure("ContentRefused", "x")
    refused = Looked("r.test/a", LookResult(Outcome.REFUSED, "sha256:ab", failure, (problem,)), 0.1)
    journal(Activated("r.test/a", "sha256:aa", 1, (), False, ()))
    lines.clear()
    for _ in range(3):
        journal(refused)
    assert len([line for line in lines if not line.startswith("DEBUG")]) == 2
    assert 'served="the version before stays"' in lines[0]
    assert journal.pulls["r.test/a", "refused"] == 3
    journal(Looked("r.test/a", LookResult(Outcome.UNCHANGED, "sha256:aa"), 0.1))
    lines.clear()
    journal(refused)
    assert len([line for line in lines if not line.startswith("DEBUG")]) == 2
