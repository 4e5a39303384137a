"""Checking files on disk one by one, for ``ocizone check``: the compiler's own reader and checks.

Opens files and nothing else: no store, no network; an image only to run zone tests, in a temporary
directory. Not here: whole directories, which are compiled as the artifact they would be
(ocizone.publish).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.pipeline import read_zone
from ocizone.compiler.select import YAML_SUFFIXES, origin_of_name, origin_of_soa
from ocizone.compiler.testfile import read_tests
from ocizone.compiler.tree import SourceTree
from ocizone.compiler.zonetests import run_tests
from ocizone.errors import Problem, StoreError
from ocizone.findings import Findings
from ocizone.store.paths import names_a_secret
from ocizone.wire import name as names
from ocizone.zone.build import encoded_nodes, encoded_nsec3, zone_info
from ocizone.zone.dnssecpolicy import DnssecPolicy
from ocizone.zone.image import Image, ImageZone, write_image


@dataclass(frozen=True, slots=True)
class CheckedZone:
    """A zone that was checked.

    Attributes:
        file: as findings call it.
        origin: absolute presentation form, lower case.
        serial: of the SOA; None when the zone was refused.
        records: how many; 0 when it was refused.
    """

    file: str
    origin: str
    serial: int | None
    records: int


def check_zone_file(
    path: Path, origin: str | None = None, now: int = 0
) -> tuple[tuple[Problem, ...], CheckedZone | None]:
    """Check a zone file; ``$INCLUDE`` may name files beside and below it.

    Args:
        path: a regular file.
        origin: the zone's name in presentation form, when the file's name does not tell.
        now: unix seconds: signatures are judged by it.

    Returns:
        All findings, and the zone unless it cannot be told which one it is.

    Raises:
        StoreError: the path cannot be read.
        wire.name.BadNameError: ``origin`` is no name.
    """
    stated = names.lower(names.from_text(origin)) if origin is not None else None
    if not path.exists():
        raise StoreError(f"{path} does not exist")
    if not path.is_file():
        raise StoreError(f"{path} is no file and no directory")
    findings = Findings()
    tree = _beside(path)
    file = tree.display(path.name)
    if names_a_secret(path.name):
        message = "it names a private key or credentials"
        findings.error(file, 0, 0, "secret", message, "do not put it into an artifact")
        return findings.problems(), None
    apex = stated or _origin(tree, path.name)
    if apex is None:
        hint = "call it db.ORIGIN, ORIGIN.zone or ORIGIN.yaml, or begin it with $ORIGIN and a SOA"
        findings.error(file, 0, 0, "origin", "which zone it is cannot be told", hint)
        return findings.problems(), None
    content = read_zone(tree, path.name, apex, findings, DnssecPolicy(now))
    if findings.refused:
        return findings.problems(), CheckedZone(file, names.to_text(apex), None, 0)
    info = zone_info(content, file, now)
    zone = CheckedZone(file, names.to_text(apex), info.serial, info.records)
    return findings.problems(), zone


def check_test_file(
    path: Path, zones: Sequence[tuple[Path, CheckedZone]], now: int = 0
) -> tuple[tuple[Problem, ...], int]:
    """Run a file of zone tests against zone files that were checked; tests of others are not run.

    Args:
        path: a regular file.
        zones: that were checked, and where they are; with one that was refused none is tested.
        now: unix seconds: signatures are judged by it.

    Returns:
        Findings about the tests, and how many held.

    Raises:
        StoreError: a file cannot be read, or the temporary directory not be written.
    """
    findings = Findings()
    tests = read_tests(_beside(path), [path.name], findings)
    if not tests or not zones or any(zone.serial is None for _, zone in zones):
        return findings.problems(), 0
    apexes = [names.from_text(zone.origin) for _, zone in zones]
    with tempfile.TemporaryDirectory(prefix="ocizone-check-") as folder:
        image = Path(folder, "image")
        write_image(image, _images(zones, now))
        held = run_tests(tests, Image.open(image).zones(), apexes, findings)
    return findings.problems(), held


def _images(zones: Sequence[tuple[Path, CheckedZone]], now: int) -> Iterator[ImageZone]:
    """Yield zones that were read without errors, read again: one is in memory at a time."""
    for path, zone in zones:
        apex = names.from_text(zone.origin)
        content = read_zone(_beside(path), path.name, apex, Findings(), DnssecPolicy(now))
        info = zone_info(content, zone.file, now)
        yield ImageZone(("",), info, encoded_nodes(content), encoded_nsec3(content))


def _beside(path: Path) -> SourceTree:
    """Return the folder of a file, which is called as the operator calls it."""
    folder = path.parent
    return SourceTree(folder, "" if folder == Path() else f"{folder.as_posix().rstrip('/')}/")


def _origin(tree: SourceTree, path: str) -> bytes | None:
    origin = origin_of_name(path)
    if origin is None and not path.endswith(YAML_SUFFIXES):
        origin = origin_of_soa(tree, path)
    return origin
