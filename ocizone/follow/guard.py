"""Which changes wait for an operator (``guard``), and which are only told. Pure.

What changed was counted by the compiler (compiler.changes). Not here: what becomes of a version
that is held (follow.gatekeeper), and versions that are older (follow.watermark).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ocizone.compiler.spec import ZoneChange
from ocizone.errors import Problem, Severity
from ocizone.findings import Findings
from ocizone.limits import GUARD_RECORDS, OBJECTIONS, TOLD_DELETES
from ocizone.plugins.artifact import Guard
from ocizone.registry.manifest import short_digest

#: What a user without a guard wants to be told of.
_TOLD: Final = Guard(deletes=TOLD_DELETES, ns=True, zones=True)


def objections(
    changes: tuple[ZoneChange, ...], guard: Guard | None, digest: str, *, compared: bool = True
) -> tuple[Problem, ...]:
    """Return what the guard holds a version for; nothing without one.

    Args:
        changes: against what is served.
        guard: which of them to hold.
        digest: of the manifest, for the hint.
        compared: False when what is served cannot be read: any rule holds what nobody knows.
    """
    if guard is None or guard == Guard():
        return ()
    hint = f"if it is meant: `ocizone approve {short_digest(digest)}`"
    if not compared:
        return (_unknown(Severity.ERROR, hint),)
    return _told(changes, guard, Severity.ERROR, hint)


def warnings(changes: tuple[ZoneChange, ...], *, compared: bool = True) -> tuple[Problem, ...]:
    """Return what is worth telling of a version that goes live."""
    hint = "`guard` would hold such a change"
    if not compared:
        return (_unknown(Severity.WARNING, hint),)
    return _told(changes, _TOLD, Severity.WARNING, hint)


def _unknown(severity: Severity, hint: str) -> Problem:
    message = "what it changes is not known: the image that is served cannot be read"
    return Problem("", 0, 0, severity, "guard-unknown", message, hint)


def _told(
    changes: tuple[ZoneChange, ...], guard: Guard, severity: Severity, hint: str
) -> tuple[Problem, ...]:
    # A zone that several views have alike is told once.
    found = dict.fromkeys(
        Problem(change.apex, 0, 0, severity, rule, message, hint)
        for change in changes
        for rule, message in _against(change, guard)
    )
    findings = Findings(OBJECTIONS)
    for problem in found:
        findings.add(problem)
    return findings.problems()


def _against(change: ZoneChange, guard: Guard) -> Iterator[tuple[str, str]]:
    """Yield rule and message of each objection to one change."""
    apex = change.apex
    if guard.zones and change.kind == "removed":
        yield "guard-zones", f"{apex} is gone, with {change.before:,} records"
    if guard.ns and change.ns:
        yield (
            "guard-ns",
            f"{apex} has another apex NS RRset, other addresses of its servers, or another SOA MNAME",
        )
    # A zone that is gone as a whole is for ``zones`` to tell.
    if guard.deletes is not None and change.kind == "changed" and _too_many(change, guard.deletes):
        gone, allowed = _percent(change.removed / change.before), _percent(guard.deletes)
        figures = f"{change.removed:,} of {change.before:,} records"
        yield "guard-deletes", f"{apex} {gone} deletes > {allowed} ({figures})"


def _too_many(change: ZoneChange, fraction: float) -> bool:
    """Tell whether more than a fraction went; of a few records any change is a large one."""
    # In whole numbers: 29 of 100 are not more than 0.29 of them.
    allowed = round(fraction * 1_000_000) * change.before
    return change.removed >= GUARD_RECORDS and change.removed * 1_000_000 > allowed


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.4g} %"
