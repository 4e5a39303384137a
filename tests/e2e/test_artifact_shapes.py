"""Artifacts byte for byte as clients make them (observed: oras 1.2.3, flux), served end to end."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

import pytest

from ocizone.lab import LabRegistry
from tests.e2e.program import wait_until, zone

pytestmark = pytest.mark.e2e

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar"
TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
TITLE = "org.opencontainers.image.title"
UNPACK = "io.deis.oras.content.unpack"
ZONE = zone(5)


def archive(**files: bytes) -> bytes:
    """Return a gzipped tar of ``zones/<name>`` members, as oras and flux make it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        directory = tarfile.TarInfo("zones")
        directory.type = tarfile.DIRTYPE
        tar.addfile(directory)
        for name, data in files.items():
            member = tarfile.TarInfo(f"zones/{name.replace('_', '.')}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


class Maker:
    """Makes manifests in one repository of the lab registry."""

    def __init__(self, registry: LabRegistry) -> None:
        self.registry = registry

    def layer(self, data: bytes, media_type: str, **annotations: str) -> dict[str, Any]:
        digest = self.registry.push_blob("dns/zones", data)
        made: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(data)}
        if annotations:
            made["annotations"] = annotations
        return made

    def manifest(self, *layers: dict[str, Any], tag: str | None = "prod", **fields: Any) -> str:
        config = {
            "mediaType": EMPTY,
            "digest": self.registry.push_blob("dns/zones", b"{}"),
            "size": 2,
            "data": "e30=",
        }
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.unknown.artifact.v1",
            "config": config,
            "layers": list(layers),
            "annotations": {"org.opencontainers.image.created": "2026-11-20T23:37:01Z"},
        } | fields
        document = {name: value for name, value in document.items() if value is not None}
        return self.registry.push_manifest("dns/zones", tag, json.dumps(document).encode())

    def index(self, *manifests: dict[str, Any]) -> str:
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
        raw = json.dumps(document).encode()
        return self.registry.push_manifest("dns/zones", "prod", raw, INDEX)


def single_file(make: Maker) -> None:
    """`oras push REF db.example.org:text/dns`."""
    make.manifest(make.layer(ZONE, "text/dns", **{TITLE: "db.example.org"}))


def file_typed_as_tar(make: Maker) -> None:
    """`oras push REF db.example.org`: without a type a plain file is called a tar."""
    make.manifest(make.layer(ZONE, TAR, **{TITLE: "db.example.org"}))


def several_files_in_folders(make: Maker) -> None:
    """`oras push REF a/db.example.org b/db.example.net`: titles keep their folders."""
    other = ZONE.replace(b"example.org", b"example.net")
    make.manifest(
        make.layer(ZONE, TAR, **{TITLE: "a/db.example.org"}),
        make.layer(other, TAR, **{TITLE: "b/db.example.net"}),
    )


def directory(make: Maker) -> None:
    """`oras push REF zones/`: one tar+gzip with the unpack annotation, members prefixed."""
    data = archive(db_example_org=ZONE)
    inner = hashlib.sha256(gzip.decompress(data)).hexdigest()
    make.manifest(
        make.layer(
            data,
            TAR_GZIP,
            **{
                TITLE: "zones",
                UNPACK: "true",
                "io.deis.oras.content.digest": f"sha256:{inner}",
            },
        )
    )


def image_spec_1_0(make: Maker) -> None:
    """`oras push --image-spec v1.0 --artifact-type T`: the type is the config's, no artifactType."""
    config = make.layer(b"{}", "application/x-zones")
    make.manifest(
        make.layer(ZONE, "text/dns", **{TITLE: "db.example.org"}), artifactType=None, config=config
    )


def any_media_type(make: Maker) -> None:
    """Types are hints, never requirements."""
    make.manifest(make.layer(ZONE, "application/octet-stream", **{TITLE: "db.example.org"}))


def flux_layer(make: Maker) -> None:
    """`flux push artifact`: one untitled tar+gzip."""
    data = archive(db_example_org=ZONE)
    make.manifest(make.layer(data, "application/vnd.cncf.flux.content.v1.tar+gzip"))


def index_of_one(make: Maker) -> None:
    """An index that leaves no choice."""
    digest = make.manifest(make.layer(ZONE, "text/dns", **{TITLE: "db.example.org"}), tag=None)
    raw = make.registry.storage.manifest("dns/zones", digest)
    assert raw is not None
    make.index({"mediaType": MANIFEST, "digest": digest, "size": len(raw.raw)})


@pytest.mark.parametrize(
    "shape",
    [
        single_file,
        file_typed_as_tar,
        several_files_in_folders,
        directory,
        image_spec_1_0,
        any_media_type,
        flux_layer,
        index_of_one,
    ],
    ids=lambda shape: shape.__name__,
)
def test_every_shape_is_served(serve, repository, lab_registry, tmp_path, shape):
    """Files, folders, directories, OCI 1.0 and 1.1, flux, index: the same zone."""
    shape(Maker(lab_registry))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"5"')


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ((b"{}", EMPTY, {}), "no layers with content"),
        ((b"readme", "text/plain", {TITLE: "README"}), "no-zone-files"),
        ((ZONE, "text/dns", {TITLE: "../db.example.org"}), "../db.example.org is refused"),
        ((archive(db_example_org=ZONE)[:-40], TAR_GZIP, {TITLE: "z", UNPACK: "true"}), "archive"),
    ],
    ids=["no files", "no zones", "path leaves the tree", "archive cut short"],
)
def test_what_cannot_be_used_is_refused_with_its_reason(
    serve, repository, lab_registry, tmp_path, layer, said
):
    """Nothing is served, nothing is written outside, the status says why."""
    data, media_type, annotations = layer
    make = Maker(lab_registry)
    make.manifest(make.layer(data, media_type, **annotations))
    server = serve(repository.corefile(tmp_path))
    source = wait_until(
        lambda: (found := server.source())["error"] and found, "an error in the status"
    )
    text = json.dumps(source)
    assert said in text, text
    assert not (tmp_path / "db.example.org").exists()
