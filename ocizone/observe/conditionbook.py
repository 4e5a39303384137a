"""Since when conditions are as they are: what is remembered from one look at them to the next.

Not here: which conditions there are (observe.conditions).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.follow.status import SourceStatus
from ocizone.observe.conditions import (
    Condition,
    ConditionType,
    conditions_of,
    conditions_of_zone,
)
from ocizone.wire.name import to_text

S = TypeVar("S", str, tuple[str, str])
#: Of each subject, and type: its status, and since when.
_Known = dict[S, dict[ConditionType, tuple[bool, float]]]


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
    """Remembers since when conditions are as they are.

    ``note`` may be called while another thread is at ``observe``, or ``sources``; those by one
    thread at a time.

    A condition that changed its reason or message and not its status began when it did. What is
    gone is forgotten, so that it begins anew when it comes back.
    """

    def __init__(self) -> None:
        self._sources: _Known[str] = {}
        self._zones: _Known[tuple[str, str]] = {}
        self._lock = threading.Lock()

    def sources(
        self, statuses: Iterable[SourceStatus], now: float
    ) -> dict[str, tuple[Condition, ...]]:
        """Return the conditions of every source, by key.

        Args:
            statuses: of every source.
            now: unix seconds; since when what was not so before is so.
        """
        with self._lock:
            before = dict(self._sources)
        found = {status.key: conditions_of(status, now) for status in statuses}
        remembered, dated = _dated_all(before, found, now)
        with self._lock:
            # Events since then know better than what was true when this look began.
            noted = {
                key: known
                for key, known in self._sources.items()
                if key in remembered and known is not before.get(key)
            }
            self._sources = {**remembered, **noted}
        return dated

    def note(self, status: SourceStatus, now: float) -> None:
        """Remember since when the conditions of one source are so; cheap, for every event."""
        found = {status.key: conditions_of(status, now)}
        with self._lock:
            remembered, _ = _dated_all(self._sources, found, now)
            self._sources.update(remembered)

    def observe(self, snapshot: Snapshot, statuses: Iterable[SourceStatus], now: float) -> Observed:
        """Return the conditions of every source and of every zone that is served.

        Args:
            snapshot: what is served.
            statuses: of every source.
            now: unix seconds.
        """
        known = list(statuses)
        of_zone = sources_of_zones(known)
        found: dict[tuple[str, str], tuple[Condition, ...]] = {}
        for block in snapshot.blocks.values():
            for apex, zone in block.zones.items():
                if isinstance(zone, Loaded):
                    subject, info = (block.name, to_text(apex)), zone.reader.info
                    found[subject] = conditions_of_zone(
                        info.signed_until, info.file, of_zone.get(subject), now
                    )
        self._zones, dated = _dated_all(self._zones, found, now)
        return Observed(self.sources(known, now), dated)


def _dated_all(
    known: _Known[S], found: Mapping[S, Iterable[Condition]], now: float
) -> tuple[_Known[S], dict[S, tuple[Condition, ...]]]:
    """Return what is to be remembered, and the conditions with ``since``."""
    dated: dict[S, tuple[Condition, ...]] = {}
    for subject, conditions in found.items():
        before = known.get(subject, {})
        dated[subject] = tuple(_dated(one, before.get(one.type), now) for one in conditions)
    remembered = {
        subject: {one.type: (one.status, now if one.since is None else one.since) for one in given}
        for subject, given in dated.items()
    }
    return remembered, dated


def _dated(condition: Condition, before: tuple[bool, float] | None, now: float) -> Condition:
    if condition.since is not None:
        return condition
    if before is not None and before[0] == condition.status:
        return replace(condition, since=before[1])
    return replace(condition, since=now)


def sources_of_zones(statuses: Iterable[SourceStatus]) -> dict[tuple[str, str], SourceStatus]:
    """Return whose each served zone is, by (view, apex in presentation form)."""
    return {(zone.view, zone.apex): status for status in statuses for zone in status.zones}
