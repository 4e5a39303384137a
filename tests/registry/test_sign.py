"""Signing: what is pushed, that it verifies, and what is left as it was."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import PrivateFormat

from ocizone import limits
from ocizone.errors import InputError, Permanent
from ocizone.lab import LabRegistry
from ocizone.plugins.artifact import Verify
from ocizone.registry import cosign
from ocizone.registry.client import Client
from ocizone.registry.manifest import MANIFEST_TYPES, OCI_INDEX
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from ocizone.registry.sign import PushedSignature, read_private_key, sign_artifact
from ocizone.registry.signatures import check_signature
from ocizone.registry.trust import Signed, Unsigned, Untrusted
from tests.registry.signing import KINDS, new_key, write_private, write_public

REPOSITORY = "zones/example.org"
Layout = Literal["tag", "bundle"]


@dataclass(frozen=True)
class Target:
    host: str

    def client(self, repository: str = REPOSITORY, tag: str = "v1") -> Client:
        client = Client(Reference(self.host, repository, tag, None), insecure=True)
        client.start_attempt(20)
        return client


@pytest.fixture(
    params=[
        "lab",
        "lab without referrers",
        pytest.param("docker-registry", marks=pytest.mark.peers("docker-registry")),
    ],
    scope="module",
)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    if request.param == "docker-registry":
        start: Callable[..., str] = request.getfixturevalue("docker_registry")
        yield Target(start())
        return
    with LabRegistry(referrers=request.param == "lab") as lab:
        yield Target(lab.host)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Verify]:
    return pair(tmp_path, "ops")


def pair(folder: Path, name: str, kind: str = "p256") -> tuple[str, Verify]:
    """Return the private key file, and who trusts the key."""
    key = new_key(kind)
    private = write_private(key, folder / f"{name}.key")
    return private, Verify(keys=(write_public(key, folder / f"{name}.pub"),))


def pushed(client: Client, content: bytes) -> str:
    return push(client, [("db.example.org", content, "text/dns")])


def document(client: Client, name: str) -> dict[str, Any]:
    answer = client.calls.do_request(
        f"{client.calls.base}/manifests/{name}", headers={"Accept": ", ".join(MANIFEST_TYPES)}
    )
    found = json.loads(client.calls.read(answer, name, 2**20))
    assert isinstance(found, dict)
    return found


# --- Round trips -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_sign_and_verify(target: Target, tmp_path: Path, layout: Layout, kind: str) -> None:
    """Every key, both layouts, registries with and without referrers."""
    client = target.client(f"zones/{layout}-{kind}")
    digest = pushed(client, kind.encode())
    private, trusting = pair(tmp_path, "ops", kind)
    assert isinstance(check_signature(client, digest, trusting), Unsigned)
    sign_artifact(client, digest, private, layout=layout)
    assert check_signature(client, digest, trusting) == Signed("key ops.pub", layout)
    _, others = pair(tmp_path, "other", kind)
    assert isinstance(check_signature(client, digest, others), Untrusted)


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_signing_again(target: Target, keys: tuple[str, Verify], layout: Layout) -> None:
    """A pipeline that runs every night adds nothing: the first signature stands."""
    client = target.client(f"zones/again-{layout}")
    digest = pushed(client, b"again")
    first = sign_artifact(client, digest, keys[0], layout=layout)
    assert first.digest
    assert sign_artifact(client, digest, keys[0], layout=layout) == PushedSignature(layout, "", "")


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_two_signers(target: Target, tmp_path: Path, layout: Layout) -> None:
    """The second signature keeps the first."""
    client = target.client(f"zones/two-{layout}")
    digest = pushed(client, b"two")
    ops, trusting_ops = pair(tmp_path, "ops")
    audit, trusting_audit = pair(tmp_path, "audit", "ed25519")
    for private in (ops, audit):
        sign_artifact(client, digest, private, layout=layout)
    for trusting in (trusting_ops, trusting_audit):
        assert isinstance(check_signature(client, digest, trusting), Signed)


def test_index(target: Target, keys: tuple[str, Verify]) -> None:
    """An index is signed as such: the signature is of what the tag names."""
    client = target.client("zones/index")
    digest = pushed(client, b"index")
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": digest,
                    "size": len(json.dumps(document(client, digest), separators=(",", ":"))),
                }
            ],
        }
    ).encode()
    headers = {"Content-Type": OCI_INDEX}
    done = client.calls.do_request(f"{client.calls.base}/manifests/both", "PUT", raw, headers)
    client.calls.read(client.calls.expect(done, "it", 201), "it", 1000)
    index = target.client("zones/index", "both").resolve().digest
    for layout in ("tag", "bundle"):
        sign_artifact(client, index, keys[0], layout=layout)
    assert isinstance(check_signature(client, index, keys[1]), Signed)
    assert isinstance(check_signature(client, digest, keys[1]), Unsigned)


# --- What is pushed --------------------------------------------------------------------------


def test_tag_manifest(target: Target, keys: tuple[str, Verify]) -> None:
    """cosign's: an image whose config lists the layers, one layer a signature."""
    client = target.client("zones/shape")
    digest = pushed(client, b"shape")
    done = sign_artifact(client, digest, keys[0])
    assert done.tag == f"sha256-{digest[7:]}.sig"
    manifest = document(client, done.tag)
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == cosign.SIMPLE_SIGNING
    assert list(layer["annotations"]) == [cosign.SIGNATURE]
    config = client.calls.do_request(f"{client.calls.base}/blobs/{manifest['config']['digest']}")
    fields = json.loads(client.calls.read(config, "config", 1000))
    assert fields["rootfs"] == {"type": "layers", "diff_ids": [layer["digest"]]}
    assert client.tagged(done.tag).digest == done.digest  # type: ignore[union-attr]  # just pushed


def test_bundle_manifest(target: Target, keys: tuple[str, Verify]) -> None:
    """BUNDLE_SPEC: artifact type, one layer, the subject, and the two annotations."""
    client = target.client("zones/bundle-shape")
    digest = pushed(client, b"shape")
    done = sign_artifact(client, digest, keys[0], layout="bundle")
    manifest = document(client, done.digest)
    assert manifest["artifactType"] == cosign.BUNDLE
    assert [layer["mediaType"] for layer in manifest["layers"]] == [cosign.BUNDLE]
    assert manifest["subject"]["digest"] == digest
    assert manifest["subject"]["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["annotations"] == {
        cosign.BUNDLE_CONTENT: "dsse-envelope",
        cosign.BUNDLE_PREDICATE: cosign.SIGN_PREDICATE,
    }
    (entry,) = client.referrers(digest)
    assert entry.artifact_type == cosign.BUNDLE
    assert entry.descriptor.digest == done.digest
    assert dict(entry.descriptor.annotations) == manifest["annotations"]


@pytest.mark.peers("openssl")
@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_outside_judge(lab_registry: LabRegistry, tmp_path: Path, kind: str) -> None:
    """``openssl dgst`` takes the signature of the payload as the registry holds both."""
    client = Target(lab_registry.host).client()
    digest = pushed(client, b"zone")
    private, trusting = pair(tmp_path, "ops", kind)
    layer = document(client, sign_artifact(client, digest, private).tag)["layers"][0]
    payload, signature = tmp_path / "payload", tmp_path / "signature"
    payload.write_bytes(lab_registry.storage.blob(REPOSITORY, layer["digest"]) or b"")
    signature.write_bytes(base64.b64decode(layer["annotations"][cosign.SIGNATURE]))
    command = ["openssl", "dgst", "-sha256", "-verify", trusting.keys[0]]
    command += ["-signature", str(signature), str(payload)]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"Verified OK\n"
    payload.write_bytes(payload.read_bytes() + b" ")
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


@pytest.mark.peers("openssl")
@pytest.mark.parametrize(
    "make",
    [
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256"],
        ["genpkey", "-algorithm", "ED25519"],
        ["ecparam", "-name", "prime256v1", "-genkey"],
    ],
)
def test_keys_of_openssl(lab_registry: LabRegistry, tmp_path: Path, make: list[str]) -> None:
    """The commands of docs/trust.md make keys that sign and verify."""
    private, public = str(tmp_path / "ops.key"), str(tmp_path / "ops.pub")
    encrypt = ["-pass", "pass:not-a-secret"] if "-aes256" in make else []
    decrypt = ["-passin", "pass:not-a-secret"] if encrypt else []
    for command in (
        [*make, *encrypt, "-out", private],
        ["pkey", "-in", private, *decrypt, "-pubout", "-out", public],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    client = Target(lab_registry.host).client()
    digest = pushed(client, b"zone")
    sign_artifact(client, digest, private, lambda: "not-a-secret")
    assert isinstance(check_signature(client, digest, Verify(keys=(public,))), Signed)


# --- What is there already -------------------------------------------------------------------


def test_other_referrers_are_kept(keys: tuple[str, Verify]) -> None:
    """The fallback index keeps every entry, with fields we know nothing of."""
    with LabRegistry(referrers=False) as lab:
        client = Target(lab.host).client()
        digest = pushed(client, b"zone")
        sbom = lab.push_files(REPOSITORY, None, {"sbom": b"{}"}, artifact_type="application/spdx")
        other = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": sbom,
            "size": 1,
            "artifactType": "application/spdx",
            "annotations": {"a": "b"},
            "platform": {"os": "x", "architecture": "y"},
        }
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [other], "x": 1}
        tag = digest.replace(":", "-")
        lab.push_manifest(REPOSITORY, tag, json.dumps(index).encode(), OCI_INDEX)
        done = sign_artifact(client, digest, keys[0], layout="bundle")
        assert done.tag == tag
        after = document(client, tag)
        assert after["manifests"][0] == other
        assert after["x"] == 1
        assert after["manifests"][1]["digest"] == done.digest
        assert after["manifests"][1]["artifactType"] == cosign.BUNDLE


def test_referrers_tag_is_not_written_without_need(
    lab_registry: LabRegistry, keys: tuple[str, Verify]
) -> None:
    """A registry that keeps referrers says OCI-Subject; then the tag is not ours to write."""
    client = Target(lab_registry.host).client()
    digest = pushed(client, b"zone")
    assert sign_artifact(client, digest, keys[0], layout="bundle").tag == ""
    assert client.tags() == ("v1",)


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_tag_of_another_kind(keys: tuple[str, Verify], layout: Layout) -> None:
    """What stands under the name and is something else is not overwritten."""
    with LabRegistry(referrers=False) as lab:
        client = Target(lab.host).client()
        digest = pushed(client, b"zone")
        if layout == "tag":
            raw = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
            lab.push_manifest(REPOSITORY, cosign.signature_tag(digest), raw, OCI_INDEX)
        else:
            lab.push_files(REPOSITORY, digest.replace(":", "-"), {"x": b"x"})
        with pytest.raises(Permanent, match="delete it"):
            sign_artifact(client, digest, keys[0], layout=layout)


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_full(tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature nobody would look at is not added."""
    monkeypatch.setattr(limits, "SIGNATURES", 2)
    monkeypatch.setattr(limits, "REFERRERS", 2)
    with LabRegistry(referrers=False) as lab:
        client = Target(lab.host).client()
        digest = pushed(client, b"zone")
        for name in ("a", "b"):
            sign_artifact(client, digest, pair(tmp_path, name)[0], layout=layout)
        with pytest.raises(Permanent, match=r"has 2 (signatures|referrers) already"):
            sign_artifact(client, digest, pair(tmp_path, "c")[0], layout=layout)


def test_nothing_to_sign(lab_registry: LabRegistry, keys: tuple[str, Verify]) -> None:
    """A digest that is not in the repository."""
    with pytest.raises(Permanent, match="nothing to sign"):
        sign_artifact(Target(lab_registry.host).client(), "sha256:" + "0" * 64, keys[0])
    assert lab_registry.count("PUT") == 0


def test_not_what_the_registry_says(lab_registry: LabRegistry, keys: tuple[str, Verify]) -> None:
    """Bytes of another digest are not signed."""
    client = Target(lab_registry.host).client()
    digest = pushed(client, b"zone")
    lab_registry.faults.replace_next("manifest", b"{}")
    with pytest.raises(Permanent, match="the bytes sent have the digest"):
        sign_artifact(client, digest, keys[0])


def test_no_manifest(lab_registry: LabRegistry, keys: tuple[str, Verify]) -> None:
    digest = lab_registry.push_manifest(REPOSITORY, None, b"{}")
    with pytest.raises(Permanent, match="cannot be used"):
        sign_artifact(Target(lab_registry.host).client(), digest, keys[0])


# --- Private keys ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("password", [None, "not-a-secret"])
def test_private_keys(tmp_path: Path, form: PrivateFormat, password: str | None) -> None:
    """PKCS#8, SEC 1 and PKCS#1; asked for a password only when there is one."""
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        return "not-a-secret"

    for kind in ("p256", "rsa"):
        file = write_private(new_key(kind), tmp_path / kind, password, form)
        read_private_key(file, ask)
    assert len(asked) == (2 if password else 0)


def bad_key(folder: Path, what: str) -> str:
    file = folder / "bad.key"
    match what:
        case "public":
            write_public(new_key("p256"), file)
        case "encrypted" | "wrong password":
            write_private(new_key("p256"), file, "not-a-secret")
        case "damaged":
            file.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        case "cosign":
            file.write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n")
        case "old cosign":
            file.write_text("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n")
        case "X25519":
            write_private(x25519.X25519PrivateKey.generate(), file)  # type: ignore[arg-type]  # no signing key
        case "curve":
            write_private(ec.generate_private_key(ec.SECP256K1()), file)
        case "short RSA":
            write_private(rsa.generate_private_key(65537, 1024), file)
        case _:
            assert what == "missing"
    return str(file)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "cannot be read: No such file"),
        ("public", "not a PEM private key"),
        ("encrypted", "encrypted, and no password is given"),
        ("wrong password", "the password is wrong"),
        ("damaged", "not a private key that can be read"),
        ("cosign", r"cosign's own encryption.*\(sign with cosign, or make a key with openssl"),
        ("old cosign", "cosign's own encryption"),
        ("X25519", "neither an ECDSA, an RSA nor an Ed25519 key"),
        ("curve", "a key on secp256k1"),
        ("short RSA", "an RSA key of 1024 bits"),
    ],
)
def test_unusable_private_keys(
    lab_registry: LabRegistry, tmp_path: Path, what: str, why: str
) -> None:
    """Named with its file, before anything is asked of the registry; no password in it."""
    file = bad_key(tmp_path, what)
    password = (lambda: "canary-wrong") if what == "wrong password" else None
    with pytest.raises(InputError, match=why) as caught:
        sign_artifact(Target(lab_registry.host).client(), "sha256:" + "0" * 64, file, password)
    assert caught.value.problems[0].file == file
    assert "canary" not in str(caught.value)
    assert lab_registry.requests == []
