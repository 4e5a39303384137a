"""What ``ocizone push`` and ``ocizone check`` do with paths: collect files, check zones.

Blocking; opens files and nothing else. Not here: talking to the registry (registry.push) and
the words on the terminal (cli).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.ondisk import CheckedZone, check_zone_file
from ocizone.errors import ArtifactError, Problem, Severity, StoreError
from ocizone.registry.push import ZONE_TYPE
from ocizone.store.paths import is_leftover, names_a_secret

YAML_TYPE = "application/yaml"


@dataclass(frozen=True, slots=True, order=True)
class FileToPush:
    """One file: its title in the artifact, where it is, and its media type."""

    title: str
    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking paths found: findings sorted by place, and the zones that were read."""

    problems: tuple[Problem, ...]
    zones: tuple[CheckedZone, ...]

    @property
    def refused(self) -> bool:
        """Tell whether a finding refuses."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def records(self) -> int:
        """How many records the zones have."""
        return sum(zone.info.records for zone in self.zones if zone.info)


def collect(paths: Iterable[Path]) -> list[FileToPush]:
    """Return the files to push, sorted by title: the order of layers does not depend on ours.

    A directory gives every file below it, titled by its path inside; a file gives itself,
    titled by its name. Hidden and editors' backup files of a directory are left out.

    Raises:
        StoreError: a path does not exist.
        ArtifactError: a file is a secret, two files have one title, or there is no file.
    """
    found: dict[str, FileToPush] = {}
    for path in paths:
        for title, file in _files(path):
            if names_a_secret(title):
                message = "it names a private key or credentials: not pushed"
                raise _refused(str(file), "secret", message)
            if title in found:
                message = f"{found[title].path} has the same title {title}"
                raise _refused(str(file), "duplicate-title", message)
            yaml = title.endswith((".yaml", ".yml"))
            found[title] = FileToPush(title, file, YAML_TYPE if yaml else ZONE_TYPE)
    if not found:
        raise _refused(", ".join(map(str, paths)), "no-files", "there is no file to push")
    return sorted(found.values())


def _refused(file: str, rule: str, message: str) -> ArtifactError:
    return ArtifactError([Problem(file, 0, 0, Severity.ERROR, rule, message)])


def _files(path: Path) -> list[tuple[str, Path]]:
    if not path.exists():
        raise StoreError(f"{path} does not exist")
    if not path.is_dir():
        return [(path.name, path)]
    return [
        (title, file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and _is_meant(title := file.relative_to(path).as_posix())
    ]


def _is_meant(title: str) -> bool:
    """Tell whether a file of a directory is to be pushed: ``.git/config`` may hold a token."""
    return not is_leftover(title) and not any(part.startswith(".") for part in title.split("/"))


def check_zones(paths: Sequence[Path], origin: str | None = None) -> Checked:
    """Check zone files and directories, one zone claimed twice among the findings.

    Raises:
        StoreError: a path cannot be read.
        wire.name.BadNameError: ``origin`` is no name.
    """
    problems: list[Problem] = []
    zones: list[CheckedZone] = []
    for path in paths:
        found, checked = check_zone_file(path, origin)
        problems += found
        zones += checked
    first: dict[str, CheckedZone] = {}
    for zone in zones:
        if zone.origin in first:
            message = f"{zone.origin} is the zone of {first[zone.origin].file} too"
            problems.append(
                Problem(zone.file, 0, 0, Severity.ERROR, "origin-claimed-twice", message)
            )
        first.setdefault(zone.origin, zone)
    return Checked(tuple(sorted(problems)), tuple(zones))
