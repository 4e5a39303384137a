"""Since when conditions are as they are: what is remembered from one look at them to the next.

Not here: which conditions there are (observe.conditions).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.conditions import (
    Condition,
    ConditionType,
    conditions_of,
    conditions_of_zone,
)
from ocizone.wire.name import to_text

#: A source's key, or (view, apex in presentation form).
Subject = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Observed:
    """The conditions of everything at one moment.

    Attributes:
        sources: by key.
        zones: that are served, by (view, apex in presentation form).
    """

    sources: Mapping[str, tuple[Condition, ...]]
    zones: Mapping[tuple[str, str], tuple[Condition, ...]]


class ConditionBook:
    """Remembers since when conditions are as they are. One thread."""

    def __init__(self) -> None:
        self._known: dict[Subject, dict[ConditionType, tuple[bool, float]]] = {}

    def observe(self, snapshot: Snapshot, statuses: Iterable[SourceStatus], now: float) -> Observed:
        """Return the conditions of every source and zone; cheap enough for every event.

        Args:
            snapshot: what is served.
            statuses: of every source.
            now: unix seconds.
        """
        known = list(statuses)
        found: dict[Subject, Iterable[Condition]] = {
            status.key: conditions_of(status, now) for status in known
        }
        of_zone = sources_of_zones(known)
        for block in snapshot.blocks.values():
            for apex, zone in block.zones.items():
                if isinstance(zone, Loaded):
                    subject, info = (block.name, to_text(apex)), zone.reader.info
                    found[subject] = conditions_of_zone(
                        info.signed_until, info.file, of_zone.get(subject), now
                    )
        kept = self.keep(found, now)
        return Observed(
            {subject: kept[subject] for subject in kept if isinstance(subject, str)},
            {subject: kept[subject] for subject in kept if isinstance(subject, tuple)},
        )

    def keep(
        self, found: Mapping[Subject, Iterable[Condition]], now: float
    ) -> dict[Subject, tuple[Condition, ...]]:
        """Return the conditions of every subject with ``since``; forget all other subjects.

        A condition that changed its reason or message and not its status began when it did.

        Args:
            found: by subject.
            now: unix seconds; since when what was not there, or was otherwise, is so.
        """
        kept: dict[Subject, tuple[Condition, ...]] = {}
        known: dict[Subject, dict[ConditionType, tuple[bool, float]]] = {}
        for subject, conditions in found.items():
            before = self._known.get(subject, {})
            kept[subject] = tuple(_dated(one, before.get(one.type), now) for one in conditions)
            known[subject] = {one.type: (one.status, one.since or now) for one in kept[subject]}
        self._known = known
        return kept


def _dated(condition: Condition, before: tuple[bool, float] | None, now: float) -> Condition:
    if condition.since is not None:
        return condition
    if before is not None and before[0] == condition.status:
        return replace(condition, since=before[1])
    return replace(condition, since=now)


def sources_of_zones(statuses: Iterable[SourceStatus]) -> dict[tuple[str, str], SourceStatus]:
    """Return whose each served zone is, by (view, apex in presentation form)."""
    return {(zone.view, zone.apex): status for status in statuses for zone in status.zones}
