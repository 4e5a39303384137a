"""Checking one zone file on disk, for ``ocizone check``: the compiler's own reader and checks.

Opens files and nothing else: no store, no image, no network. Not here: whole directories, which
are compiled as the artifact they would be (ocizone.publish).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.pipeline import read_zone
from ocizone.compiler.select import YAML_SUFFIXES, origin_of_name, origin_of_soa
from ocizone.compiler.tree import SourceTree
from ocizone.errors import Problem, StoreError
from ocizone.findings import Findings
from ocizone.store.paths import names_a_secret
from ocizone.wire import name as names
from ocizone.zone.build import zone_info
from ocizone.zone.dnssecpolicy import DnssecPolicy


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
    folder = path.parent
    tree = SourceTree(folder, "" if folder == Path() else f"{folder.as_posix().rstrip('/')}/")
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


def _origin(tree: SourceTree, path: str) -> bytes | None:
    origin = origin_of_name(path)
    if origin is None and not path.endswith(YAML_SUFFIXES):
        origin = origin_of_soa(tree, path)
    return origin
