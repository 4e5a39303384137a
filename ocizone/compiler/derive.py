"""An image derived from the one that is served: only what changed is read and written.

A zone is taken over as it is, amended where a few lines of a large file changed, or read. Law
(tests): the image holds what a cold compilation of the same revision writes, and the report tells the
same of it. Where most changed, deriving is no gain and the compilation is a cold one. Not here:
what may be taken over (compiler.former, compiler.amend), and how the copy is changed (zone.rewrite).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocizone.compiler.amend import amend
from ocizone.compiler.changes import zone_changes
from ocizone.compiler.former import Former, FormerZone, note_revision, note_zone
from ocizone.compiler.select import YAML_SUFFIXES, Selected
from ocizone.compiler.serials import serial_for, set_serial, written_serial
from ocizone.compiler.spec import BaseZone, CompileSpec, RevisionFile, ZoneChange
from ocizone.compiler.tree import SourceTree
from ocizone.limits import AMENDED_FILE_OCTETS
from ocizone.store.unpack import file_of
from ocizone.wire import name as names
from ocizone.zone.build import zone_info
from ocizone.zone.digest import content_text, node_digest
from ocizone.zone.image import ImageZone
from ocizone.zone.node import Node
from ocizone.zone.reader import DictZone, ZoneInfo, ZoneReader


@dataclass(frozen=True, slots=True)
class Amendment:
    """A zone some of whose names changed.

    Attributes:
        zone: as it was noted; with facts and views as they are now.
        number: its id.
        nodes: encoded nodes by key that changed; None of those that are gone.
        before: the zone as it was, as far as it changed.
        after: the zone as it is, as far as it changed.
        made: what is noted of it.
    """

    zone: FormerZone
    number: int
    nodes: Mapping[bytes, bytes | None]
    before: DictZone
    after: DictZone
    made: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """Which zones are taken over, by path and origin.

    Attributes:
        former: what they are taken from.
        kept: as they are.
        amended: with changes.
    """

    former: Former
    kept: dict[tuple[str, bytes], FormerZone] = field(default_factory=dict)
    amended: dict[tuple[str, bytes], Amendment] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, int]:
        """What a report tells of it."""
        changed = sum(len(one.nodes) for one in self.amended.values())
        return {
            "zones_kept": len(self.kept),
            "zones_amended": len(self.amended),
            "names_changed": changed,
        }


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
    tree: SourceTree,
    spec: CompileSpec,
) -> Plan | None:
    """Return what is taken over; None when a cold compilation is no slower.

    Args:
        former: what there is to take from.
        selected: the zones of the revision.
        files: of the revision.
        tree: where they are.
        spec: of the compilation.

    Raises:
        StoreError: a file cannot be read.
    """
    known = {file.path: file for file in files}
    digests = {file.path: file.digest for file in files}
    base = {(zone.view, zone.apex): zone for zone in spec.base}
    found = Plan(former)
    to_read: list[Selected] = []
    octets = 0
    for one in selected:
        zone = former.unchanged(one, digests, base, spec)
        if zone is None:
            to_read.append(one)
        else:
            found.kept[one.path, one.origin] = zone
            octets += known[one.path].size
    left = 0
    for one in to_read:
        amended = _amended(former, one, known[one.path], tree, base, spec)
        if amended is None:
            left += known[one.path].size
        else:
            found.amended[one.path, one.origin] = amended
            octets += known[one.path].size
    return found if octets and octets >= left else None


def _amended(
    former: Former,
    one: Selected,
    file: RevisionFile,
    tree: SourceTree,
    base: Mapping[tuple[str, str], BaseZone],
    spec: CompileSpec,
) -> Amendment | None:
    """Return what a few changed lines make of a zone; None when it is to be read."""
    zone = former.zones.get((one.path, one.origin))
    if zone is None or file.size < AMENDED_FILE_OCTETS or one.path.endswith(YAML_SUFFIXES):
        return None
    plain = not zone.problems and not zone.fixed and zone.files.keys() == {one.path}
    if not plain or len(zone.numbers) != 1 or zone.views.keys() != {r.view for r in one.rules}:
        return None
    old = file_of(spec.former_layers, one.path, zone.files[one.path])
    if old is None:
        return None
    number, before = next(iter(zone.views.values()))
    reader = former.rewriting.before(number, before)
    encoded = former.rewriting.encoded_before(number)
    made = amend(reader, encoded, zone.written, old, tree.read(one.path))
    if made is None:
        return None
    content, written = made.content, written_serial(made.content)
    nodes = made.nodes(encoded)
    were = {key: value for key in (b"", *nodes) if (value := encoded(key)) is not None}
    total = int(before.content, 16) - sum(node_digest(*item) for item in were.items())
    # The apex counts without its serial: what it is now makes no difference.
    apex = nodes.get(b"", were[b""])
    now = {b"": apex, **nodes}
    total += sum(node_digest(key, value) for key, value in now.items() if value is not None)
    digest = content_text(total)
    serials = set()
    for rule in one.rules:
        deployed = base.get((rule.view, names.to_text(one.origin)))
        serials.add(serial_for(rule.serial, written, digest, deployed, spec.now))
    if len(serials) != 1:
        return None
    made_note = note_zone(one.path, {one.path}, {one.path: file.digest}, content, ())
    set_serial(content, serials.pop())
    nodes = made.nodes(encoded)
    info = replace(zone_info(content, before.file, spec.now), records=made.records, content=digest)
    after = {**were, **nodes}
    present = {key: Node.decode(value) for key, value in after.items() if value is not None}
    return Amendment(
        replace(zone, written=written, views=dict.fromkeys(zone.views, (number, info))),
        number,
        nodes,
        DictZone(before, {key: Node.decode(value) for key, value in were.items()}),
        DictZone(info, present),
        made_note,
    )


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
    numbers.update(one.number for one in made.amended.values())
    for number in {number for number, _ in former.listed.values()} - numbers:
        rewriting.drop(number)
    put: dict[tuple[str, bytes], tuple[int, ZoneInfo]] = {}
    for one in selected:
        zone = made.kept.get((one.path, one.origin))
        if zone is not None:
            take(one, zone)
            continue
        amended = made.amended.get((one.path, one.origin))
        if amended is not None:
            rewriting.change(
                amended.number,
                amended.nodes,
                tuple(amended.zone.views),
                amended.after.info,
                amended.made,
            )
            take(one, amended.zone)
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
    for (_, origin), amended in made.amended.items():
        before.update({(view, origin): amended.before for view in amended.zone.views})
        after.update({(view, origin): amended.after for view in amended.zone.views})
    # Views of zones that did not change count as known, too.
    views = {view for zone in made.kept.values() for view in zone.views}
    changes = zone_changes(before, after, views)
    digest, octets = rewriting.finish(Path(spec.image), note_revision(spec))
    return Derived(digest, octets, changes)
