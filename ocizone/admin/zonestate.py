"""The one word a zone that is served gets in ``ocizone status``, and why; the worst first.

Pure. Not here: a zone without a version, which is ``Loading`` (admin.status).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ocizone.follow.status import SIGNATURE_REFUSED, TYPE_REFUSED, WAITING_FOR_SIGNATURE
from ocizone.observe.conditions import Condition, ConditionType

READY: Final = "Ready"
LOADING: Final = "Loading"
#: Worst first: validators refuse a zone whose signatures ran out; a newer version that is not
#: served is next; what an operator asked for is no trouble at all.
WORDS: Final = (
    "Expired", "Expiring", "Invalid", "Held", "Stale", "Suspended", "Pinned", READY,
)  # fmt: skip

_SIGNATURE_REASONS: Final = frozenset({WAITING_FOR_SIGNATURE, SIGNATURE_REFUSED})

#: What a condition of the zone, or of its source, makes of the zone.
_OF_ZONE: Final = {
    ConditionType.EXPIRED: "Expired",
    ConditionType.EXPIRING: "Expiring",
    ConditionType.ZONE_INVALID: "Invalid",
}
_OF_SOURCE: Final = {
    # Of another file of the artifact: this zone is not the newest.
    ConditionType.ZONE_INVALID: "Stale",
    ConditionType.CHANGE_GUARD: "Held",
    ConditionType.ROLLBACK_DETECTED: "Held",
    ConditionType.STALE: "Stale",
    ConditionType.SUSPENDED: "Suspended",
    ConditionType.PINNED: "Pinned",
}


def state_of(zone: Iterable[Condition], source: Iterable[Condition]) -> tuple[str, str]:
    """Return the state of a zone that is served, and why: every reason, the worst first.

    Args:
        zone: its conditions.
        source: those of its source.
    """
    said = [
        (word, _message(one)) for one in zone if one.status and (word := _OF_ZONE.get(one.type))
    ]
    invalid = any(word == "Invalid" for word, _ in said)
    for one in source:
        word = _word(one)
        if word is not None and not (invalid and one.type is ConditionType.ZONE_INVALID):
            said.append((word, _message(one)))
    if not said:
        return READY, ""
    said.sort(key=lambda each: WORDS.index(each[0]))
    return said[0][0], "; ".join(dict.fromkeys(message for _, message in said))


def _word(one: Condition) -> str | None:
    # A newer version is there, and is not served for what it is.
    if one.type is ConditionType.SOURCE_VERIFIED:
        return "Held" if one.reason in _SIGNATURE_REASONS else None
    if one.type is ConditionType.STALLED and one.reason == TYPE_REFUSED:
        return "Held"
    return _OF_SOURCE.get(one.type) if one.status else None


def _message(one: Condition) -> str:
    if one.type in {ConditionType.EXPIRED, ConditionType.EXPIRING}:
        return one.message
    if one.type in {ConditionType.STALE, ConditionType.SOURCE_VERIFIED, ConditionType.STALLED}:
        return f"{one.reason}: {one.message}"
    return f"{one.type}: {one.message}"
