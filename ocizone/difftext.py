"""A comparison as text, markdown or JSON; a line a record, counts at the end. Pure.

However large the difference, one record is in memory at a time, but for JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ocizone.compare import RecordChange, ZoneDifference

SCHEMA: Final = "ocizone.diff/v1"

#: Takes a line that is to be printed.
Emit = Callable[[str], None]


@dataclass(slots=True)
class Counts:
    """How much differs."""

    zones: int = 0
    added: int = 0
    removed: int = 0

    def count(self, change: RecordChange) -> None:
        """Count a record."""
        if change.sign == "+":
            self.added += 1
        else:
            self.removed += 1

    def __str__(self) -> str:
        plural = "" if self.zones == 1 else "s"
        return f"{self.zones:,} zone{plural} changed, +{self.added:,} -{self.removed:,}"


def write_text(zones: Iterable[ZoneDifference], most: int | None, emit: Emit) -> Counts:
    """Emit a heading a zone and a line a record, then the counts; of no difference nothing.

    Args:
        zones: that differ.
        most: records that are shown in all; None for every one. The rest is counted.
        emit: takes the lines.
    """
    counts = Counts()
    for zone in zones:
        emit(_heading(zone))
        _write_records(zone, counts, most, emit)
        counts.zones += 1
    if counts.zones:
        emit(f"{counts} (exit 1)")
    return counts


def write_markdown(zones: Iterable[ZoneDifference], most: int | None, emit: Emit) -> Counts:
    """Emit the same for a comment on a merge request; arguments as in ``write_text``."""
    counts = Counts()
    for zone in zones:
        emit(f"### {_heading(zone)}")
        emit("")
        # Each line within begins with + or - or a dot: none of them can close the fence.
        emit("```diff")
        _write_records(zone, counts, most, emit)
        emit("```")
        emit("")
        counts.zones += 1
    emit(f"**{counts}**" if counts.zones else "**No difference**")
    return counts


def write_json(
    zones: Iterable[ZoneDifference], most: int | None, emit: Emit, sides: tuple[str, str]
) -> Counts:
    """Emit one document; arguments as in ``write_text``, and what the sides are called."""
    counts = Counts()
    told = []
    room = most
    for zone in zones:
        shown: list[dict[str, Any]] = []
        own = Counts()
        for change in zone.records():
            own.count(change)
            if room is None or len(shown) < room:
                shown.append(_as_json(change))
        room = None if room is None else room - len(shown)
        before, after = zone.serials
        told.append(
            {
                "zone": zone.name,
                "kind": zone.kind,
                "serial_before": before,
                "serial": after,
                "added": own.added,
                "removed": own.removed,
                "records": shown,
            }
        )
        counts = Counts(counts.zones + 1, counts.added + own.added, counts.removed + own.removed)
    document = {
        "schema": SCHEMA,
        "before": sides[0],
        "after": sides[1],
        "zones_changed": counts.zones,
        "added": counts.added,
        "removed": counts.removed,
        "zones": told,
    }
    emit(json.dumps(document, indent=2))
    return counts


def serial_text(before: int | None, after: int | None) -> str:
    """Return ``serial 1 -> 2``, ``serial 1`` where it stayed or one is absent."""
    if before is None or after is None or before == after:
        return f"serial {before if after is None else after}"
    return f"serial {before} -> {after}"


def _heading(zone: ZoneDifference) -> str:
    before, after = zone.serials
    match zone.kind:
        case "added":
            return f"{zone.name}  new zone, {serial_text(before, after)}"
        case "removed":
            return f"{zone.name}  zone removed, {serial_text(before, after)}"
        case "changed":
            serial = "" if before == after else f"  {serial_text(before, after)}"
            return zone.name + serial


def _write_records(zone: ZoneDifference, counts: Counts, most: int | None, emit: Emit) -> None:
    for line in _lines(zone, counts, most):
        emit(line)


def _lines(zone: ZoneDifference, counts: Counts, most: int | None) -> Iterator[str]:
    left_out = 0
    for change in zone.records():
        if most is None or counts.added + counts.removed < most:
            yield str(change)
        else:
            left_out += 1
        counts.count(change)
    if left_out:
        yield f"... and {left_out:,} more"


def _as_json(change: RecordChange) -> dict[str, Any]:
    return {
        "change": change.sign,
        "name": change.name,
        "ttl": change.ttl,
        "type": change.type,
        "rdata": change.value,
    }
