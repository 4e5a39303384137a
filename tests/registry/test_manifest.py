"""Manifests: what real clients push is read; what CVE-2021-41190 and its like do is refused."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone import limits
from ocizone.registry.manifest import (
    ARTIFACT_TYPE,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY_DIGEST,
    EMPTY_TYPE,
    MANIFEST_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    TITLE,
    ZONES,
    BadManifestError,
    Index,
    Manifest,
    choose,
    is_digest,
    read_manifest,
)

HEX = "b89a" * 16
DIGEST = f"sha256:{HEX}"
LAYER: dict[str, Any] = {
    "mediaType": "text/dns",
    "digest": DIGEST,
    "size": 134,
    "annotations": {TITLE: "db.x"},
}
EMPTY: dict[str, Any] = {"mediaType": EMPTY_TYPE, "digest": EMPTY_DIGEST, "size": 2, "data": "e30="}
GOOD: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "artifactType": "application/vnd.unknown.artifact.v1",
    "config": EMPTY,
    "layers": [LAYER],
    "annotations": {"org.opencontainers.image.created": "2026-11-20T23:37:01Z"},
}
ENTRY: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 500}
INDEX: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY]}


def read(document: object, content_type: str | None = None) -> Manifest | Index:
    return read_manifest(json.dumps(document).encode(), DIGEST, content_type)


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def layer(**changes: object) -> dict[str, Any]:
    return {**GOOD, "layers": [{**LAYER, **changes}]}


# --- Read ------------------------------------------------------------------------------------


def test_the_oras_cli_manifest() -> None:
    """OCI 1.1 as oras 1.2.3 pushes it."""
    found = read(GOOD, OCI_MANIFEST)
    assert isinstance(found, Manifest)
    assert found.digest == DIGEST
    assert found.artifact_type == "application/vnd.unknown.artifact.v1"
    assert [one.annotations[TITLE] for one in found.layers] == ["db.x"]
    assert found.layers[0].size == 134
    assert found.config.media_type == EMPTY_TYPE


@pytest.mark.parametrize(
    ("document", "artifact_type"),
    [
        (without(GOOD, "artifactType"), EMPTY_TYPE),
        ({**without(GOOD, "artifactType"), "config": {**EMPTY, "mediaType": "a/b"}}, "a/b"),
        ({**without(GOOD, "artifactType"), "config": {**EMPTY, "mediaType": ""}}, ""),
        (without(GOOD, "mediaType"), GOOD["artifactType"]),
        ({**GOOD, "mediaType": DOCKER_MANIFEST}, GOOD["artifactType"]),
        ({**GOOD, "subject": ENTRY, "unknown": [1.5, None]}, GOOD["artifactType"]),
        ({**GOOD, "annotations": None}, GOOD["artifactType"]),
        ({**GOOD, "layers": [EMPTY, LAYER]}, GOOD["artifactType"]),
        (layer(urls=["https://evil.example/x"], data="AAAA"), GOOD["artifactType"]),
        (layer(mediaType=""), GOOD["artifactType"]),
        (layer(size=0), GOOD["artifactType"]),
        (layer(size=2**63 - 1), GOOD["artifactType"]),
        ({**GOOD, "layers": [LAYER] * limits.MANIFEST_LAYERS}, GOOD["artifactType"]),
    ],
)
def test_read(document: dict[str, Any], artifact_type: str) -> None:
    """What clients and registries really produce; the type is artifactType or the config's."""
    found = read(document)
    assert isinstance(found, Manifest)
    assert found.artifact_type == artifact_type


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/json", "application/octet-stream", f"{OCI_MANIFEST}; charset=utf-8"],
)
def test_content_types_that_say_nothing_else(content_type: str | None) -> None:
    """Only a Content-Type that names another manifest type contradicts."""
    read(GOOD, content_type)


def test_values_cannot_be_changed() -> None:
    """A manifest is a value, annotations included."""
    found = read(GOOD)
    with pytest.raises(TypeError):
        found.annotations["x"] = "y"  # type: ignore[index]  # the point of the test


# --- Refused ---------------------------------------------------------------------------------

DIGESTS: list[object] = [
    "sha256:../../x",
    f"sha256:{HEX.upper()}",
    f"sha256:{HEX[:-1]}",
    f"sha256:{HEX}0",
    f"sha512:{HEX}{HEX}",
    f"SHA256:{HEX}",
    f"md5:{HEX[:32]}",
    HEX,
    f"sha256:{HEX}\n",
    f" sha256:{HEX}",
    f"sha256:{HEX}/../x",
    f"sha256+b64:{HEX}",
    "sha256:",
    ":",
    "",
    "sha256:" + "\u0661" * 64,
    "sha256:" + "g" * 64,
    "a" * 100_000,
    None,
    7,
    {},
]
SIZES: list[object] = [-1, 1.0, 1.5, 2**63, 2**64, 10**400, "134", None, True, [], {}]
DOCUMENTS: list[object] = [[], "x", 2, None, True, {}]
HOSTILE: list[tuple[str, object]] = [
    *((f"digest {digest!a:.40}", layer(digest=digest)) for digest in DIGESTS),
    *((f"size {size!a:.40}", layer(size=size)) for size in SIZES),
    *(
        (f"config digest {digest!a:.40}", {**GOOD, "config": {**EMPTY, "digest": digest}})
        for digest in DIGESTS[:6]
    ),
    *((f"document {document!a}", document) for document in DOCUMENTS),
    ("layers and manifests", {**GOOD, "manifests": [ENTRY]}),
    ("layers and manifests, no mediaType", {**without(GOOD, "mediaType"), "manifests": [ENTRY]}),
    ("layers and empty manifests", {**GOOD, "manifests": []}),
    ("layers and null manifests", {**GOOD, "manifests": None}),
    ("neither", without(GOOD, "layers")),
    ("schema 1", {"schemaVersion": 1, "name": "x", "fsLayers": []}),
    ("schemaVersion missing", without(GOOD, "schemaVersion")),
    ("schemaVersion true", {**GOOD, "schemaVersion": True}),
    ("schemaVersion text", {**GOOD, "schemaVersion": "2"}),
    ("schemaVersion 3", {**GOOD, "schemaVersion": 3}),
    ("says index, has layers", {**GOOD, "mediaType": OCI_INDEX}),
    ("says list, has layers", {**GOOD, "mediaType": DOCKER_LIST}),
    ("says manifest, has manifests", {**INDEX, "mediaType": OCI_MANIFEST}),
    ("unknown mediaType", {**GOOD, "mediaType": "application/vnd.oci.artifact.manifest.v1+json"}),
    ("mediaType is a number", {**GOOD, "mediaType": 5}),
    ("mediaType upper case", {**GOOD, "mediaType": OCI_MANIFEST.upper()}),
    ("artifactType is a list", {**GOOD, "artifactType": ["a/b"]}),
    ("no config", without(GOOD, "config")),
    ("config null", {**GOOD, "config": None}),
    ("config list", {**GOOD, "config": [EMPTY]}),
    ("layers null", {**GOOD, "layers": None}),
    ("layers empty", {**GOOD, "layers": []}),
    ("layers object", {**GOOD, "layers": {"0": LAYER}}),
    ("layers text", {**GOOD, "layers": "abc"}),
    ("layer null", {**GOOD, "layers": [None]}),
    ("layer list", {**GOOD, "layers": [[LAYER]]}),
    ("only the empty descriptor", {**GOOD, "layers": [EMPTY]}),
    ("empty bytes by another type", {**GOOD, "layers": [{**EMPTY, "mediaType": "text/dns"}]}),
    ("too many layers", {**GOOD, "layers": [LAYER] * (limits.MANIFEST_LAYERS + 1)}),
    ("ten thousand layers", {**GOOD, "layers": [LAYER] * 10_000}),
    ("layer without mediaType", {**GOOD, "layers": [without(LAYER, "mediaType")]}),
    ("layer mediaType null", layer(mediaType=None)),
    ("annotations list", {**GOOD, "annotations": ["a"]}),
    ("annotation number", {**GOOD, "annotations": {"a": 1}}),
    ("annotation null", {**GOOD, "annotations": {"a": None}}),
    ("annotation nested", layer(annotations={TITLE: {"a": "b"}})),
    ("layer annotations text", layer(annotations="x")),
    ("index entry null", {**INDEX, "manifests": [None]}),
    ("index object", {**INDEX, "manifests": {}}),
    ("index platform text", {**INDEX, "manifests": [{**ENTRY, "platform": "linux"}]}),
    ("index artifactType number", {**INDEX, "manifests": [{**ENTRY, "artifactType": 1}]}),
    ("index too long", {**INDEX, "manifests": [ENTRY] * (limits.MANIFEST_LAYERS + 1)}),
    ("deep", {**GOOD, "extra": json.loads("[" * 40 + "]" * 40)}),
]


@pytest.mark.parametrize("document", [one for _, one in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_refused(document: object) -> None:
    """A typed error, never a guess and never another exception."""
    with pytest.raises(BadManifestError):
        read(document)


def test_the_corpus_is_large() -> None:
    """At least sixty hostile manifests."""
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"404 page not found\n",
        b"<html>",
        json.dumps(GOOD).encode().replace(b'"layers"', b'"layers":[],"layers"'),
        json.dumps(GOOD).encode().replace(b"134", b"NaN"),
        json.dumps(GOOD).encode().replace(b"134", b"9" * 5000),
        json.dumps(GOOD).encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_not_strict_json(raw: bytes) -> None:
    """What strictjson refuses is a bad manifest."""
    with pytest.raises(BadManifestError):
        read_manifest(raw, DIGEST)


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        (GOOD, OCI_INDEX),
        (GOOD, DOCKER_LIST),
        (GOOD, DOCKER_MANIFEST),
        (INDEX, OCI_MANIFEST),
        (INDEX, DOCKER_LIST),
        (without(GOOD, "mediaType"), OCI_INDEX),
    ],
)
def test_content_type_contradicts(document: object, content_type: str) -> None:
    """GHSA-mc8v-mgrf-8f4m: mediaType and Content-Type must agree."""
    with pytest.raises(BadManifestError, match="Content-Type"):
        read(document, content_type)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_any_field_of_any_kind(key: str, value: object) -> None:
    """Whatever stands in a field, the answer is a manifest or BadManifestError."""
    with contextlib.suppress(BadManifestError):
        read({**GOOD, key: value})


@pytest.mark.parametrize("digest", [one for one in DIGESTS if isinstance(one, str)])
def test_is_digest(digest: str) -> None:
    assert not is_digest(digest)
    assert is_digest(DIGEST)


def test_accept_names_each_type_once() -> None:
    """docker-registry 2.8 answers 404 to a HEAD that does not accept the type it holds."""
    assert sorted(MANIFEST_TYPES) == sorted({OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST})


# --- Indexes ---------------------------------------------------------------------------------


def entry(number: int, **changes: object) -> dict[str, Any]:
    return {**ENTRY, "digest": f"sha256:{number:064x}", **changes}


MARKED: dict[str, Any] = {"annotations": {ZONES: "true"}}
LINUX: dict[str, Any] = {"platform": {"os": "linux", "architecture": "amd64"}}
NOWHERE: dict[str, Any] = {"platform": {"os": "unknown", "architecture": "unknown"}}
ATTESTATION: dict[str, Any] = {
    **NOWHERE,
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([entry(1)], 1),
        ([entry(1, **LINUX)], 1),
        ([entry(1), entry(2, **MARKED)], 2),
        ([entry(1, artifactType=ARTIFACT_TYPE), entry(2)], 1),
        ([entry(1, **LINUX), entry(2)], 2),
        ([entry(1, **LINUX), entry(2, **NOWHERE)], 2),
        ([entry(1, **LINUX), entry(2, **ATTESTATION), entry(3)], 3),
    ],
)
def test_choose(entries: list[dict[str, Any]], chosen: int) -> None:
    """The only one; else the marked one; else the only one without a platform."""
    found = read({**INDEX, "manifests": entries})
    assert isinstance(found, Index)
    assert choose(found).digest == f"sha256:{chosen:064x}"


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(1), entry(2)],
        [entry(1, **LINUX), entry(2, **LINUX)],
        [entry(1, **MARKED), entry(2, **MARKED)],
        [entry(1, **LINUX), entry(2, **ATTESTATION)],
        [entry(1, mediaType=OCI_INDEX)],
        [entry(1, mediaType=DOCKER_LIST, **MARKED), entry(2)],
    ],
)
def test_choose_refuses(entries: list[dict[str, Any]]) -> None:
    """None, several, or an index in the index: an error, never a guess."""
    found = read({**INDEX, "manifests": entries})
    assert isinstance(found, Index)
    with pytest.raises(BadManifestError):
        choose(found)


def test_null_manifests_is_an_empty_index() -> None:
    found = read({**INDEX, "manifests": None})
    assert isinstance(found, Index)
    assert found.manifests == ()
