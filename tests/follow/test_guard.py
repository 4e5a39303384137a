"""Which changes are held, and which are only told: figures, rules, hints."""

from __future__ import annotations

import pytest

from ocizone.compiler.spec import ZoneChange
from ocizone.errors import Problem, Severity
from ocizone.follow.guard import objections, warnings
from ocizone.limits import OBJECTIONS
from ocizone.plugins.artifact import Guard

DIGEST = "sha256:6b1f0d2c9ae4" + "0" * 52
APEX = "example.net."
EVERYTHING = Guard(deletes=0.3, ns=True, zones=True)


def deletes(removed: int, before: int, *, added: int = 0) -> ZoneChange:
    return ZoneChange("v", APEX, "changed", added=added, removed=removed, before=before)


GONE = ZoneChange("v", APEX, "removed", removed=1_234, before=1_234)
NS = ZoneChange("v", APEX, "changed", before=3, ns=True)
NEW = ZoneChange("v", APEX, "added", added=1_000)


def rules(found: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in found]


@pytest.mark.parametrize(
    ("change", "fraction", "held"),
    [
        (deletes(41, 100), 0.3, True),
        (deletes(30, 100), 0.3, False),
        (deletes(31, 100), 0.3, True),
        # More than: exactly so many are not, whatever floating point makes of 0.29 * 100.
        (deletes(29, 100), 0.29, False),
        (deletes(300_001, 1_000_000), 0.3, True),
        # Below ten records any change is a large one.
        (deletes(9, 9), 0.3, False),
        (deletes(10, 10), 0.3, True),
        # What was replaced was removed; what was added makes up for nothing.
        (deletes(41, 100, added=1_000), 0.3, True),
        (deletes(10, 1_000), 0.0, True),
        (deletes(1_000, 1_000), 1.0, False),
        # A zone that is gone is for ``zones``; a new one has lost nothing.
        (GONE, 0.3, False),
        (NEW, 0.0, False),
    ],
)
def test_deletes(change: ZoneChange, fraction: float, held: bool) -> None:
    """More than a fraction of a zone's records, and at least ten of them."""
    found = rules(objections((change,), Guard(deletes=fraction), DIGEST))
    assert found == (["guard-deletes"] if held else [])


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        (Guard(deletes=0.3), ["guard-deletes"]),
        (Guard(ns=True), ["guard-ns"]),
        (Guard(zones=True), ["guard-zones"]),
        (Guard(), []),
        (None, []),
        (EVERYTHING, ["guard-deletes", "guard-ns", "guard-zones"]),
    ],
)
def test_each_rule_is_asked_for(guard: Guard | None, expected: list[str]) -> None:
    """One that is not in the block holds nothing."""
    changes = (deletes(50, 100), NS, GONE, NEW)
    assert sorted(rules(objections(changes, guard, DIGEST))) == expected


def test_what_an_objection_says() -> None:
    """The figures, and the command that lets it pass."""
    hint = "if it is meant: `ocizone approve 6b1f0d2c9ae4`"
    changes = (deletes(1_234, 3_010), GONE, NS)
    assert set(objections(changes, EVERYTHING, DIGEST)) == {
        Problem(
            APEX,
            0,
            0,
            Severity.ERROR,
            "guard-deletes",
            "example.net. 41 % deletes > 30 % (1,234 of 3,010 records)",
            hint,
        ),
        Problem(
            APEX,
            0,
            0,
            Severity.ERROR,
            "guard-zones",
            "example.net. is gone, with 1,234 records",
            hint,
        ),
        Problem(
            APEX,
            0,
            0,
            Severity.ERROR,
            "guard-ns",
            "example.net. has another apex NS RRset, other addresses of its servers, or another "
            "SOA MNAME",
            hint,
        ),
    }


def test_warnings_need_no_guard() -> None:
    """The same three, at 30 %, told and not held."""
    found = warnings((deletes(31, 100), NS, GONE, NEW, deletes(30, 100)))
    assert sorted(rules(found)) == ["guard-deletes", "guard-ns", "guard-zones"]
    assert {problem.severity for problem in found} == {Severity.WARNING}
    assert not any("approve" in problem.hint for problem in found)


def test_a_zone_of_several_views_is_told_once() -> None:
    """The same file in two blocks is one objection."""
    twice = tuple(ZoneChange(view, APEX, "changed", before=3, ns=True) for view in ("a", "b"))
    assert len(objections(twice, EVERYTHING, DIGEST)) == 1


def test_many_zones() -> None:
    """They are bounded, and the rest is counted."""
    gone = tuple(
        ZoneChange("v", f"z{number:02}.", "removed", removed=1, before=1) for number in range(50)
    )
    found = objections(gone, EVERYTHING, DIGEST)
    assert len(found) == OBJECTIONS + 1
    assert found[-1].message == f"{50 - OBJECTIONS} more errors are not listed"


@pytest.mark.parametrize("guard", [Guard(deletes=1.0), Guard(ns=True), Guard(zones=True)])
def test_what_nobody_knows_is_held(guard: Guard) -> None:
    """The served image cannot be read: no rule can tell that it has nothing against the next."""
    (found,) = objections((), guard, DIGEST, compared=False)
    assert (found.rule, found.severity) == ("guard-unknown", Severity.ERROR)
    assert "cannot be read" in found.message
    assert "ocizone approve 6b1f0d2c9ae4" in found.hint
    (told,) = warnings((), compared=False)
    assert (told.rule, told.severity) == ("guard-unknown", Severity.WARNING)


@pytest.mark.parametrize("guard", [None, Guard()])
def test_without_a_rule_nothing_is_held(guard: Guard | None) -> None:
    assert objections((), guard, DIGEST, compared=False) == ()
