"""Checking zone files on disk, for ``ocizone check``: the compiler's own reader and checks.

Opens files and nothing else: no store, no image, no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.pipeline import read_zone
from ocizone.compiler.select import YAML_SUFFIXES, origin_of_name, origin_of_soa
from ocizone.compiler.tree import SourceTree
from ocizone.errors import Problem, StoreError
from ocizone.findings import Findings
from ocizone.store.paths import is_leftover, names_a_secret
from ocizone.wire import name as names
from ocizone.zone.build import zone_info
from ocizone.zone.reader import ZoneInfo


@dataclass(frozen=True, slots=True)
class CheckedZone:
    """A zone file that was checked.

    Attributes:
        file: as findings call it.
        origin: absolute presentation form, lower case.
        info: facts of the zone; None when it was refused.
    """

    file: str
    origin: str
    info: ZoneInfo | None


def check_zone_file(
    path: Path, origin: str | None = None
) -> tuple[list[Problem], tuple[CheckedZone, ...]]:
    """Check a zone file, or every zone file below a folder.

    Args:
        path: a file or a folder. In a folder, zones are found as in an artifact: by the file's
            name, else by the SOA's owner; other files are passed over.
        origin: the zone's name in presentation form, for one file whose name does not tell.

    Raises:
        StoreError: the path cannot be read.
        wire.name.BadNameError: ``origin`` is no name.
    """
    findings = Findings()
    if not path.is_dir() and not path.is_file():
        raise StoreError(f"{path} is no file and no folder")
    if path.is_dir():
        tree = SourceTree(path, f"{path.as_posix().rstrip('/')}/")
        paths = list(tree.files())
    else:
        folder = path.parent
        tree = SourceTree(folder, "" if folder == Path() else f"{folder.as_posix().rstrip('/')}/")
        paths = [path.name]
    stated = names.lower(names.from_text(origin)) if origin is not None else None
    checked = [
        zone
        for one in paths
        for zone in _check(tree, one, stated, findings, must_be_zone=not path.is_dir())
    ]
    return list(findings.problems()), tuple(checked)


def _check(
    tree: SourceTree, path: str, stated: bytes | None, findings: Findings, *, must_be_zone: bool
) -> list[CheckedZone]:
    file = tree.display(path)
    if names_a_secret(path):
        message = "it names a private key or credentials"
        findings.error(file, 0, 0, "secret", message, "do not put it into an artifact")
        return []
    if is_leftover(path) and not must_be_zone:
        return []
    origin = stated or origin_of_name(path)
    if origin is None and not path.endswith(YAML_SUFFIXES):
        origin = origin_of_soa(tree, path)
    if origin is None:
        if must_be_zone:
            hint = (
                "call it db.ORIGIN, ORIGIN.zone or ORIGIN.yaml, or begin it with $ORIGIN and a SOA"
            )
            findings.error(file, 0, 0, "origin", "which zone it is cannot be told", hint)
        return []
    own = Findings()
    content = read_zone(tree, path, origin, own)
    for problem in own.problems():
        findings.add(problem)
    info = None if own.refused else zone_info(content, file)
    return [CheckedZone(file, names.to_text(origin), info)]
