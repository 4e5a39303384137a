"""Pushing: what is sent, what is not sent again, and what is refused before anything is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import ArtifactError, FetchReason, Permanent, Transient
from ocizone.lab import LabRegistry, PushEvent
from ocizone.lab.faults import Fault
from ocizone.registry.client import Client
from ocizone.registry.push import created_from, push
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"


def client_of(lab: LabRegistry, tag: str | None = "v1", digest: str | None = None) -> Client:
    return Client(Reference(lab.host, REPOSITORY, tag, digest), insecure=True)


def test_manifest_is_the_oras_clis(lab_registry: LabRegistry) -> None:
    """OCI 1.1: artifactType, empty config with its data, titles with folders."""
    digest = push(
        client_of(lab_registry),
        [("zones/db.x", b"zone", "text/dns"), ("zones/db.y", b"zone", "text/dns")],
        annotations={"b": "2", "a": "1"},
        artifact_type="application/vnd.example",
        created="2026-11-20T23:37:01Z",
    )
    stored = lab_registry.storage.manifest(REPOSITORY, "v1")
    assert stored is not None
    assert stored.digest == digest
    layer = {
        "mediaType": "text/dns",
        "digest": "sha256:543e33c48b3c23d3b3ef151358533bc206fa0225ba66b89933a795451f016479",
        "size": 4,
    }
    assert json.loads(stored.raw) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
            "data": "e30=",
        },
        "layers": [
            {**layer, "annotations": {"org.opencontainers.image.title": "zones/db.x"}},
            {**layer, "annotations": {"org.opencontainers.image.title": "zones/db.y"}},
        ],
        "annotations": {
            "a": "1",
            "b": "2",
            "org.opencontainers.image.created": "2026-11-20T23:37:01Z",
        },
    }
    # One blob for two titles.
    assert lab_registry.count("PUT", "upload") == 2


def test_second_push_sends_no_blob(lab_registry: LabRegistry) -> None:
    """HEAD first: what is there is not sent, and counts as progress all the same."""
    files: list[tuple[str, Path | bytes, str]] = [("db", b"zone" * 9, "text/dns")]
    told: list[int] = []
    first = push(client_of(lab_registry), files)
    lab_registry.clear_requests()
    assert push(client_of(lab_registry), files, progress=told.append) == first
    assert lab_registry.count(kind="upload") == 0
    assert sum(told) == 38


def test_digest_depends_on_content_alone(tmp_path: Path) -> None:
    """Two registries, a file or its bytes, two modification times: one digest."""
    (tmp_path / "db").write_bytes(b"zone")
    with LabRegistry() as one, LabRegistry() as other:
        first = push(client_of(one), [("db", tmp_path / "db", "text/dns")])
        (tmp_path / "db").touch()
        assert push(client_of(other, "v2"), [("db", tmp_path / "db", "text/dns")]) == first
        assert push(client_of(one), [("db", b"zone", "text/dns")]) == first
        assert push(client_of(one), [("db", b"zone!", "text/dns")]) != first


@pytest.mark.parametrize(
    "title",
    ["", "/abs", "../x", "a/../../x", "a//b", "a/./b", "./a", "a/", ".", "..", "a\nb", "a\x00b"],
)
def test_titles_refused(lab_registry: LabRegistry, title: str) -> None:
    """A title every puller would refuse, or read differently, is not pushed."""
    with pytest.raises(ArtifactError):
        push(client_of(lab_registry), [(title, b"zone", "text/dns")])
    assert lab_registry.count() == 0


def test_same_title_twice(lab_registry: LabRegistry) -> None:
    """oras-go refuses to pull such an artifact (ErrDuplicateName)."""
    with pytest.raises(ArtifactError, match="two files"):
        push(client_of(lab_registry), [("a", b"1", "text/dns"), ("a", b"2", "text/dns")])


def test_no_files(lab_registry: LabRegistry) -> None:
    with pytest.raises(ArtifactError, match="no files"):
        push(client_of(lab_registry), [])


def test_unreadable_file(lab_registry: LabRegistry, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"^db: .*No such file"):
        push(client_of(lab_registry), [("db", tmp_path / "absent", "text/dns")])


def test_file_too_large(lab_registry: LabRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no puller takes is not pushed."""
    monkeypatch.setattr(limits, "BLOB_OCTETS", 3)
    with pytest.raises(ArtifactError, match="limit"):
        push(client_of(lab_registry), [("db", b"zone", "text/dns")])


def test_push_by_digest(lab_registry: LabRegistry) -> None:
    """A digest names what must come out."""
    files: list[tuple[str, Path | bytes, str]] = [("db", b"zone", "text/dns")]
    digest = push(client_of(lab_registry), files)
    assert push(client_of(lab_registry, None, digest), files) == digest
    with pytest.raises(Permanent, match="push to a tag") as caught:
        push(client_of(lab_registry, None, "sha256:" + "0" * 64), files)
    assert caught.value.reason is FetchReason.INTEGRITY


def test_registry_that_stores_something_else(lab_registry: LabRegistry) -> None:
    lab_registry.faults.digest_next("manifest", "sha256:" + "0" * 64, method="PUT")
    with pytest.raises(Permanent, match="stored"):
        push(client_of(lab_registry), [("db", b"zone", "text/dns")])


def test_refused_manifest_names_the_code(lab_registry: LabRegistry) -> None:
    lab_registry.faults.fail_next(
        "manifest", 400, body=b'{"errors":[{"code":"MANIFEST_INVALID"}]}', method="PUT"
    )
    with pytest.raises(Permanent, match="MANIFEST_INVALID"):
        push(client_of(lab_registry), [("db", b"zone", "text/dns")])


def test_upload_without_location(lab_registry: LabRegistry) -> None:
    """The registry's own address is then asked, and refuses."""
    lab_registry.faults.add(Fault("upload", "POST", headers={"Location": None}))
    with pytest.raises(Permanent):
        push(client_of(lab_registry), [("db", b"zone", "text/dns")])


def test_upload_is_not_repeated(lab_registry: LabRegistry) -> None:
    """A PUT whose connection breaks is an error: only GET and HEAD are safe to repeat."""
    lab_registry.faults.add(Fault("upload", "PUT", drop=True))
    with pytest.raises(Transient):
        push(client_of(lab_registry), [("db", b"zone", "text/dns")])
    assert lab_registry.count("PUT", "upload") == 1


def test_the_registry_tells_of_a_push() -> None:
    """The event names repository, tag and digest; by digest there is no tag."""
    events: list[PushEvent] = []
    with LabRegistry(on_push=events.append) as lab:
        digest = push(client_of(lab), [("db", b"zone", "text/dns")])
        push(client_of(lab, None, digest), [("db", b"zone", "text/dns")])
    assert events == [
        PushEvent(REPOSITORY, "v1", digest),
        PushEvent(REPOSITORY, None, digest),
    ]


@pytest.mark.parametrize(
    ("environ", "created"),
    [
        ({}, None),
        ({"SOURCE_DATE_EPOCH": "0"}, "1970-01-01T00:00:00Z"),
        ({"SOURCE_DATE_EPOCH": "1795219200"}, "2026-11-21T00:00:00Z"),
    ],
)
def test_source_date_epoch(environ: dict[str, str], created: str | None) -> None:
    assert created_from(environ) == created


@pytest.mark.parametrize("text", ["", "now", "1.5", "9" * 30])
def test_source_date_epoch_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="SOURCE_DATE_EPOCH"):
        created_from({"SOURCE_DATE_EPOCH": text})
