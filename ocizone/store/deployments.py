"""Deployments: which revision of a source became current, when, and what it consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ocizone.compiler.spec import CompiledZone, RevisionFile
from ocizone.errors import Problem
from ocizone.plain import plain


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """One layer of a deployment, by digest; ``title`` is "" when the layer has none."""

    digest: str
    size: int
    title: str
    unpack: bool
    media_type: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One revision that was made current.

    Attributes:
        source: key of the source it belongs to.
        reference: what was followed, as text.
        digest: what the tag named then; for local files a digest over their names and contents.
        layers: in manifest order.
        fingerprint: of its image.
        zones: what the image holds.
        files: of the revision.
        activated_at: unix seconds.
        generation: rises with each activation of the source.
        basis: what decided its serials beside the content (compiler.spec.basis); "" for nothing.
        tag: that named it, "" for none.
        verified_by: see registry.trust.Signed; "" for nobody.
        created: of the manifest's annotation, "" for none.
    """

    source: str
    reference: str
    digest: str
    layers: tuple[StoredLayer, ...]
    fingerprint: str
    zones: tuple[CompiledZone, ...]
    files: tuple[RevisionFile, ...]
    activated_at: int
    generation: int
    basis: str = ""
    tag: str = ""
    verified_by: str = ""
    created: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = plain(self)
        return found


@dataclass(frozen=True, slots=True)
class Rejection:
    """A digest whose content cannot be used with this configuration, and why.

    Attributes:
        digest: not fetched again while the configuration is the same.
        configuration: fingerprint of the rules it failed with.
        problems: what was found.
    """

    digest: str
    configuration: str
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = plain(self)
        return found
