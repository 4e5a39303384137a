"""What the client and a registry owe one another, over the lab registry and docker-registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocizone.errors import FetchReason, Permanent
from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.registry.client import Client
from ocizone.registry.credentials import anonymous, user
from ocizone.registry.manifest import ARTIFACT_TYPE, TITLE
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

ZONE = b"$ORIGIN example.org.\n@ 300 IN SOA ns hostmaster 1 2 3 4 5\n"
FILES: list[tuple[str, Path | bytes, str]] = [
    ("zones/db.example.org", ZONE, "text/dns"),
    ("README", b"", "text/plain"),
]


@dataclass(frozen=True)
class Target:
    """A running registry and how to reach it."""

    host: str
    insecure: bool
    ca_file: str | None
    login: bool

    def client(self, repository: str, tag: str | None = "v1", digest: str | None = None) -> Client:
        reference = Reference(self.host, repository, None if digest else tag, digest)
        return Client(
            reference,
            insecure=self.insecure,
            ca_file=self.ca_file,
            login=user("alice", lambda: "s3cret") if self.login else anonymous,
        )


@pytest.fixture(
    params=[
        "lab-open",
        "lab-basic",
        "lab-bearer",
        "lab-tls",
        pytest.param("docker-open", marks=pytest.mark.peers("docker-registry")),
        pytest.param("docker-basic", marks=pytest.mark.peers("docker-registry")),
        pytest.param("docker-tls", marks=pytest.mark.peers("docker-registry")),
    ],
    scope="module",
)
def target(
    request: pytest.FixtureRequest, certificate_authority: CertificateAuthority
) -> Iterator[Target]:
    maker, _, kind = str(request.param).partition("-")
    tls, login = kind == "tls", kind in ("basic", "bearer")
    ca_file = str(certificate_authority.ca_file) if tls else None
    if maker == "docker":
        start: Callable[..., str] = request.getfixturevalue("docker_registry")
        yield Target(start(login=login, tls=tls), not tls, ca_file, login)
        return
    with LabRegistry(
        access=Access(kind) if login else Access.OPEN,
        users={"alice": "s3cret"},
        ssl_context=certificate_authority.server_context("127.0.0.1") if tls else None,
    ) as lab:
        yield Target(lab.host, not tls, ca_file, login)


def test_pushed_files_come_back(target: Target, tmp_path: Path) -> None:
    """Push, resolve, manifest, fetch: titles, types and bytes are the same."""
    client = target.client("zones/example.org")
    client.start_attempt(20)
    digest = push(client, FILES, annotations={"org.example": "ü"})
    assert client.resolve().digest == digest
    manifest = client.manifest(digest)
    assert manifest.digest == digest
    assert manifest.artifact_type == ARTIFACT_TYPE
    assert dict(manifest.annotations) == {"org.example": "ü"}
    assert [layer.annotations[TITLE] for layer in manifest.layers] == [
        "zones/db.example.org",
        "README",
    ]
    for number, layer in enumerate(manifest.layers):
        client.fetch(layer, tmp_path / str(number))
    assert [(tmp_path / str(number)).read_bytes() for number in range(2)] == [ZONE, b""]
    assert (tmp_path / "0").stat().st_mode & 0o777 == 0o600


def test_same_files_same_digest(target: Target) -> None:
    """A push is reproducible: nothing of the moment enters the manifest."""
    client = target.client("zones/again")
    assert push(client, FILES) == push(client, FILES)


def test_missing_tag(target: Target) -> None:
    """404 is a typed error that names host, repository and tag."""
    client = target.client("zones/example.org", tag="never")
    with pytest.raises(Permanent, match=r"zones/example\.org: tag never: 404") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.NOT_FOUND


def test_tags(target: Target) -> None:
    """All tags are listed, whatever the order."""
    for tag in ("v1", "v2", "latest"):
        push(target.client("zones/tagged", tag=tag), FILES)
    assert set(target.client("zones/tagged").tags()) == {"v1", "v2", "latest"}


def test_digest_reference_costs_no_request(target: Target) -> None:
    """A digest resolves to itself."""
    digest = "sha256:" + "0" * 64
    assert target.client("zones/none", digest=digest).resolve().digest == digest


def test_missing_digest(target: Target) -> None:
    """A manifest that is not there."""
    with pytest.raises(Permanent) as caught:
        target.client("zones/example.org").manifest("sha256:" + "0" * 64)
    assert caught.value.reason is FetchReason.NOT_FOUND


def test_large_file_is_streamed(target: Target, tmp_path: Path) -> None:
    """Files beyond one chunk arrive whole, progress adds up, and a second push sends nothing."""
    file = tmp_path / "big"
    file.write_bytes(b"0123456789abcdef" * 200_000)
    told: list[int] = []
    client = target.client("zones/large")
    digest = push(client, [("big", file, "text/dns")], progress=told.append)
    assert sum(told) == file.stat().st_size + 2
    layer = client.manifest(digest).layers[0]
    client.fetch(layer, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


def test_wrong_password_is_refused_at_once(target: Target) -> None:
    """The error names host and user, never the password; nothing is tried twice."""
    if not target.login:
        pytest.skip("the registry asks for no login")
    client = Client(
        Reference(target.host, "zones/example.org", "v1", None),
        insecure=True,
        login=user("alice", lambda: "canary-wrong"),
    )
    with pytest.raises(Permanent, match="user alice") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert "canary" not in str(caught.value)


def test_manifest_is_byte_for_byte(target: Target) -> None:
    """The registry keeps the bytes: JSON is compact, keys in the oras CLI's order."""
    client = target.client("zones/bytes")
    digest = push(client, FILES, created="2026-11-21T00:00:00Z")
    raw, _ = client._get_manifest(f"{client.calls.base}/manifests/{digest}", "it", digest)
    document = json.loads(raw)
    assert list(document) == [
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "annotations",
    ]
    assert document["annotations"] == {"org.opencontainers.image.created": "2026-11-21T00:00:00Z"}
