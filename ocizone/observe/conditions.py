"""What is true of a source or a zone now, and since when: conditions, as Kubernetes has them.

Pure: statuses in, conditions out. ``Ready`` is always told; the others, all of them bad news but
``SourceVerified``, only while they are true. A last good version that is served is ready whatever
became of its registry. Not here: how they are shown (admin.status, observe.gauges).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from ocizone.errors import FetchReason, Problem, Severity
from ocizone.follow.status import (
    CHANGE_GUARD,
    CONTENT_REFUSED,
    ROLLBACK_DETECTED,
    SIGNATURE_REFUSED,
    STORAGE_FAILED,
    TYPE_REFUSED,
    WAITING_FOR_SIGNATURE,
    Failure,
    SourceStatus,
)
from ocizone.limits import EXPIRING_S
from ocizone.registry.manifest import short_digest


class ConditionType(StrEnum):
    """What may be said; the words are kstatus' and Flux' where they have one."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    FETCH_FAILED = "FetchFailed"
    SOURCE_VERIFIED = "SourceVerified"
    ARTIFACT_OUTDATED = "ArtifactOutdated"
    STORAGE_OPERATION_FAILED = "StorageOperationFailed"
    ZONE_INVALID = "ZoneInvalid"
    CHANGE_GUARD = "ChangeGuard"
    ROLLBACK_DETECTED = "RollbackDetected"
    SUSPENDED = "Suspended"
    PINNED = "Pinned"
    STALE = "Stale"
    EXPIRING = "Expiring"
    EXPIRED = "Expired"


#: Of zones alone.
ZONE_TYPES: Final = frozenset({ConditionType.EXPIRING, ConditionType.EXPIRED})
#: What a source may have.
SOURCE_TYPES: Final = tuple(one for one in ConditionType if one not in ZONE_TYPES)

_FETCH_REASONS: Final = frozenset(str(reason) for reason in FetchReason)
_SIGNATURE_REASONS: Final = frozenset({WAITING_FOR_SIGNATURE, SIGNATURE_REFUSED})
#: Nothing happens until somebody pushes, signs, approves, or changes the Corefile.
_FINAL_REASONS: Final = frozenset(
    {CONTENT_REFUSED, TYPE_REFUSED, SIGNATURE_REFUSED, CHANGE_GUARD, ROLLBACK_DETECTED}
)
#: States in which a look is under way.
_UNDER_WAY: Final = {"looking": "Looking", "waiting": "Waiting", "deploying": "Deploying"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is true or not.

    Attributes:
        type: see ConditionType.
        status: whether it is so.
        reason: one word.
        message: for people; "" when the reason says it all.
        since: unix seconds; None while only a ConditionBook knows.
    """

    type: ConditionType
    status: bool
    reason: str
    message: str = ""
    since: float | None = None


def conditions_of(status: SourceStatus, now: float) -> tuple[Condition, ...]:
    """Return what is true of a source, in the order of ConditionType.

    Args:
        status: of the source.
        now: unix seconds.
    """
    found = [
        _ready(status),
        _reconciling(status),
        *_failed(status),
        _verified(status),
        _outdated(status),
        *_held(status),
        _suspended(status, now),
        _pinned(status),
    ]
    order = list(ConditionType)
    known = (condition for condition in found if condition is not None)
    return tuple(sorted(known, key=lambda one: order.index(one.type)))


def conditions_of_zone(
    signed_until: int, file: str, status: SourceStatus | None, now: float
) -> tuple[Condition, ...]:
    """Return what is true of a zone that is served, beside what is true of its source.

    Args:
        signed_until: unix seconds when its first signature expires; 0 for an unsigned zone.
        file: it was read from, as findings name it.
        status: of its source; None when that is not known.
        now: unix seconds.
    """
    found = [Condition(ConditionType.READY, True, "Served")]
    if status is not None and status.last_error and status.last_error.reason == CONTENT_REFUSED:
        own = [problem for problem in _errors(status.problems) if _is_of(problem.file, file)]
        if own:
            found.append(Condition(ConditionType.ZONE_INVALID, True, CONTENT_REFUSED, _told(own)))
    left = signed_until - now
    if signed_until and left < EXPIRING_S:
        kind = ConditionType.EXPIRED if left < 0 else ConditionType.EXPIRING
        message = f"signatures until {instant(signed_until)}: push the zone signed again"
        began = signed_until if left < 0 else signed_until - EXPIRING_S
        found.append(Condition(kind, True, "Signatures", message, began))
    return tuple(found)


# --- One condition each ----------------------------------------------------------------------


def _ready(status: SourceStatus) -> Condition:
    error = status.last_error
    if status.digest:
        reason = "LastGood" if error else "Served"
        return Condition(ConditionType.READY, True, reason, f"serves {short(status.digest)}")
    if error is None:
        return Condition(ConditionType.READY, False, "NoVersion", "no version yet")
    return Condition(ConditionType.READY, False, "NoVersion", f"no version yet ({_said(error)})")


def _reconciling(status: SourceStatus) -> Condition | None:
    reason = _UNDER_WAY.get(status.state)
    if reason is None:
        return None
    return Condition(ConditionType.RECONCILING, True, reason, f"attempt {status.attempts}")


def _failed(status: SourceStatus) -> Iterable[Condition]:
    """Yield what follows from the last look, and from what was to be written."""
    error = status.last_error
    if not status.materialised:
        message = "files under PATH are not up to date"
        if error is None or error.reason != STORAGE_FAILED:
            yield Condition(
                ConditionType.STORAGE_OPERATION_FAILED, True, "NotMaterialised", message
            )
    if error is None:
        return
    first = error.message.partition("\n")[0]
    if error.reason in _FINAL_REASONS and status.held is None and status.state not in _UNDER_WAY:
        yield Condition(ConditionType.STALLED, True, error.reason, first)
    if error.reason in _FETCH_REASONS:
        yield Condition(ConditionType.FETCH_FAILED, True, error.reason, first)
    if error.reason == STORAGE_FAILED:
        yield Condition(ConditionType.STORAGE_OPERATION_FAILED, True, STORAGE_FAILED, first)
    if error.reason == CONTENT_REFUSED:
        told = _told(_errors(status.problems)) or first
        yield Condition(ConditionType.ZONE_INVALID, True, CONTENT_REFUSED, told)
    if status.digest and error.reason not in _FINAL_REASONS | _SIGNATURE_REASONS:
        ok = f"; last success {instant(status.last_success)}" if status.last_success else ""
        yield Condition(ConditionType.STALE, True, error.reason, first + ok)


def _verified(status: SourceStatus) -> Condition | None:
    if not status.verify:
        return None
    error = status.last_error
    if error is not None and error.reason in _SIGNATURE_REASONS:
        return Condition(ConditionType.SOURCE_VERIFIED, False, error.reason, error.message)
    if status.verified_by:
        return Condition(ConditionType.SOURCE_VERIFIED, True, "Signed", status.verified_by)
    if not status.digest:
        return Condition(ConditionType.SOURCE_VERIFIED, False, "NoVersion", "no version yet")
    message = f"{short(status.digest)} has no signature that counts"
    return Condition(ConditionType.SOURCE_VERIFIED, False, "Unsigned", message)


def _outdated(status: SourceStatus) -> Condition | None:
    if not status.found or not status.digest or status.found == status.digest:
        return None
    if status.pin is not None:
        reason = "Pinned"
    elif status.last_error is not None:
        reason = status.last_error.reason
    else:
        reason = "NewRevision"
    message = f"{status.reference} names {short(status.found)}, served is {short(status.digest)}"
    return Condition(ConditionType.ARTIFACT_OUTDATED, True, reason, message)


def _held(status: SourceStatus) -> Iterable[Condition]:
    held = status.held
    if held is None:
        return
    why = "; ".join(problem.message for problem in held.problems[:3])
    release = f"release: ocizone approve {short_digest(held.digest)}"
    message = f"{why} ({release})" if why else release
    yield Condition(ConditionType(held.condition), True, "Held", message, held.since)
    if status.state not in _UNDER_WAY:
        yield Condition(ConditionType.STALLED, True, held.condition, release, held.since)


def _suspended(status: SourceStatus, now: float) -> Condition | None:
    suspension = status.suspension
    if suspension is None:
        if status.state != "suspended":
            return None
        return Condition(ConditionType.SUSPENDED, True, "Corefile", "no looks until it is reloaded")
    if suspension.until is not None and suspension.until <= now:
        return None
    until = f"until {instant(suspension.until)}" if suspension.until else "until resume"
    message = f"{until}: {suspension.reason}" if suspension.reason else until
    return Condition(ConditionType.SUSPENDED, True, "Operator", message, suspension.since)


def _pinned(status: SourceStatus) -> Condition | None:
    pin = status.pin
    if pin is None:
        return None
    reason = "Rollback" if pin.kind == "rollback" else "Pin"
    message = f"{short(pin.digest)}: {pin.reason}" if pin.reason else short(pin.digest)
    return Condition(ConditionType.PINNED, True, reason, message, pin.since)


# --- Words -----------------------------------------------------------------------------------


def short(digest: str) -> str:
    """Return a digest with twelve of its hex digits, as git and docker do."""
    return f"{digest[: len('sha256:')]}{short_digest(digest)}"


def instant(seconds: float) -> str:
    """Return unix seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _said(failure: Failure) -> str:
    return f"{failure.reason}: {failure.message.partition(chr(10))[0]}"


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _told(problems: list[Problem]) -> str:
    if not problems:
        return ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0].where()}: {problems[0].message}{more}"


def _is_of(named: str, file: str) -> bool:
    """Tell whether a finding's file is a zone's; either may have the folder before it."""
    return named == file or named.endswith(f"/{file}") or file.endswith(f"/{named}")
