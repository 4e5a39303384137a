"""Manifests and descriptors as values, read from bytes whose digest was checked.

OCI image-spec 1.0 and 1.1 image manifests, Docker schema 2 manifests, and indexes. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from ocizone import limits
from ocizone.registry.strictjson import BadJSONError, read_json

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"
REVISION = "org.opencontainers.image.revision"
UNPACK = "io.deis.oras.content.unpack"
# In an index, marks the manifest whose zones we are to serve.
ZONES = "org.ocizone.zones"
ARTIFACT_TYPE = "application/vnd.ocizone.zones.v1"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY_DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

# As git and docker.
_SHORT_DIGITS = 12
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BadManifestError(ValueError):
    """The bytes are not a manifest we can use; the message says why."""


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


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One manifest an index names.

    Attributes:
        descriptor: of the manifest.
        artifact_type: ``artifactType``, or "".
        platform: ``os/architecture``, or "" when absent or ``unknown/unknown``.
    """

    descriptor: Descriptor
    artifact_type: str
    platform: str


@dataclass(frozen=True, slots=True)
class Index:
    """An image index (or Docker manifest list)."""

    digest: str
    manifests: tuple[IndexEntry, ...]
    annotations: Mapping[str, str]


_Object: TypeAlias = dict[str, object]


def is_digest(text: str) -> bool:
    """Tell whether text is ``sha256:`` and 64 lower-case hex digits, and nothing else."""
    return _DIGEST.fullmatch(text) is not None


def digest_of(raw: bytes) -> str:
    """Return ``sha256:<hex>`` of bytes."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def short_digest(digest: str) -> str:
    """Return so many hex digits of a digest as people and commands name it by."""
    return digest.removeprefix("sha256:")[:_SHORT_DIGITS]


def compact_json(document: object) -> bytes:
    """Return a document in as few octets as JSON takes: equal ones have equal digests."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def read_manifest(
    raw: bytes,
    digest: str,
    content_type: str | None = None,
    *,
    most: int = limits.MANIFEST_LAYERS,
) -> Manifest | Index:
    """Return what the bytes of a manifest say.

    Args:
        raw: the bytes; the caller has checked them against ``digest``.
        digest: kept in the result.
        content_type: the Content-Type they came with. When it and ``mediaType`` both name a
            manifest type they must agree (CVE-2021-41190).
        most: manifests an index may name.

    Raises:
        BadManifestError: not JSON, not a manifest, ambiguous, or beyond a limit.
    """
    try:
        document = read_json(raw)
    except BadJSONError as error:
        raise BadManifestError(f"the manifest is {error}") from error
    fields = _object(document, "the manifest")
    if fields.get("schemaVersion") != 2 or isinstance(fields.get("schemaVersion"), bool):
        raise BadManifestError("schemaVersion is not 2 (Docker schema 1 is not supported)")
    has_layers, has_manifests = "layers" in fields, "manifests" in fields
    if has_layers and has_manifests:
        raise BadManifestError("both layers and manifests: an image or an index, not both")
    _check_type(fields, content_type, is_index=has_manifests)
    if has_manifests:
        return Index(digest, _entries(fields["manifests"], most), _annotations(fields))
    config = _descriptor(fields.get("config"), "config")
    layers = _layers(fields.get("layers"))
    artifact_type = _text(fields.get("artifactType", ""), "artifactType") or config.media_type
    return Manifest(digest, artifact_type, config, layers, _annotations(fields))


def choose(index: Index) -> Descriptor:
    """Return the manifest of an index that holds zones.

    The rule, first that leaves exactly one: the only manifest; the one annotated
    ``org.ocizone.zones: "true"`` or of our artifactType; the only one without a platform (an
    attestation, which buildx gives the platform ``unknown/unknown``, does not count).

    Raises:
        BadManifestError: the rule leaves none or several, or the chosen one is an index again.
    """
    everything = index.manifests
    marked = tuple(
        entry
        for entry in everything
        if entry.descriptor.annotations.get(ZONES) == "true" or entry.artifact_type == ARTIFACT_TYPE
    )
    anywhere = tuple(
        entry
        for entry in everything
        if not entry.platform and "vnd.docker.reference.type" not in entry.descriptor.annotations
    )
    for candidates in (everything, marked, anywhere):
        if len(candidates) == 1:
            chosen = candidates[0].descriptor
            if chosen.media_type in (OCI_INDEX, DOCKER_LIST):
                raise BadManifestError("an index inside an index is not followed")
            return chosen
    raise BadManifestError(
        f"an index of {len(everything)} manifests, none of them plainly ours; annotate one with "
        f'{ZONES}: "true", or follow it by digest'
    )


def _check_type(fields: _Object, content_type: str | None, *, is_index: bool) -> None:
    media_type = _text(fields.get("mediaType", ""), "mediaType")
    fitting = (OCI_INDEX, DOCKER_LIST) if is_index else (OCI_MANIFEST, DOCKER_MANIFEST)
    if media_type and media_type not in fitting:
        raise BadManifestError(f"mediaType {media_type!a} does not fit its content")
    sent = (content_type or "").partition(";")[0].strip().lower()
    if sent in MANIFEST_TYPES and (sent not in fitting or (media_type and sent != media_type)):
        raise BadManifestError(
            f"Content-Type {sent} but the manifest is {media_type or fitting[0]}"
        )


def _layers(value: object) -> tuple[Descriptor, ...]:
    listed = [] if value is None else _array(value, "layers")
    layers = tuple(_descriptor(layer, f"layers[{at}]") for at, layer in enumerate(listed))
    if all(layer.media_type == EMPTY_TYPE or layer.digest == EMPTY_DIGEST for layer in layers):
        raise BadManifestError("no layers with content: nothing was pushed but the manifest")
    return layers


def _entries(value: object, most: int) -> tuple[IndexEntry, ...]:
    entries: list[IndexEntry] = []
    for at, listed in enumerate([] if value is None else _array(value, "manifests", most)):
        place = f"manifests[{at}]"
        fields = _object(listed, place)
        platform = fields.get("platform")
        named = ""
        if platform is not None:
            parts = _object(platform, f"{place}.platform")
            named = f"{parts.get('os')}/{parts.get('architecture')}"
        entries.append(
            IndexEntry(
                descriptor=_descriptor(fields, place),
                artifact_type=_text(fields.get("artifactType", ""), f"{place}.artifactType"),
                platform="" if named == "unknown/unknown" else named,
            )
        )
    return tuple(entries)


def _descriptor(value: object, place: str) -> Descriptor:
    """Read a descriptor; ``urls`` and ``data`` are never looked at (CVE-2020-15157)."""
    fields = _object(value, place)
    digest = _text(fields.get("digest"), f"{place}.digest")
    if not is_digest(digest):
        raise BadManifestError(f"{place}.digest {digest[:80]!a} is not sha256 and 64 hex digits")
    size = fields.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**63:
        raise BadManifestError(f"{place}.size is not a number of octets")
    media_type = _text(fields.get("mediaType"), f"{place}.mediaType")
    return Descriptor(media_type, digest, size, _annotations(fields))


def _annotations(fields: _Object) -> Mapping[str, str]:
    value = fields.get("annotations")
    if value is None:
        return MappingProxyType({})
    named = _object(value, "annotations")
    return MappingProxyType(
        {key: _text(text, f"annotation {key!a}") for key, text in named.items()}
    )


def _object(value: object, place: str) -> _Object:
    if not isinstance(value, dict):
        raise BadManifestError(f"{place} is not an object")
    return value


def _array(value: object, place: str, most: int = limits.MANIFEST_LAYERS) -> list[object]:
    if not isinstance(value, list):
        raise BadManifestError(f"{place} is not a list")
    if len(value) > most:
        raise BadManifestError(f"{place}: {len(value)} of them, at most {most}")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise BadManifestError(f"{place} is not a string")
    return value
