"""What is older than what was served (TUF's rollback attack). Pure.

Whoever can move a tag can move it to an old artifact, whose signature is as good as ever. The mark
keeps the newest time of creation and the highest serials that were served; it only rises. Both
are what the artifact says of itself: an attacker who can sign need not care. Not here: what becomes of a
version that is older (follow.gatekeeper).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem, Severity
from ocizone.findings import Findings, shown
from ocizone.limits import CREATED_AHEAD_S, OBJECTIONS, WATERMARK_ZONES
from ocizone.registry.manifest import short_digest
from ocizone.store.standing import Watermark
from ocizone.zone.serial import newer

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def older(
    mark: Watermark, digest: str, created: str, zones: tuple[CompiledZone, ...]
) -> tuple[Problem, ...]:
    """Return in what a version is older than the mark; nothing when it is not.

    Equal times and serials are fine, and so is what the mark knows nothing of.

    Args:
        mark: of what was served.
        digest: of the manifest; the mark's own is never older.
        created: its annotation, RFC 3339; "" and what is no such time say nothing.
        zones: as compiled.
    """
    if digest == mark.digest:
        return ()
    name = short_digest(digest)
    hint = (
        f"if it is meant: `ocizone approve {name}` or `ocizone pin {name}`; "
        "with `allow_rollback` older versions are not held"
    )
    findings = Findings(OBJECTIONS)
    moment, newest = _moment(created), _moment(mark.created)
    if moment is not None and newest is not None and moment < newest:
        message = f"it was created {shown(created)}, before what was served: {shown(mark.created)}"
        findings.error(name, 0, 0, "rollback-created", message, hint)
    highest = {(file, apex): serial for file, apex, serial in mark.serials}
    of_apex: dict[str, list[int]] = {}
    for (_, apex), serial in highest.items():
        of_apex.setdefault(apex, []).append(serial)
    below: dict[Problem, None] = {}
    for zone in zones:
        if zone.written < 0:
            continue
        # A file that was renamed is still of the zone: it is older when it is below all of them.
        one = highest.get((zone.file, zone.apex))
        known = of_apex.get(zone.apex, []) if one is None else [one]
        if known and all(newer(served, zone.written) for served in known):
            message = f"{zone.apex} serial {zone.written} is below {known[0]}, which was served"
            # A file that serves several views is told once.
            below[Problem(zone.file, 0, 0, Severity.ERROR, "rollback-serial", message, hint)] = None
    for problem in below:
        findings.add(problem)
    return findings.problems()


def raised(
    mark: Watermark, digest: str, created: str, zones: tuple[CompiledZone, ...], now: int
) -> Watermark:
    """Return the mark after a version was served: nothing in it is lower than before.

    Args:
        mark: of what was served before.
        digest: of the manifest that is served now.
        created: as in ``older``; one over a day after ``now`` does not count, or one wrong clock
            would hold everything that comes after it.
        zones: as compiled.
        now: unix seconds.
    """
    serials = {(file, apex): serial for file, apex, serial in mark.serials}
    for zone in zones:
        if zone.written >= 0:
            served = serials.pop((zone.file, zone.apex), zone.written)
            newest = zone.written if newer(zone.written, served) else served
            serials[zone.file, zone.apex] = newest
    # Those of now stand last; of zones that are long gone the earliest are forgotten.
    kept = list(serials.items())[-WATERMARK_ZONES:]
    return Watermark(
        digest,
        created if _is_newest(created, mark.created, now) else mark.created,
        tuple((file, apex, serial) for (file, apex), serial in kept),
    )


def _is_newest(created: str, before: str, now: int) -> bool:
    moment, newest = _moment(created), _moment(before)
    if moment is None or moment - _EPOCH > timedelta(seconds=now + CREATED_AHEAD_S):
        return False
    return newest is None or moment >= newest


def _moment(text: str) -> datetime | None:
    """Return the moment an RFC 3339 text names, None for any other text."""
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment
