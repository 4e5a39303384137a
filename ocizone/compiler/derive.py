"""An image derived from the one that is served: only what changed is read and written.

Law (tests): it holds what a cold compilation of the same revision writes, and the report tells the
same of it. Where most changed, deriving is no gain and the compilation is a cold one. Not here:
what may be taken over (compiler.former), and how the copy is changed (zone.rewrite).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.changes import zone_changes
from ocizone.compiler.former import Former, FormerZone, note_revision
from ocizone.compiler.select import Selected
from ocizone.compiler.spec import CompileSpec, RevisionFile, ZoneChange
from ocizone.zone.image import ImageZone
from ocizone.zone.reader import ZoneInfo, ZoneReader


@dataclass(frozen=True, slots=True)
class Plan:
    """Which zones are taken over.

    Attributes:
        former: what they are taken from.
        kept: by path and origin.
    """

    former: Former
    kept: Mapping[tuple[str, bytes], FormerZone]


@dataclass(frozen=True, slots=True)
class Derived:
    """An image that was derived.

    Attributes:
        digest: hex SHA-256 of the file.
        octets: its size.
        changes: see compiler.changes.
    """

    digest: str
    octets: int
    changes: tuple[ZoneChange, ...]


def plan(
    former: Former,
    selected: tuple[Selected, ...],
    files: tuple[RevisionFile, ...],
    spec: CompileSpec,
) -> Plan | None:
    """Return what is taken over; None when a cold compilation is no slower.

    Args:
        former: what there is to take from.
        selected: the zones of the revision.
        files: of the revision.
        spec: of the compilation.
    """
    digests = {file.path: file.digest for file in files}
    sizes = {file.path: file.size for file in files}
    base = {(zone.view, zone.apex): zone for zone in spec.base}
    kept: dict[tuple[str, bytes], FormerZone] = {}
    to_keep = to_read = 0
    for one in selected:
        zone = former.unchanged(one, digests, base, spec)
        if zone is None:
            to_read += sizes[one.path]
        else:
            kept[one.path, one.origin] = zone
            to_keep += sizes[one.path]
    return Plan(former, kept) if kept and to_keep >= to_read else None


def derive(
    made: Plan,
    selected: tuple[Selected, ...],
    spec: CompileSpec,
    take: Callable[[Selected, FormerZone], None],
    read: Callable[[Selected], Iterator[ImageZone]],
    finished: Callable[[], None],
) -> Derived:
    """Write the image of a revision.

    Args:
        made: what is taken over.
        selected: the zones of the revision.
        spec: of the compilation.
        take: told of a zone that is taken over, in its turn.
        read: reads a zone and yields what is to be written of it.
        finished: raises if the revision is refused, so that no image is written.

    Raises:
        StoreError: a file cannot be read, or the image not written.
    """
    former, rewriting = made.former, made.former.rewriting
    numbers = {number for zone in made.kept.values() for number in zone.numbers}
    for number in {number for number, _ in former.listed.values()} - numbers:
        rewriting.drop(number)
    put: dict[tuple[str, bytes], tuple[int, ZoneInfo]] = {}
    for one in selected:
        zone = made.kept.get((one.path, one.origin))
        if zone is not None:
            take(one, zone)
            continue
        for image_zone in read(one):
            number = rewriting.put(image_zone)
            put.update({(v, one.origin): (number, image_zone.info) for v in image_zone.views})
    finished()
    before: dict[tuple[str, bytes], ZoneReader] = {
        key: rewriting.before(*found)
        for key, found in former.listed.items()
        if found[0] not in numbers
    }
    after: dict[tuple[str, bytes], ZoneReader] = {
        key: rewriting.after(*found) for key, found in put.items()
    }
    views = {view for zone in made.kept.values() for view in zone.views}
    changes = zone_changes(before, after, views)
    digest, octets = rewriting.finish(Path(spec.image), note_revision(spec))
    return Derived(digest, octets, changes)
