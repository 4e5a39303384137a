"""What the compiler child is told, and what it reports: JSON in, JSON out.

The parent (follow.compile) writes a CompileSpec to the child's stdin, the child
(``python -m ocizone.compiler``) writes a CompileReport to its stdout and exits 0, whatever it
found; any other exit is a CompilerError. Values only; no I/O here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ocizone.errors import Problem, Severity

#: Part of every image's fingerprint: raise it when the compiler or the node layout changes.
COMPILER_VERSION = 2


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer to take files from.

    Attributes:
        blob: absolute path of the verified blob (or of a local file).
        digest: ``sha256:<hex>`` of it.
        title: ``org.opencontainers.image.title``, or "" when absent; for a local file its path
            relative to the source's root.
        unpack: the ``io.deis.oras.content.unpack`` annotation was "true".
        media_type: a hint only: the gzip magic and the annotation decide (reference oras.md 7.2).
    """

    blob: str
    digest: str
    title: str
    unpack: bool
    media_type: str


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """How one server block (view) takes zones from the files of a revision.

    kind ``file``: ``path`` is one file, relative to the revision's root; it is read once for
    each of ``origins``. kind ``auto``: every file below the directory ``path`` ("" is the root)
    whose base name matches ``regexp`` gives the origin that ``template`` makes of it; kept are
    those at or below one of ``origins``. kind ``artifact``: zones come from the artifact itself:
    ``db.ORIGIN``, ``ORIGIN.zone``, ``ORIGIN.yaml``, or the SOA owner; kept are those at or
    below one of ``origins``. Origins are absolute presentation form, lower case.
    """

    view: str
    kind: Literal["file", "auto", "artifact"]
    path: str
    origins: tuple[str, ...]
    regexp: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class CompileSpec:
    """One compilation.

    Attributes:
        source: what findings call it, such as ``localhost:5000/zones:prod``.
        layers: where files come from, in manifest order.
        rules: which of them become zones of which view.
        prefix: what findings put before a file's path: a local source's directory, or "".
        tree: an empty private directory the child unpacks into; the parent keeps or removes it.
        image: absolute path the finished image is renamed to (same file system as ``tree``).
    """

    source: str
    layers: tuple[Layer, ...]
    rules: tuple[ZoneRule, ...]
    tree: str
    image: str
    prefix: str = ""

    def fingerprint(self) -> str:
        """Return the hex SHA-256 of what goes in: layers, rules, compiler version; no paths."""
        return fingerprint(self.layers, self.rules)

    def to_json(self) -> str:
        """Return the text the child reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CompileSpec:
        """Return the spec the parent wrote; the parent is trusted."""
        raw = json.loads(text)
        return cls(
            source=raw["source"],
            layers=tuple(Layer(**layer) for layer in raw["layers"]),
            rules=tuple(
                ZoneRule(**{**rule, "origins": tuple(rule["origins"])}) for rule in raw["rules"]
            ),
            tree=raw["tree"],
            image=raw["image"],
            prefix=raw["prefix"],
        )


def fingerprint(layers: tuple[Layer, ...], rules: tuple[ZoneRule, ...]) -> str:
    """Return the name of the image these layers and rules compile to (64 hex digits)."""
    material = json.dumps(
        [
            COMPILER_VERSION,
            [(layer.digest, layer.title, layer.unpack) for layer in layers],
            [asdict(rule) for rule in rules],
        ],
        sort_keys=True,
    )
    return hashlib.sha256(material.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CompiledZone:
    """One zone of the image, as the report and the deployment record keep it."""

    view: str
    apex: str
    serial: int
    records: int
    file: str


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """One file of the revision, for materialising under PATH: path relative to the tree."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class CompileReport:
    """What the child found and made.

    Attributes:
        problems: all findings, sorted; any of severity error means there is no image.
        zones: what the image holds; empty without an image.
        files: every file unpacked, titles applied.
        image_sha256: hex digest of the image file, "" without one.
        image_octets: its size.
        seconds: wall time the child measured.
    """

    problems: tuple[Problem, ...] = ()
    zones: tuple[CompiledZone, ...] = ()
    files: tuple[RevisionFile, ...] = ()
    image_sha256: str = ""
    image_octets: int = 0
    seconds: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Tell whether a finding refuses the revision."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def to_json(self) -> str:
        """Return the text the parent reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CompileReport:
        """Return the report the child wrote.

        Raises:
            ValueError, KeyError, TypeError: it is not one (the caller names the child).
        """
        raw = json.loads(text)
        return cls(
            problems=tuple(
                Problem(**{**problem, "severity": Severity(problem["severity"])})
                for problem in raw["problems"]
            ),
            zones=tuple(CompiledZone(**zone) for zone in raw["zones"]),
            files=tuple(RevisionFile(**file) for file in raw["files"]),
            image_sha256=raw["image_sha256"],
            image_octets=raw["image_octets"],
            seconds=raw["seconds"],
            extra=raw["extra"],
        )
