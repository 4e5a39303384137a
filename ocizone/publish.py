"""What ``ocizone push`` and ``ocizone check`` do with paths: collect files, check zones.

Blocking; opens files and nothing else. Not here: talking to the registry (registry.push) and
the words on the terminal (cli).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ocizone.compiler.ondisk import CheckedZone, check_test_file, check_zone_file
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.select import is_zone_tests
from ocizone.compiler.spec import CompileSpec, Layer, ZoneRule
from ocizone.errors import ArtifactError, InputError, Problem, Severity, StoreError
from ocizone.registry.push import ZONE_TYPE
from ocizone.store.disk import sha256_of
from ocizone.store.paths import is_leftover, names_a_secret

YAML_TYPE = "application/yaml"
#: The one view of images that are made to be looked at, not served.
CHECK_VIEW = "check"


@dataclass(frozen=True, slots=True, order=True)
class FileToPush:
    """One file: its title in the artifact, where it is, and its media type."""

    title: str
    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking paths found.

    Attributes:
        problems: sorted by place.
        zones: that were read.
        tests: how many zone tests held.
    """

    problems: tuple[Problem, ...]
    zones: tuple[CheckedZone, ...]
    tests: int = 0

    @property
    def refused(self) -> bool:
        """Tell whether a finding refuses."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def records(self) -> int:
        """How many records the zones have."""
        return sum(zone.records for zone in self.zones)


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
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise StoreError(f"{path} is no file and no directory")
    found = []
    for file in sorted(path.rglob("*")):
        title = file.relative_to(path).as_posix()
        if file.is_file() and _is_meant(title):
            if not file.resolve().is_relative_to(path.resolve()):
                # What stands beside the zones of a checkout may lead anywhere.
                message = f"it is a link to {file.resolve()}, outside {path}"
                raise _refused(str(file), "link-outside", message)
            found.append((title, file))
    return found


def _is_meant(title: str) -> bool:
    """Tell whether a file of a directory is to be pushed: ``.git/config`` may hold a token."""
    return not is_leftover(title) and not any(part.startswith(".") for part in title.split("/"))


def check_zones(paths: Sequence[Path], now: int, origin: str | None = None) -> Checked:
    """Check zone files, each by itself, and directories, each as the artifact it would be.

    Files of zone tests among them run against the files beside them. What cannot be read is a
    finding like any other.

    Args:
        paths: files and directories.
        now: unix seconds: signatures are judged by it.
        origin: the zone's name, for files whose name does not tell.

    Raises:
        wire.name.BadNameError: ``origin`` is no name.
    """
    found: list[Checked] = []
    alone: list[tuple[Path, CheckedZone]] = []
    tests = [path for path in paths if is_zone_tests(path.name) and not path.is_dir()]
    for path in (path for path in paths if path not in tests):
        with _findings(path, found):
            if path.is_dir():
                found.append(check_files(collect([path]), now))
            else:
                problems, zone = check_zone_file(path, origin, now)
                found.append(Checked(problems, (zone,) if zone else ()))
                alone += [(path, zone)] if zone else []
    for path in tests:
        with _findings(path, found):
            problems, held = check_test_file(path, alone, now)
            found.append(Checked(problems, (), held))
    return Checked(
        tuple(sorted(problem for one in found for problem in one.problems)),
        tuple(zone for one in found for zone in one.zones),
        sum(one.tests for one in found),
    )


@contextmanager
def _findings(path: Path, found: list[Checked]) -> Iterator[None]:
    """Make findings of errors."""
    try:
        yield
    except InputError as error:
        found.append(Checked(error.problems, ()))
    except StoreError as error:
        unreadable = Problem(str(path), 0, 0, Severity.ERROR, "unreadable", str(error))
        found.append(Checked((unreadable,), ()))


def check_files(files: Sequence[FileToPush], now: int) -> Checked:
    """Compile files as a server would compile the artifact they make; keep only the findings.

    Args:
        files: of the artifact.
        now: unix seconds: signatures are judged by it.

    Raises:
        StoreError: a file cannot be read, or the temporary directory not be written.
    """
    with tempfile.TemporaryDirectory(prefix="ocizone-check-") as name:
        return compile_files(files, now, Path(name))


def compile_files(files: Sequence[FileToPush], now: int, directory: Path) -> Checked:
    """Compile files as a server would; the image is ``directory / "image"`` unless refused.

    Args:
        files: of the artifact.
        now: unix seconds: signatures are judged by it.
        directory: an empty one.

    Raises:
        StoreError: a file cannot be read, or the directory not be written.
    """
    layers = tuple(
        Layer(str(file.path.absolute()), f"sha256:{sha256_of(file.path)}", file.title, False, "")
        for file in files
    )
    tree = directory / "tree"
    tree.mkdir()
    rules = (ZoneRule(CHECK_VIEW, "artifact", "", (".",)),)
    spec = CompileSpec("the artifact", layers, rules, str(tree), str(directory / "image"), now=now)
    report = compile_revision(spec, time.monotonic)
    paths = {file.title: str(file.path) for file in files}
    problems = (
        replace(problem, file=paths.get(problem.file, problem.file)) for problem in report.problems
    )
    zones = (
        CheckedZone(paths.get(zone.file, zone.file), zone.apex, zone.serial, zone.records)
        for zone in report.zones
    )
    return Checked(tuple(sorted(problems)), tuple(zones), report.tests)
