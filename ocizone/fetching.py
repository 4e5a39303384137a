"""Pulling an artifact into a directory, with the care the server takes: digests, paths, limits.

Blocking. Not here: which digest (the client resolves), and its signature (registry.signatures).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ocizone.compiler.spec import RevisionFile
from ocizone.errors import ArtifactError, Problem, StoreError
from ocizone.findings import Findings
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.opening import as_layer
from ocizone.registry.api import PullClient
from ocizone.store.unpack import unpack


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was pulled: files with their paths in the directory, and warnings."""

    files: tuple[RevisionFile, ...]
    warnings: tuple[Problem, ...]


def fetch_into(client: PullClient, digest: str, directory: Path, *, force: bool) -> Fetched:
    """Pull a manifest's files into a directory; on failure nothing of it is there.

    Args:
        client: of the repository.
        digest: of the manifest.
        directory: made when it is not there.
        force: it need not be empty; files of the same path are replaced.

    Raises:
        RegistryError: the artifact cannot be pulled.
        ArtifactError: its content is refused.
        StoreError: the directory is not empty or cannot be written, or a link is in the way.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not force and any(directory.iterdir()):
            raise StoreError(f"{directory} is not empty: give another with -O, or --force")
        # In the directory itself, so that moving is renaming.
        with tempfile.TemporaryDirectory(prefix=".ocizone-pull-", dir=directory) as name:
            fetched = _fetch(client, digest, Path(name))
            _move(Path(name, "tree"), directory, fetched.files)
    except OSError as error:
        raise StoreError(f"cannot write {directory}: {error.strerror or error}") from error
    return fetched


def _fetch(client: PullClient, digest: str, workspace: Path) -> Fetched:
    layers = []
    for layer in client.manifest(digest).layers:
        path = workspace / layer.digest.removeprefix("sha256:")
        if not path.exists():
            client.start_attempt(ATTEMPT_DEADLINE_S)
            client.fetch(layer, path)
        layers.append(as_layer(layer, path))
    tree = workspace / "tree"
    tree.mkdir()
    findings = Findings()
    files = unpack(layers, tree, findings)
    if findings.refused:
        raise ArtifactError(findings.problems())
    return Fetched(files, findings.problems())


def _move(tree: Path, directory: Path, files: Iterable[RevisionFile]) -> None:
    """Move files; what they would pass through or replace is looked at before the first one."""
    targets = [(tree / file.path, directory / file.path) for file in files]
    for _, target in targets:
        for part in (target, *target.parents):
            if part == directory:
                break
            if part.is_symlink() or (part == target and target.is_dir()):
                raise StoreError(f"{part} is in the way: a link or a directory is not written over")
    mode = 0o666 & ~_umask()
    for source, target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.chmod(mode)
        source.replace(target)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
