"""The compilation itself: unpack, select, read, check, build, write the image.

``compile_revision`` is what the child runs, what tests call, and what fills a CompileReport.
One zone is in memory at a time. Not here: stdin and stdout (``__main__``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ocizone.compiler.select import YAML_SUFFIXES, Selected, select
from ocizone.compiler.spec import CompiledZone, CompileReport, CompileSpec, RevisionFile
from ocizone.compiler.tree import SourceTree
from ocizone.errors import ZoneError
from ocizone.findings import Findings
from ocizone.limits import ZONES_PER_IMAGE
from ocizone.store.unpack import unpack
from ocizone.wire import name as names
from ocizone.zone.build import nsec3_nodes, zone_info, zone_nodes
from ocizone.zone.check import check_zone
from ocizone.zone.content import Content, gather
from ocizone.zone.image import ImageZone, write_image
from ocizone.zone.masterfile import read_master
from ocizone.zone.reader import ZoneInfo


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
    files = unpack(spec.layers, Path(spec.tree), findings)
    zones: tuple[CompiledZone, ...] = ()
    digest, octets = "", 0
    selected: tuple[Selected, ...] = ()
    tree = SourceTree(Path(spec.tree), spec.prefix, spec.source)
    if not findings.refused:
        selected = select(tree, spec.rules, findings)
    if not findings.refused:
        compiled = _Compiled(tree, selected, findings)
        try:
            digest, octets = write_image(Path(spec.image), compiled.zones())
            zones = tuple(compiled.listed)
        except ZoneError:
            # Raised by compiled.zones() so that no image is written; the findings say why.
            assert findings.refused
    return CompileReport(
        problems=findings.problems(),
        zones=zones,
        files=files,
        image_sha256=digest,
        image_octets=octets,
        seconds=clock() - started,
        extra={"not_zones": _not_zones(files, selected)},
    )


class _Compiled:
    """Reads the selected zones one after the other, and lists those that went well."""

    def __init__(
        self, tree: SourceTree, selected: tuple[Selected, ...], findings: Findings
    ) -> None:
        self.listed: list[CompiledZone] = []
        self._tree = tree
        self._selected = selected
        self._findings = findings

    def zones(self) -> Iterator[ImageZone]:
        """Yield zones to write.

        Raises:
            ZoneError: at the end, when any zone of the revision was refused.
        """
        if len(self._selected) > ZONES_PER_IMAGE:
            message = f"{len(self._selected)} zones, over {ZONES_PER_IMAGE}"
            self._findings.error("", 0, 0, "zones", message)
            raise ZoneError(self._findings.problems())
        for one in self._selected:
            file = self._tree.display(one.path)
            content = read_zone(self._tree, one.path, one.origin, self._findings)
            # One refused zone refuses the revision: the rest is only checked.
            if self._findings.refused:
                continue
            info = zone_info(content, file)
            self.listed += [_listed(view, info) for view in one.views]
            yield ImageZone(one.views, info, zone_nodes(content), nsec3_nodes(content))
        if self._findings.refused:
            raise ZoneError(self._findings.problems())


def read_zone(tree: SourceTree, path: str, origin: bytes, findings: Findings) -> Content:
    """Read and check one zone file, of either format; findings tell whether it is usable.

    Args:
        tree: where the file is, and what it may include.
        path: relative to the tree; its suffix tells the format.
        origin: lower-case wire name.
        findings: where problems go.

    Raises:
        StoreError: the file cannot be read.
    """
    file = tree.display(path)
    data = tree.read(path)
    own = Findings()
    if path.endswith(YAML_SUFFIXES):
        from ocizone.zone.yamlfile import read_yaml  # noqa: PLC0415 - PyYAML only when it is used

        records = read_yaml(data, file=file, origin=origin, findings=own)
    else:
        records = read_master(
            data,
            file=tree.prefix + path,
            origin=origin,
            findings=own,
            resolver=tree.include,
        )
    content = gather(records, origin, own)
    check_zone(content, own, file)
    for problem in own.problems():
        findings.add(problem)
    return content


def _listed(view: str, info: ZoneInfo) -> CompiledZone:
    return CompiledZone(view, names.to_text(info.apex), info.serial, info.records, info.file)


def _not_zones(files: tuple[RevisionFile, ...], selected: tuple[Selected, ...]) -> list[str]:
    zones = {one.path for one in selected}
    return [file.path for file in files if file.path not in zones]
