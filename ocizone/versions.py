"""The versions of a source as its history and reports tell them, one row each. Pure.

Reads the document of ``/v1/history`` (admin.verbs), and misses what is missing there: an older
server knows less. Not here: the table (cli.history).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a source.

    Attributes:
        generation: of its deployment; 0 when it was not served, or is not kept.
        when: it was served, or its report ended; RFC 3339 UTC, "-" when nobody knows.
        digest: of the manifest.
        tag: that named it.
        serials: of its zones: ``2026112001``, or ``a.org. 1, b.org. 2`` and so on.
        change: ``+2 -1 ~0`` in all zones, against the version before.
        verified_by: whose signature it has.
        state: ``served``, ``superseded``, ``held``, ``refused``, ...
        reason: why it is not served; one word, "" for none.
        message: the same in a line, or what its author calls it.
    """

    generation: int
    when: str
    digest: str
    tag: str
    serials: str
    change: str
    verified_by: str
    state: str
    reason: str
    message: str


#: Serials that are written out; a source of 1,000 zones has a thousand.
_SHOWN_ZONES = 3


def versions(document: dict[str, Any]) -> list[Version]:
    """Return the versions of a history document, newest first.

    A report adds to the deployment of its digest; one that was never served stands for itself.
    """
    reports = {report.get("digest", ""): report for report in document.get("reports") or ()}
    deployments = sorted(
        document.get("deployments") or (), key=lambda one: one.get("generation", 0), reverse=True
    )
    current = int(document.get("current", 0))
    found = [
        (_stamp(one.get("activated_at")), _version(one, reports.get(one["digest"], {}), current))
        for one in deployments
    ]
    served = {one["digest"] for one in deployments}
    for digest, report in reports.items():
        if digest not in served:
            history = report.get("history") or ()
            found.append((_stamp(history[-1][1] if history else None), _version({}, report, 0)))
    # The served one stays on top of those of the same second.
    found.sort(key=lambda pair: (pair[0], pair[1].generation), reverse=True)
    return [version for _, version in found]


def change_text(changes: Iterable[dict[str, Any]]) -> str:
    """Return ``+2 -1 ~0`` over all zones, "" when nothing is told."""
    told = list(changes)
    if not told:
        return ""
    added, removed, changed = (
        sum(int(one.get(key, 0)) for one in told) for key in ("added", "removed", "changed")
    )
    return f"+{added:,} -{removed:,} ~{changed:,}"


def rfc3339(moment: float | str | None) -> str:
    """Return a moment as RFC 3339 UTC, whichever way a document has it; ``-`` for none."""
    if moment is None or moment == "":
        return "-"
    if isinstance(moment, str):
        return moment
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(deployment: dict[str, Any], report: dict[str, Any], current: int) -> Version:
    generation = int(deployment.get("generation", 0))
    history = report.get("history") or ()
    when = deployment.get("activated_at") or (history[-1][1] if history else None)
    state = report.get("state", "") if not deployment else ""
    is_its_own = report.get("generation", 0) == generation
    return Version(
        generation,
        rfc3339(when),
        str(deployment.get("digest") or report.get("digest", "")),
        str(deployment.get("tag") or report.get("tag", "")),
        _serials(deployment.get("zones") or report.get("zones") or ()),
        change_text(report.get("changes") or ()) if is_its_own else "",
        str(deployment.get("verified_by") or report.get("verified_by", "")),
        state or ("served" if generation == current else "superseded"),
        str(report.get("reason", "")) if is_its_own else "",
        _message(report, is_its_own=is_its_own),
    )


def _message(report: dict[str, Any], *, is_its_own: bool) -> str:
    """Return what is to be said of a version.

    Args:
        report: of its digest.
        is_its_own: and of this deployment; of a digest served twice there is one report, which
            tells of the last time. Its revision is that of the manifest.
    """
    message = str(report.get("message", "")).partition("\n")[0] if is_its_own else ""
    revision = report.get("revision", "")
    return message or (f"revision {revision}" if revision else "")


def _serials(zones: Iterable[dict[str, Any]]) -> str:
    by_apex = {zone["apex"]: zone["serial"] for zone in zones}
    if len(by_apex) == 1:
        return str(next(iter(by_apex.values())))
    shown = [f"{apex} {serial}" for apex, serial in sorted(by_apex.items())[:_SHOWN_ZONES]]
    more = len(by_apex) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _stamp(moment: float | str | None) -> float:
    """Return unix seconds, for sorting."""
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).timestamp()
    return moment or 0.0
