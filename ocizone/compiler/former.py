"""What the image that is served was made of: which zones of a revision can be taken from it.

The compiler notes with each zone the files it was read from and what was found in it. A zone is
taken over when nothing that goes into it is another: its files ($INCLUDEd ones, too), the rules,
the serial it would get, and what signatures are judged by. Not here: making an image of it
(compiler.derive).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Final, Self

from ocizone.compiler.select import Selected
from ocizone.compiler.serials import serial_for, written_serial
from ocizone.compiler.spec import COMPILER_VERSION, BaseZone, CompileSpec
from ocizone.errors import Problem, Severity
from ocizone.limits import NOTED_PROBLEMS
from ocizone.wire import name as names
from ocizone.zone.content import Content
from ocizone.zone.image import MADE
from ocizone.zone.reader import ZoneInfo
from ocizone.zone.rewrite import Rewriting

# Of findings that hold for a time; all others are of what the files say.
_OF_SIGNATURES: Final = "rrsig-"


@dataclass(frozen=True, slots=True)
class FormerZone:
    """One zone file of the former revision.

    Attributes:
        path: relative to the tree.
        files: digests by path of all that was read for it.
        written: serial in the file.
        fixed: see Content.has_fixed_serial.
        problems: what was found.
        views: id and facts by view; of several ids, views were given several serials.
    """

    path: str
    files: Mapping[str, str]
    written: int
    fixed: bool
    problems: tuple[Problem, ...]
    views: dict[str, tuple[int, ZoneInfo]]

    @property
    def numbers(self) -> frozenset[int]:
        """The ids it has in the image."""
        return frozenset(number for number, _ in self.views.values())


@dataclass(frozen=True, slots=True)
class Former:
    """A copy of the image that is served, and what is known of its zones.

    Attributes:
        rewriting: the copy.
        now: unix seconds it was judged by.
        listed: id and facts of every zone, by view and apex.
        zones: those that are noted, by path and origin (lower-case wire name).
        files: digests by path of all files that those were read from.
    """

    rewriting: Rewriting
    now: int
    listed: Mapping[tuple[str, bytes], tuple[int, ZoneInfo]]
    zones: Mapping[tuple[str, bytes], FormerZone]
    files: Mapping[str, str]

    @classmethod
    def take(cls, spec: CompileSpec) -> Self | None:
        """Copy the image that is served; None when nothing can be taken from it.

        Raises:
            StoreError: the copy cannot be written.
        """
        if not spec.former or not spec.former_sha256:
            return None
        draft = Path(f"{spec.image}.derived")
        rewriting = Rewriting.of(Path(spec.former), spec.former_sha256, draft)
        if rewriting is None:
            draft.unlink(missing_ok=True)
            return None
        version, rules, prefix, now = _revision(rewriting.meta(MADE))
        if (version, rules, prefix) != (COMPILER_VERSION, _rules(spec), spec.prefix):
            rewriting.abandon()
            return None
        listed = {(view, info.apex): (number, info) for view, number, info in rewriting.listed()}
        zones = _zones(rewriting, listed)
        files = {path: digest for zone in zones.values() for path, digest in zone.files.items()}
        return cls(rewriting, now, listed, zones, files)

    def unchanged(
        self,
        one: Selected,
        files: Mapping[str, str],
        base: Mapping[tuple[str, str], BaseZone],
        spec: CompileSpec,
    ) -> FormerZone | None:
        """Return a zone as it was if reading it again would give the same.

        Args:
            one: the zone.
            files: digests by path of the revision.
            base: what is deployed, by view and apex.
            spec: of the compilation.
        """
        zone = self.zones.get((one.path, one.origin))
        if zone is None or any(files.get(path) != digest for path, digest in zone.files.items()):
            return None
        if zone.views.keys() != {rule.view for rule in one.rules}:
            return None
        for rule in one.rules:
            _, info = zone.views[rule.view]
            if not zone.fixed and rule.serial != "keep":
                before = base.get((rule.view, names.to_text(one.origin)))
                serial = serial_for(rule.serial, zone.written, info.content, before, spec.now)
            else:
                serial = zone.written
            if serial != info.serial:
                return None
            if not self._is_judged_alike(zone, info, spec):
                return None
        return zone

    def _is_judged_alike(self, zone: FormerZone, info: ZoneInfo, spec: CompileSpec) -> bool:
        """Tell whether signatures are found now as they were found then.

        All were valid then and are still: none that was refused, excused or told of counts.
        """
        if not zone.fixed:
            return True
        if any(problem.rule.startswith(_OF_SIGNATURES) for problem in zone.problems):
            return False
        if not info.signed_until:
            return True
        return self.now <= spec.now and spec.now + spec.expiring_s < info.signed_until

    def close(self) -> None:
        """Leave nothing of the copy behind; no harm when it became an image."""
        self.rewriting.abandon()


def note_revision(spec: CompileSpec) -> bytes:
    """Return what is noted of an image as a whole."""
    return json.dumps([COMPILER_VERSION, _rules(spec), spec.prefix, spec.now]).encode()


def note_zone(
    path: str,
    seen: Iterable[str],
    files: Mapping[str, str],
    content: Content,
    problems: tuple[Problem, ...],
) -> bytes:
    """Return what is noted of a zone; b"" for one that is to be read again in any case.

    Args:
        path: of its file, relative to the tree.
        seen: paths of all files that were read for it.
        files: digests by path of the revision.
        content: of the zone, as it was read.
        problems: what was found.
    """
    if len(problems) > NOTED_PROBLEMS:
        return b""
    read = {one: files[one] for one in sorted(seen)}
    found = [astuple(problem) for problem in problems]
    written = written_serial(content)
    return json.dumps([path, read, written, content.has_fixed_serial, found]).encode()


def _revision(made: bytes | None) -> tuple[Any, ...]:
    return tuple(json.loads(made)) if made else (0, "", "", 0)


def _rules(spec: CompileSpec) -> str:
    material = json.dumps([asdict(rule) for rule in spec.rules], sort_keys=True)
    return hashlib.sha256(material.encode()).hexdigest()


def _zones(
    rewriting: Rewriting, listed: Mapping[tuple[str, bytes], tuple[int, ZoneInfo]]
) -> dict[tuple[str, bytes], FormerZone]:
    notes = {number: value for number, value in rewriting.zones_made() if value}
    # One text is read in a third of the time that one for each zone takes.
    read = json.loads(b"[" + b",".join(notes.values()) + b"]")
    noted = dict(zip(notes, read, strict=True))
    zones: dict[tuple[str, bytes], FormerZone] = {}
    for (view, _), (number, info) in listed.items():
        if number not in noted:
            continue
        path, files, written, fixed, found = noted[number]
        key = (path, info.apex)
        if key not in zones:
            problems = tuple(_problem(one) for one in found)
            zones[key] = FormerZone(path, files, written, fixed, problems, {})
        zones[key].views[view] = (number, info)
    return zones


def _problem(noted: list[Any]) -> Problem:
    file, line, column, severity, rule, message, hint = noted
    return Problem(file, line, column, Severity(severity), rule, message, hint)
