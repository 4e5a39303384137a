"""What is followed: an artifact in a registry, or files on this machine's disk.

Values only, made by ``plan``; the services that follow them are follow.follower and
follow.local.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.compiler.spec import ZoneRule
from ocizone.plugins.artifact import Artifact


@dataclass(frozen=True, slots=True)
class OciSource:
    """One ``oci`` directive and the rules that take zones from it.

    Attributes:
        key: names its state directory; stable across restarts, unique.
        name: what log lines and status call it.
        artifact: what to follow, how often, and PATH.
        rules: of all views; empty when nothing takes zones from it.
    """

    key: str
    name: str
    artifact: Artifact
    rules: tuple[ZoneRule, ...]


@dataclass(frozen=True, slots=True)
class LocalSource:
    """Zone files on disk, from ``file`` and ``auto`` outside every artifact.

    Attributes:
        key: names its state directory; stable across restarts, unique.
        name: what log lines and status call it.
        root: absolute directory that titles and rule paths are relative to.
        paths: the files, relative to ``root``; None for every file below it.
        rules: of all views.
        interval_s: seconds between looks; 0 to look once.
    """

    key: str
    name: str
    root: str
    paths: tuple[str, ...] | None
    rules: tuple[ZoneRule, ...]
    interval_s: float


Source = OciSource | LocalSource
