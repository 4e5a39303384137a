"""Revisions of one source, each compiled twice: cold, and derived from the one before it."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import BaseZone, CompileReport, CompileSpec, Layer, ZoneRule
from ocizone.zone.rewrite import Rewriting

VIEW = "dns://.:53"
RULE = ZoneRule(VIEW, "artifact", "", (".",))


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as one tar.gz, the same octets for the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), 1, mtime=0)


def compile_here(spec: CompileSpec) -> CompileReport:
    """Compile in this process."""
    return compile_revision(spec, lambda: 0.0)


@dataclass
class Revisions:
    """What a source has had so far.

    Attributes:
        base: a directory of its own.
        rules: of the blocks.
        former: what was derived last, its spec and its report.
        run: compiles.
    """

    base: Path
    rules: tuple[ZoneRule, ...] = (RULE,)
    now: int = 1_700_000_000
    archive: bool = False
    former: tuple[CompileSpec, CompileReport] | None = None
    run: Callable[[CompileSpec], CompileReport] = compile_here
    _numbers: Any = field(default_factory=itertools.count)

    def add(self, files: Mapping[str, str | bytes]) -> CompileReport:
        """Compile the next revision both ways; they must be alike. Returns the derived report."""
        octets = {
            name: data.encode() if isinstance(data, str) else data for name, data in files.items()
        }
        cold = self._spec(octets, derived=False)
        derived = self._spec(octets, derived=True)
        wanted, found = self._compiled(cold), self._compiled(derived)
        assert told(found) == told(wanted)
        assert not list(self.base.rglob("*.derived"))
        if found.image_sha256:
            assert content(Path(derived.image)) == content(Path(cold.image))
            octets_of = Path(derived.image).read_bytes()
            assert found.image_sha256 == hashlib.sha256(octets_of).hexdigest()
            assert found.image_octets == len(octets_of)
            self.former = derived, found
        return found

    def compiled(
        self, files: Mapping[str, str], former: tuple[CompileSpec, CompileReport]
    ) -> CompileReport:
        """Compile files after a revision, as the server asks for it; compare nothing."""
        self.former = former
        octets = {name: data.encode() for name, data in files.items()}
        return self._compiled(self._spec(octets, derived=True))

    def _compiled(self, spec: CompileSpec) -> CompileReport:
        Path(spec.tree).mkdir(parents=True)
        return self.run(spec)

    def _spec(self, files: dict[str, bytes], *, derived: bool) -> CompileSpec:
        folder = self.base / str(next(self._numbers))
        spec = CompileSpec(
            "test",
            self._layers(files),
            self.rules,
            str(folder / "tree"),
            str(folder / "image"),
            now=self.now,
        )
        if self.former is None:
            return spec
        before, report = self.former
        base = tuple(BaseZone(z.view, z.apex, z.serial, z.content) for z in report.zones)
        spec = replace(spec, base=base, former=before.image)
        if not derived:
            return spec
        return replace(spec, former_sha256=report.image_sha256, former_layers=before.layers)

    def _layers(self, files: dict[str, bytes]) -> tuple[Layer, ...]:
        titled = {"": packed(files)} if self.archive else files
        layers = []
        for title, data in titled.items():
            digest = hashlib.sha256(data).hexdigest()
            blob = self.base / digest
            blob.write_bytes(data)
            layers.append(Layer(str(blob), f"sha256:{digest}", title, self.archive, ""))
        return tuple(layers)


def told(report: CompileReport) -> CompileReport:
    """Return what a report tells of a revision, whichever way it was compiled."""
    extra = {key: value for key, value in report.extra.items() if key != "derived"}
    return replace(report, image_sha256="", image_octets=0, extra=extra)


def content(path: Path) -> dict[Any, Any]:
    """Return all that an image holds, but for the numbers it gives its zones."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    copy = Rewriting.of(path, sha256, path.with_name("copy"))
    assert copy is not None
    notes = dict(copy.zones_made())
    found = {}
    for view, number, info in copy.listed():
        zone = copy.before(number, info)
        nodes, nsec3 = tuple(zone.encoded()), tuple(zone.nsec3_encoded())
        found[view, info.apex] = info, nodes, nsec3, json.loads(notes[number] or b"null")
    copy.abandon()
    return found
