"""Signatures as real registries hold them: hostile ones, missing ones, and registries in trouble."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.plugins.artifact import Verify
from ocizone.registry import cosign
from ocizone.registry.client import Client
from ocizone.registry.credentials import anonymous, user
from ocizone.registry.manifest import OCI_INDEX, OCI_MANIFEST
from ocizone.registry.push import push, send_manifest
from ocizone.registry.reference import Reference
from ocizone.registry.sign import sign_artifact
from ocizone.registry.signatures import check_signature
from ocizone.registry.trust import Signed, Unsigned, Untrusted
from tests.registry.signing import new_key, write_private, write_public

REPOSITORY = "zones/example.org"


@dataclass(frozen=True)
class Signer:
    """Somebody with a key, and who trusts it."""

    private: str
    verify: Verify


@pytest.fixture
def ops(tmp_path: Path) -> Signer:
    return signer(tmp_path, "ops")


def signer(folder: Path, name: str) -> Signer:
    key = new_key("p256")
    public = write_public(key, folder / f"{name}.pub")
    return Signer(write_private(key, folder / f"{name}.key"), Verify(keys=(public,)))


def client_of(host: str, *, login: bool = False, repository: str = REPOSITORY) -> Client:
    client = Client(
        Reference(host, repository, "v1", None),
        insecure=True,
        login=user("alice", lambda: "s3cret") if login else anonymous,
    )
    client.start_attempt(30)
    return client


def pushed(client: Client, content: bytes) -> str:
    return push(client, [("db.example.org", content, "text/dns")])


@pytest.fixture(
    params=[
        "lab",
        "lab-tag",
        pytest.param("docker", marks=pytest.mark.peers("docker-registry")),
    ]
)
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    """A registry with the referrers API, one without, and docker-registry (without)."""
    if request.param == "docker":
        start: Callable[..., str] = request.getfixturevalue("docker_registry")
        yield start()
        return
    with LabRegistry(referrers=request.param == "lab") as lab:
        yield lab.host


def retag(client: Client, source: str, target: str) -> None:
    """Put the manifest of one tag under another, as anybody who may push can."""
    answer = client.calls.do_request(
        f"{client.calls.base}/manifests/{source}", headers={"Accept": OCI_MANIFEST}
    )
    send_manifest(client, client.calls.read(answer, source, 10_000), target)


def test_old_signature_on_a_new_artifact(host: str, ops: Signer) -> None:
    """A valid signature, moved to what was never signed (predecessors 2, i)."""
    client = client_of(host)
    old, new = pushed(client, b"old"), pushed(client, b"new")
    sign_artifact(client, old, ops.private)
    retag(client, cosign.signature_tag(old), cosign.signature_tag(new))
    verdict = check_signature(client, new, ops.verify)
    assert verdict == Untrusted(f"signature 1: signs another digest, {old}")


def test_old_bundle_on_a_new_artifact(host: str, ops: Signer) -> None:
    """The same with a referrer: its subject is the registry's word, the statement is signed."""
    client = client_of(host)
    old, new = pushed(client, b"old"), pushed(client, b"new")
    held = client.manifest(sign_artifact(client, old, ops.private, layout="bundle").digest)
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": cosign.BUNDLE,
            "config": {
                "mediaType": held.config.media_type,
                "digest": held.config.digest,
                "size": held.config.size,
            },
            "layers": [
                {"mediaType": one.media_type, "digest": one.digest, "size": one.size}
                for one in held.layers
            ],
            "subject": {"mediaType": OCI_MANIFEST, "digest": new, "size": 1},
        }
    ).encode()
    send_manifest(client, raw, "moved")
    moved = client_of(host).tagged("moved")
    assert moved is not None
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": moved.digest,
        "size": len(raw),
        "artifactType": cosign.BUNDLE,
    }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    send_manifest(client, json.dumps(index).encode(), new.replace(":", "-"), OCI_INDEX)
    verdict = check_signature(client, new, ops.verify)
    assert isinstance(verdict, Untrusted)
    assert f"signs another digest, '{old[7:]}'" in verdict.why


def test_signature_tag_is_an_index(host: str, ops: Signer, tmp_path: Path) -> None:
    """An index of several is told, and hides no bundle."""
    client = client_of(host)
    digest = pushed(client, b"zone")
    entries = []
    for name in ("a", "b"):
        done = sign_artifact(client, digest, signer(tmp_path, name).private, layout="bundle")
        entries.append({"mediaType": OCI_MANIFEST, "digest": done.digest, "size": 1})
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    tag = cosign.signature_tag(digest)
    send_manifest(client, json.dumps(index).encode(), tag, OCI_INDEX)
    verdict = check_signature(client, digest, ops.verify)
    assert isinstance(verdict, Untrusted)
    assert f"tag {tag}: " in verdict.why
    assert "an index of 2 manifests" in verdict.why
    sign_artifact(client, digest, ops.private, layout="bundle")
    assert isinstance(check_signature(client, digest, ops.verify), Signed)


def test_signature_comes_later(host: str, ops: Signer) -> None:
    """Push, look, sign, look: waiting and then signed."""
    client = client_of(host)
    digest = pushed(client, b"zone")
    assert check_signature(client, digest, ops.verify) == Unsigned("no signature yet")
    sign_artifact(client, digest, ops.private)
    assert isinstance(check_signature(client, digest, ops.verify), Signed)


@pytest.mark.parametrize("api", [True, False])
def test_ten_thousand_referrers(ops: Signer, tmp_path: Path, *, api: bool) -> None:
    """A bounded number of requests, and no trust; a signature in the tag still counts."""
    with LabRegistry(referrers=api) as lab:
        client = client_of(lab.host)
        digest = pushed(client, b"zone")
        sign_artifact(client, digest, signer(tmp_path, "m").private, layout="bundle")
        (held,) = client.referrers(digest)
        entry = {
            "mediaType": OCI_MANIFEST,
            "digest": held.descriptor.digest,
            "size": 1,
            "artifactType": cosign.BUNDLE,
        }
        raw = json.dumps(
            {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] * 10_000}
        ).encode()
        lab.clear_requests()
        if api:
            lab.faults.replace_next("referrers", raw, content_type=OCI_INDEX)
        else:
            lab.push_manifest(REPOSITORY, digest.replace(":", "-"), raw, OCI_INDEX)
        verdict = check_signature(client, digest, ops.verify)
        assert isinstance(verdict, Untrusted)
        assert "10000 of them" in verdict.why
        assert len(lab.requests) <= 3 + 2 * limits.SIGNATURES
        sign_artifact(client, digest, ops.private)
        assert isinstance(check_signature(client, digest, ops.verify), Signed)


@pytest.mark.parametrize("kind", ["manifest", "blob", "referrers"])
@pytest.mark.parametrize("status", [500, 503, 429])
def test_registry_in_trouble(
    lab_registry: LabRegistry, ops: Signer, tmp_path: Path, kind: str, status: int
) -> None:
    """Neither signed nor unsigned: the caller tries again."""
    client = client_of(lab_registry.host)
    digest = pushed(client, b"zone")
    sign_artifact(client, digest, signer(tmp_path, "m").private)
    lab_registry.faults.fail_next(kind, status)
    with pytest.raises(Transient):
        check_signature(client, digest, ops.verify)


@pytest.mark.parametrize("kind", ["manifest", "blob", "referrers"])
def test_refused(lab_registry: LabRegistry, ops: Signer, tmp_path: Path, kind: str) -> None:
    """403 says nothing of signatures."""
    client = client_of(lab_registry.host)
    digest = pushed(client, b"zone")
    sign_artifact(client, digest, signer(tmp_path, "m").private)
    lab_registry.faults.fail_next(kind, 403)
    with pytest.raises(Permanent) as caught:
        check_signature(client, digest, ops.verify)
    assert caught.value.reason is FetchReason.AUTH


def test_corrupt_payload(lab_registry: LabRegistry, ops: Signer) -> None:
    """Other bytes than the layer's digest says do not count, whoever signed."""
    client = client_of(lab_registry.host)
    digest = pushed(client, b"zone")
    sign_artifact(client, digest, ops.private)
    lab_registry.faults.corrupt_next("blob")
    verdict = check_signature(client, digest, ops.verify)
    assert isinstance(verdict, Untrusted)
    assert "the bytes sent have the digest" in verdict.why


@pytest.mark.parametrize("access", [Access.BASIC, Access.BEARER])
@pytest.mark.parametrize("referrers", [True, False])
def test_with_a_login(ops: Signer, access: Access, *, referrers: bool) -> None:
    """Signing and looking are ordinary requests: the login is used for each."""
    with LabRegistry(access=access, users={"alice": "s3cret"}, referrers=referrers) as lab:
        client = client_of(lab.host, login=True)
        digest = pushed(client, b"zone")
        sign_artifact(client, digest, ops.private, layout="bundle")
        assert check_signature(client, digest, ops.verify) == Signed("key ops.pub", "bundle")


def test_requests_of_a_look(lab_registry: LabRegistry, ops: Signer) -> None:
    """Two for a signature in the tag, the cheap and usual case."""
    client = client_of(lab_registry.host)
    digest = pushed(client, b"zone")
    sign_artifact(client, digest, ops.private)
    lab_registry.clear_requests()
    check_signature(client, digest, ops.verify)
    assert len(lab_registry.requests) == 2
