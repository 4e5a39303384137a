"""A repository in memory to look for signatures in, and keys of every kind; shared by tests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ocizone.errors import FetchReason, Permanent
from ocizone.registry import cosign
from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest
from ocizone.registry.sign import PrivateKey

DIGEST = "sha256:" + "a1" * 32
OTHER_DIGEST = "sha256:" + "b2" * 32
KINDS = ("p256", "p384", "p521", "rsa", "ed25519")
EMPTY = Descriptor("application/vnd.oci.empty.v1+json", "sha256:" + "0" * 64, 2, {})


def new_key(kind: str) -> PrivateKey:
    curves: dict[str, ec.EllipticCurve] = {
        "p256": ec.SECP256R1(),
        "p384": ec.SECP384R1(),
        "p521": ec.SECP521R1(),
    }
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate()


def write_public(key: PrivateKey, file: Path) -> str:
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(file)


def write_private(
    key: PrivateKey,
    file: Path,
    password: str | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> str:
    encryption: KeySerializationEncryption = NoEncryption()
    if password is not None:
        encryption = BestAvailableEncryption(password.encode())
    file.write_bytes(key.private_bytes(Encoding.PEM, form, encryption))
    return str(file)


def digest_of(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Repository:
    """A SignatureClient that works: it keeps what it is given and counts what it is asked."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, Manifest] = {}
        self.tags: dict[str, str] = {}
        self.listed: dict[str, list[IndexEntry]] = {}
        self.requests = 0

    # --- SignatureClient ---------------------------------------------------------------------

    def manifest(self, digest: str) -> Manifest:
        self.requests += 1
        if digest not in self.manifests:
            raise Permanent("404", reason=FetchReason.NOT_FOUND)
        return self.manifests[digest]

    def tagged(self, tag: str) -> Manifest | None:
        self.requests += 1
        return self.manifests[self.tags[tag]] if tag in self.tags else None

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        self.requests += 1
        return tuple(self.listed.get(digest, ()))

    def small(self, blob: Descriptor, most: int) -> bytes:
        self.requests += 1
        raw = self.blobs[blob.digest]
        if len(raw) > most:
            raise Permanent("too large", reason=FetchReason.TOO_LARGE)
        if digest_of(raw) != blob.digest:
            raise Permanent("another digest", reason=FetchReason.INTEGRITY)
        return raw

    # --- Filling -----------------------------------------------------------------------------

    def blob(
        self, raw: bytes, media_type: str, annotations: Mapping[str, str] | None = None
    ) -> Descriptor:
        self.blobs[digest_of(raw)] = raw
        return Descriptor(media_type, digest_of(raw), len(raw), annotations or {})

    def put(self, layers: Sequence[Descriptor], artifact_type: str = "") -> Manifest:
        name = digest_of(repr((len(self.manifests), layers)).encode())
        self.manifests[name] = Manifest(name, artifact_type, EMPTY, tuple(layers), {})
        return self.manifests[name]

    def tag_signatures(self, digest: str, *layers: Descriptor) -> None:
        self.tags[cosign.signature_tag(digest)] = self.put(layers).digest

    def layer(self, payload: bytes, signature: bytes | str) -> Descriptor:
        text = signature if isinstance(signature, str) else b64(signature)
        return self.blob(payload, cosign.SIMPLE_SIGNING, {cosign.SIGNATURE: text})

    def refer(
        self,
        digest: str,
        bundle: bytes,
        artifact_type: str = cosign.BUNDLE,
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        manifest = self.put([self.blob(bundle, cosign.BUNDLE)], artifact_type)
        descriptor = Descriptor("m/t", manifest.digest, 100, annotations or {})
        self.listed.setdefault(digest, []).append(IndexEntry(descriptor, artifact_type, ""))
        return manifest.digest


def message_bundle(sha256: bytes | None, signature: bytes, algorithm: str = "SHA2_256") -> bytes:
    message: dict[str, object] = {"signature": b64(signature)}
    if sha256 is not None:
        message["messageDigest"] = {"algorithm": algorithm, "digest": b64(sha256)}
    return json.dumps(
        {
            "mediaType": cosign.BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": ""}},
            "messageSignature": message,
        }
    ).encode()
