"""The compilation itself: unpack, select, read, check, build, write the image, test, compare.

``compile_revision`` is what the child runs, what tests call, and what fills a CompileReport.
One zone is in memory at a time. Not here: stdin and stdout (``__main__``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocizone.compiler.changes import changes_of
from ocizone.compiler.derive import derive, plan
from ocizone.compiler.former import Former, FormerZone, note_revision, note_zone
from ocizone.compiler.select import YAML_SUFFIXES, Selected, is_zone_tests, select
from ocizone.compiler.serials import serial_for, set_serial, written_serial
from ocizone.compiler.spec import (
    CompiledZone,
    CompileReport,
    CompileSpec,
    RevisionFile,
    ZoneChange,
)
from ocizone.compiler.tree import SourceTree
from ocizone.errors import Severity, ZoneError
from ocizone.findings import Findings
from ocizone.limits import ZONES_PER_IMAGE
from ocizone.store.unpack import unpack
from ocizone.wire import name as names
from ocizone.zone.batch import Batch
from ocizone.zone.build import encoded_nodes, encoded_nsec3, zone_info
from ocizone.zone.check import check_zone
from ocizone.zone.content import Content, gather
from ocizone.zone.digest import content_text, zone_sum
from ocizone.zone.dnssecpolicy import DnssecPolicy
from ocizone.zone.image import Image, ImageZone, write_image
from ocizone.zone.masterfile import read_zone_master
from ocizone.zone.reader import ZoneInfo
from ocizone.zone.record import Record

if TYPE_CHECKING:
    from ocizone.compiler.testfile import ZoneTest


def compile_revision(spec: CompileSpec, clock: Callable[[], float]) -> CompileReport:
    """Compile a revision; write its image unless a finding refuses it.

    Args:
        spec: what to compile; ``tree`` exists and is empty.
        clock: monotonic seconds, for the report.

    Raises:
        StoreError: a blob, the tree or the image cannot be read or written.
    """
    started = clock()
    findings = Findings()
    made = _Made()
    selected: tuple[Selected, ...] = ()
    former = Former.take(spec)
    try:
        held: dict[str, bytes] = {}
        known = former.files if former else {}
        files = unpack(spec.layers, Path(spec.tree), findings, known, held)
        listed = tuple(file.path for file in files)
        tree = SourceTree(Path(spec.tree), spec.prefix, spec.source, listed, held)
        if not findings.refused:
            selected = select(tree, spec.rules, findings)
        if not findings.refused:
            tests = _Tests(tree, files, spec, findings)
            compiled = _Compiled(tree, selected, files, spec, findings)
            made = _make(spec, compiled, former, tests, findings)
    finally:
        if former is not None:
            former.close()
    return CompileReport(
        problems=findings.problems(),
        zones=made.zones,
        files=files,
        image_sha256=made.digest,
        image_octets=made.octets,
        seconds=clock() - started,
        extra={**made.extra, "not_zones": _not_zones(files, selected)},
        changes=made.changes or (),
        compared=made.changes is not None,
        tests=made.tests,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What a report tells of an image; of none, nothing."""

    zones: tuple[CompiledZone, ...] = ()
    digest: str = ""
    octets: int = 0
    tests: int = 0
    changes: tuple[ZoneChange, ...] | None = ()
    extra: dict[str, Any] = field(default_factory=dict)


def _make(
    spec: CompileSpec,
    compiled: _Compiled,
    former: Former | None,
    tests: _Tests,
    findings: Findings,
) -> _Made:
    """Write the image, test and compare it; one that is refused is removed again."""
    path = Path(spec.image)
    try:
        made = _written(spec, compiled, former)
    except ZoneError:
        # Raised by compiled.finished() so that no image is written; the findings say why.
        assert findings.refused
        return _Made()
    held = tests.run(path)
    if findings.refused:
        path.unlink()
        return _Made()
    changes = made.changes
    if changes is None and spec.former:
        changes = changes_of(spec.former, spec.image, made.extra, spec.former_sha256)
    else:
        changes = changes or ()
    return replace(made, zones=tuple(compiled.listed), tests=held, changes=changes)


def _written(spec: CompileSpec, compiled: _Compiled, former: Former | None) -> _Made:
    """Write the image: derived from the former one, or anew, which compares nothing."""
    found = former and plan(former, compiled.selected, compiled.files, compiled.tree, spec)
    if found:
        compiled.bounded()
        derived = derive(
            found, compiled.selected, spec, compiled.take, compiled.read, compiled.finished
        )
        extra = {**found.told, "zones_read": compiled.reads}
        return _Made((), derived.digest, derived.octets, 0, derived.changes, {"derived": extra})
    if former is not None:
        # Address space is bounded (compiler.__main__): there is no room for a second map beside.
        former.close()
    digest, octets = write_image(Path(spec.image), compiled.zones(), note_revision(spec))
    return _Made((), digest, octets, 0, None)


class _Tests:
    """The zone tests of an artifact: read first, for what is wrong with them is told at once."""

    def __init__(
        self,
        tree: SourceTree,
        files: tuple[RevisionFile, ...],
        spec: CompileSpec,
        findings: Findings,
    ) -> None:
        self._spec = spec
        self._findings = findings
        self._tests: tuple[ZoneTest, ...] = ()
        paths = [file.path for file in files if is_zone_tests(file.path)]
        if paths:
            from ocizone.compiler.testfile import read_tests  # noqa: PLC0415 - PyYAML, when needed

            own = Findings()
            self._tests = read_tests(tree, paths, own)
            self._tell(own)

    def run(self, image: Path) -> int:
        """Return how many hold; those that do not are findings."""
        if not self._tests:
            return 0
        from ocizone.compiler.zonetests import run_tests  # noqa: PLC0415 - answers, when needed

        own = Findings()
        origins = {
            names.lower(names.from_text(origin))
            for rule in self._spec.rules
            for origin in rule.origins
        }
        held = run_tests(self._tests, Image.open(image).zones(), origins, own)
        self._tell(own)
        return held

    def _tell(self, own: Findings) -> None:
        for problem in own.problems():
            served = self._spec.excuse_expired
            self._findings.add(replace(problem, severity=Severity.WARNING) if served else problem)


class _Compiled:
    """Reads the selected zones one after the other, and lists those that went well."""

    def __init__(
        self,
        tree: SourceTree,
        selected: tuple[Selected, ...],
        files: tuple[RevisionFile, ...],
        spec: CompileSpec,
        findings: Findings,
    ) -> None:
        self.listed: list[CompiledZone] = []
        self.selected = selected
        self.files = files
        self.reads = 0
        """How many zone files were read."""
        self.tree = tree
        self._digests = {file.path: file.digest for file in files}
        self._spec = spec
        self._base = {(zone.view, zone.apex): zone for zone in spec.base}
        self._findings = findings

    def zones(self) -> Iterator[ImageZone]:
        """Yield zones to write.

        Raises:
            ZoneError: at the end, when any zone of the revision was refused.
        """
        self.bounded()
        for one in self.selected:
            yield from self.read(one)
        self.finished()

    def bounded(self) -> None:
        """Refuse too many zones.

        Raises:
            ZoneError: there are.
        """
        if len(self.selected) > ZONES_PER_IMAGE:
            message = f"{len(self.selected)} zones, over {ZONES_PER_IMAGE}"
            self._findings.error("", 0, 0, "zones", message)
            self.finished()

    def finished(self) -> None:
        """Refuse the revision if something in it was refused.

        Raises:
            ZoneError: it was.
        """
        if self._findings.refused:
            raise ZoneError(self._findings.problems())

    def take(self, one: Selected, zone: FormerZone) -> None:
        """List a zone that is taken from the former image as it is, and tell what it is told of."""
        for problem in zone.problems:
            self._findings.add(problem)
        for rule in one.rules:
            self.listed.append(_listed(rule.view, zone.views[rule.view][1], zone.written))

    def read(self, one: Selected) -> Iterator[ImageZone]:
        """Read a zone, and yield what is to be written of it."""
        self.reads += 1
        seen: set[str] = set()
        tree = replace(self.tree, seen=seen)
        own = Findings()
        content = read_zone(tree, one.path, one.origin, own, self._policy(one))
        problems = own.problems()
        for problem in problems:
            self._findings.add(problem)
        # One refused zone refuses the revision: the rest is only checked.
        if self._findings.refused:
            return
        made = note_zone(one.path, seen, self._digests, content, problems)
        yield from (replace(zone, made=made) for zone in self._versions(one, content))

    def _versions(self, one: Selected, content: Content) -> Iterator[ImageZone]:
        """Yield a zone once for each serial that its views give it, nearly always one."""
        spec = self._spec
        # Encoded once, for what it says and for the image.
        encoded = [value for _, value in encoded_nodes(content)]
        nsec3 = list(encoded_nsec3(content))
        digest = content_text(zone_sum(zip(content.order, encoded, strict=True), nsec3))
        written = written_serial(content)
        views: dict[int, list[str]] = {}
        for rule in one.rules:
            kept = "keep" if content.has_fixed_serial else rule.serial
            base = self._base.get((rule.view, names.to_text(one.origin)))
            serial = serial_for(kept, written, digest, base, spec.now)
            views.setdefault(serial, []).append(rule.view)
        for serial, of in views.items():
            if serial != written or len(views) > 1:
                set_serial(content, serial)
                # The apex is first in canonical order, and alone holds the serial.
                _, encoded[0] = next(encoded_nodes(content))
            info = zone_info(content, self.tree.display(one.path), spec.now)
            info = replace(info, content=digest)
            self.listed += [_listed(view, info, written) for view in of]
            yield ImageZone(tuple(of), info, zip(content.order, encoded, strict=True), nsec3)

    def _policy(self, one: Selected) -> DnssecPolicy:
        """Return how a zone is judged: as the strictest of its views asks."""
        spec = self._spec
        refuse = any(rule.dnssec == "refuse" for rule in one.rules)
        return DnssecPolicy(spec.now, refuse, spec.excuse_expired, spec.expiring_s)


def read_zone(
    tree: SourceTree, path: str, origin: bytes, findings: Findings, policy: DnssecPolicy
) -> Content:
    """Read and check one zone file, of either format; findings tell whether it is usable.

    Args:
        tree: where the file is, and what it may include.
        path: relative to the tree; its suffix tells the format.
        origin: lower-case wire name.
        findings: where problems go.
        policy: how it is judged if it is signed.

    Raises:
        StoreError: the file cannot be read.
    """
    file = tree.display(path)
    data = tree.read(path)
    own = Findings()
    if path.endswith(YAML_SUFFIXES):
        from ocizone.zone.yamlfile import read_yaml  # noqa: PLC0415 - PyYAML only when it is used

        records: Iterator[Record | Batch] = read_yaml(data, file=file, origin=origin, findings=own)
    else:
        records = read_zone_master(
            data,
            file=tree.prefix + path,
            apex=origin,
            findings=own,
            resolver=tree.include,
        )
    content = gather(records, origin, own)
    check_zone(content, own, file)
    if content.is_signed and not own.refused:
        from ocizone.zone.dnssec import check_dnssec  # noqa: PLC0415 - cryptography, when needed

        check_dnssec(content, own, policy)
    for problem in own.problems():
        findings.add(problem)
    return content


def _listed(view: str, info: ZoneInfo, written: int) -> CompiledZone:
    return CompiledZone(
        view=view,
        apex=names.to_text(info.apex),
        serial=info.serial,
        records=info.records,
        file=info.file,
        content=info.content,
        signed_until=info.signed_until,
        written=written,
    )


def _not_zones(files: tuple[RevisionFile, ...], selected: tuple[Selected, ...]) -> list[str]:
    zones = {one.path for one in selected}
    return [file.path for file in files if file.path not in zones and not is_zone_tests(file.path)]
