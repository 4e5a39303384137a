"""Where files come from, by git: revision, source and time of the commit. Runs git, with a timeout.

Nothing is guessed: outside of a repository, or without git, it is an error.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ocizone.errors import OcizoneError
from ocizone.limits import GIT_S
from ocizone.registry.manifest import REVISION
from ocizone.registry.push import created_from

SOURCE = "org.opencontainers.image.source"


class GitError(OcizoneError):
    """Git does not say; the message has its reason."""


@dataclass(frozen=True, slots=True)
class GitFacts:
    """What git knows of a directory.

    Attributes:
        revision: hash of the commit; with ``-dirty`` when files below differ from it.
        source: URL of the remote ``origin`` without user and password, "" for none.
        committed: unix seconds of the commit; None when files differ from it.
    """

    revision: str
    source: str
    committed: int | None


@dataclass(frozen=True, slots=True)
class Labels:
    """What is said of an artifact beside its content.

    Attributes:
        annotations: of the manifest.
        created: RFC 3339, or None for none: the same files then give the same digest.
    """

    annotations: Mapping[str, str]
    created: str | None


def git_facts(directory: Path) -> GitFacts:
    """Return what git knows of a directory.

    Raises:
        GitError: it is in no repository, there is no git, or it takes too long.
    """
    revision, _, committed = _git(directory, "log", "-1", "--format=%H %ct").partition(" ")
    dirty = bool(_git(directory, "status", "--porcelain", "--", "."))
    try:
        source = without_credentials(_git(directory, "remote", "get-url", "origin"))
    except GitError:
        # A repository without that remote is one nevertheless.
        source = ""
    return GitFacts(
        f"{revision}-dirty" if dirty else revision, source, None if dirty else int(committed)
    )


def with_git(labels: Labels, path: Path) -> Labels:
    """Return labels with revision, source and time of the commit; what is given stays as it is.

    Args:
        labels: as the command line and the environment have them.
        path: a directory in the repository, or a file.

    Raises:
        GitError: as for ``git_facts``.
    """
    facts = git_facts(path if path.is_dir() else path.parent)
    found = {REVISION: facts.revision}
    if facts.source:
        found[SOURCE] = facts.source
    created = labels.created
    if created is None and facts.committed is not None:
        created = created_from({"SOURCE_DATE_EPOCH": str(facts.committed)})
    return Labels({**found, **labels.annotations}, created)


def without_credentials(url: str) -> str:
    """Return a URL without user and password: CI checks out with a token in it."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(directory: Path, *arguments: str) -> str:
    # A monitor that the repository's own config names would be run by `status`.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a directory, without a shell
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_S,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError as error:
        raise GitError("--from-git: there is no git on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"--from-git: git {arguments[0]} takes over {GIT_S:g} s") from error
    if done.returncode != 0:
        said = done.stderr.strip().partition("\n")[0]
        raise GitError(f"--from-git: git {arguments[0]} in {directory}: {said}")
    return done.stdout.strip()
