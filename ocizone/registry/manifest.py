"""Manifests and descriptors as values, read from bytes whose digest was checked.

OCI image-spec 1.0 and 1.1 image manifests, Docker schema 2 manifests, and indexes. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"
UNPACK = "io.deis.oras.content.unpack"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What something is called, how big it is, and its digest (``sha256:<hex>``, checked form)."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest.

    Attributes:
        digest: of the bytes it was read from.
        artifact_type: ``artifactType``, else the config's media type.
        config: the config descriptor.
        layers: in order; at least one that is not the empty descriptor, or reading fails.
        annotations: of the manifest.
    """

    digest: str
    artifact_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
