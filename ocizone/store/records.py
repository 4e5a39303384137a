"""What is kept of one source: the activation pointer, its history, its last refusal.

sources/<key>/current.json              the activation pointer: one atomic rename
sources/<key>/deployments/<n>.json      the last generations (store.pruning)
sources/<key>/rejected.json             the digest that failed, so that it is not fetched again
sources/<key>/standing.json             pin, suspension, what is held (store.standing)
sources/<key>/reports/<hex>.json        what became of each manifest (store.reports)
sources/<key>/ledger.json               files of ours under PATH (store.materialise)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from ocizone import limits
from ocizone.errors import StoreError
from ocizone.plugins.artifact import Keep
from ocizone.registry.manifest import is_digest
from ocizone.store.deployments import Deployment, Rejection
from ocizone.store.disk import Disk, changed_at
from ocizone.store.ledger import Ledger
from ocizone.store.pruning import named, superfluous
from ocizone.store.reports import DeployReport
from ocizone.store.sealed import DamagedError, seal
from ocizone.store.standing import Standing
from ocizone.store.typed import read_as

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


#: Records that have a name of their own, beside the pointer.
_KINDS: Final[dict[str, type]] = {
    "standing.json": Standing,
    "rejected.json": Rejection,
    "ledger.json": Ledger,
}

T = TypeVar("T")


class SourceRecords:
    """The records of one source. Blocking; one thread at a time."""

    def __init__(self, sources: Path, key: str, disk: Disk) -> None:
        """Open the records of a source; nothing is written before something is.

        Raises:
            StoreError: the key cannot be a directory's name.
        """
        if _KEY.fullmatch(key) is None:
            raise StoreError(f"{key!r} cannot name a source")
        self._directory = sources / key
        self._deployments = self._directory / "deployments"
        self._reports = self._directory / "reports"
        self._disk = disk

    def current(self) -> Deployment | None:
        """Return what the activation pointer says; None when it is missing or damaged.

        Raises:
            StoreError: it cannot be read.
        """
        return _unless_damaged(Deployment, self._directory / "current.json")

    def history(self) -> tuple[Deployment, ...]:
        """Return the kept deployments, newest first; damaged ones are left out.

        Raises:
            StoreError: they cannot be read.
        """
        found = (_unless_damaged(Deployment, path) for path in self._history_files())
        return tuple(deployment for deployment in found if deployment is not None)

    def restorable(self) -> tuple[tuple[Deployment, ...], tuple[StoreError, ...]]:
        """Return what may be served after a start, best first, and why the rest cannot be read.

        One record that cannot be read says nothing of the others: it is passed over, as a
        damaged one is.
        """
        unreadable: list[StoreError] = []
        paths = [self._directory / "current.json"]
        try:
            paths += self._history_files()
        except StoreError as error:
            unreadable.append(error)
        # By generation: the pointer and the newest of the history are the same deployment.
        found: dict[int, Deployment] = {}
        for path in paths:
            try:
                deployment = _unless_damaged(Deployment, path)
            except StoreError as error:
                unreadable.append(error)
                continue
            if deployment is not None:
                found.setdefault(deployment.generation, deployment)
        return tuple(found.values()), tuple(unreadable)

    def candidates(self) -> tuple[Deployment, ...]:
        """Return all of ``restorable``: what must not be collected.

        Raises:
            StoreError: a record cannot be read; what it names may be wanted again.
        """
        found, unreadable = self.restorable()
        if unreadable:
            raise unreadable[0]
        return found

    def commit_next(self, deployment: Deployment) -> Deployment:
        """Commit a deployment as the next generation, and return it with its number.

        Args:
            deployment: its generation is that of what is served, 0 when nothing is.

        Raises:
            StoreError: see ``commit``.
        """
        latest = deployment.generation or self._pointed_at()
        latest = max([latest, *(int(path.stem) for path in self._history_files())])
        deployment = replace(deployment, generation=latest + 1)
        self.commit(deployment)
        return deployment

    def _pointed_at(self) -> int:
        """Return the generation of what the pointer names, 0 for nothing."""
        try:
            current = self.current()
        except StoreError:
            # It is about to be replaced; the history's names tell the number.
            return 0
        return current.generation if current else 0

    def commit(self, deployment: Deployment) -> None:
        """Make a deployment the current one. Its image must be durable already.

        Raises:
            StoreError: it failed; the pointer stands where it stood (or, when only the last
                fsync failed, may stand on the new deployment: both are complete).
        """
        self._disk.directory(self._deployments)
        data = seal(deployment.to_json())
        self._disk.write(self._history_path(deployment.generation), data, "history")
        self._disk.write(self._directory / "current.json", data, "current")

    def retract(self, previous: Deployment | None) -> None:
        """Point back at the previous deployment: the new one could not be served after all.

        Raises:
            StoreError: it failed.
        """
        path = self._directory / "current.json"
        if previous is None:
            self._disk.remove(path, "current")
        else:
            self._disk.write(path, seal(previous.to_json()), "current")

    def prune(self, keep: Keep, now: float) -> tuple[Deployment, ...]:
        """Forget the deployments that are not kept, and reports of what was not deployed.

        Every record is read once: those of 100,000 zones take a while.

        Args:
            keep: how many deployments, and how long.
            now: unix seconds.

        Returns:
            The deployments that are kept: what they name must not be collected.

        Raises:
            StoreError: it failed, or a record cannot be read: what it protects is not known.
        """
        known = self.candidates()
        # Without a whole pointer the newest is what a start would serve.
        current = known[0] if known else None
        protected = named(current, self.standing())
        history = sorted(known, key=lambda one: one.generation, reverse=True)
        gone = {one.generation for one in superfluous(history, keep, current, protected, now)}
        whole = {one.generation for one in known}
        for place, path in enumerate(self._history_files()):
            # What is damaged tells nothing; it goes when a whole one would.
            damaged = int(path.stem) not in whole and place >= keep.deployments
            if damaged or int(path.stem) in gone:
                self._disk.remove(path, "history")
        kept = tuple(one for one in known if one.generation not in gone)
        self._prune_reports(protected | {one.digest for one in kept})
        return kept

    def _prune_reports(self, wanted: frozenset[str]) -> None:
        if len(self._listed(self._reports)) <= limits.KEEP_REPORTS:
            return
        known = self.reports()
        kept = {one.digest for one in known[: limits.KEEP_REPORTS]} | wanted
        for path in self._listed(self._reports):
            if f"sha256:{path.stem}" not in kept or _unless_damaged(DeployReport, path) is None:
                self._disk.remove(path, "report")

    def delete_manifests(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Forget deployments and reports of manifests; return those that were known.

        One that is not known is no error, and one that is served, pinned or held is left.

        Raises:
            StoreError: it failed, or a record cannot be read.
        """
        protected = named(self.current(), self.standing())
        history = self.history()
        deleted = []
        for digest in dict.fromkeys(digests):
            if digest in protected:
                continue
            found = [one for one in history if one.digest == digest]
            for one in found:
                self._disk.remove(self._history_path(one.generation), "history")
            if self.forget_report(digest) or found:
                deleted.append(digest)
        return tuple(deleted)

    def _history_path(self, generation: int) -> Path:
        return self._deployments / f"{generation:08d}.json"

    def rejected(self) -> Rejection | None:
        """Return the last refusal; None when there is none or it is damaged.

        Raises:
            StoreError: it cannot be read.
        """
        return _unless_damaged(Rejection, self._directory / "rejected.json")

    def reject(self, rejection: Rejection) -> None:
        """Remember a refusal.

        Raises:
            StoreError: it failed; the digest will be fetched again.
        """
        self._disk.directory(self._directory)
        self._disk.write(self._directory / "rejected.json", seal(rejection.to_json()), "rejection")

    def standing(self) -> Standing:
        """Return what the operator decided; nothing when there is none.

        Raises:
            StoreError: it cannot be read, or is damaged.
        """
        return read_as(Standing, self._directory / "standing.json") or Standing()

    def keep_standing(self, standing: Standing) -> None:
        """Remember what the operator decided.

        Raises:
            StoreError: it failed; what was remembered before still is.
        """
        self._disk.directory(self._directory)
        self._disk.write(self._directory / "standing.json", seal(standing.to_json()), "standing")

    def report(self, digest: str) -> DeployReport | None:
        """Return what became of a manifest; None when nothing is known, or it is damaged.

        Raises:
            StoreError: it cannot be read, or ``digest`` is none.
        """
        return _unless_damaged(DeployReport, self._report_path(digest))

    def reports(self) -> tuple[DeployReport, ...]:
        """Return every report, the one that changed last first; damaged ones are left out.

        Raises:
            StoreError: they cannot be read.
        """
        found = (_unless_damaged(DeployReport, path) for path in self._listed(self._reports))
        known = [report for report in found if report is not None]
        known.sort(key=lambda one: one.history[-1][1] if one.history else 0.0, reverse=True)
        return tuple(known)

    def keep_report(self, report: DeployReport) -> None:
        """Write a report in the place of the one before it.

        Raises:
            StoreError: it failed.
        """
        self._disk.directory(self._reports)
        self._disk.write(self._report_path(report.digest), seal(report.to_json()), "report")

    def forget_report(self, digest: str) -> bool:
        """Remove a report; tells whether there was one. One that is not there is no error.

        Raises:
            StoreError: it cannot be removed.
        """
        path = self._report_path(digest)
        if not path.exists():
            return False
        self._disk.remove(path, "report")
        return True

    def _report_path(self, digest: str) -> Path:
        if not is_digest(digest):
            raise StoreError(f"{digest!r} is no sha256 digest")
        return self._reports / f"{digest.removeprefix('sha256:')}.json"

    def ledger(self) -> Ledger | None:
        """Return the ledger of materialised files; None when there is none or it is damaged.

        Raises:
            StoreError: it cannot be read.
        """
        return _unless_damaged(Ledger, self._directory / "ledger.json")

    def write_ledger(self, ledger: Ledger) -> None:
        """Replace the ledger.

        Raises:
            StoreError: it failed.
        """
        self._disk.directory(self._directory)
        self._disk.write(self._directory / "ledger.json", seal(ledger.to_json()), "ledger")

    def stamp(self) -> tuple[tuple[str, int], ...]:
        """Return what changes when the kept deployments do; reads no record.

        Raises:
            StoreError: they cannot be listed.
        """
        return tuple((path.name, changed_at(path)) for path in self._history_files())

    def sealed(self) -> tuple[tuple[Path, type], ...]:
        """Return every record there is, and what it is of.

        Raises:
            StoreError: a directory cannot be listed.
        """
        return tuple(
            (path, _KINDS.get(path.name, kind))
            for directory, kind in (
                (self._directory, Deployment),
                (self._deployments, Deployment),
                (self._reports, DeployReport),
            )
            for path in sorted(self._listed(directory))
            if path.suffix == ".json"
        )

    def _history_files(self) -> list[Path]:
        """Return the records of deployments, newest first."""
        found = [path for path in self._listed(self._deployments) if path.stem.isdecimal()]
        return sorted(found, key=lambda path: int(path.stem), reverse=True)

    def _listed(self, directory: Path) -> list[Path]:
        try:
            return list(directory.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"cannot list {directory}: {error.strerror}") from error


def _unless_damaged(kind: type[T], path: Path) -> T | None:
    try:
        return read_as(kind, path)
    except DamagedError:
        return None
