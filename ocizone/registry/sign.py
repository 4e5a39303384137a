"""Signing an artifact in its registry with a private key, as cosign does.

Keys are PEM (PKCS#8, SEC 1 or PKCS#1; encrypted or not), made with openssl. The ``.sig`` layout
adds a layer to what is there, the bundle layout another referrer; where the registry keeps no
referrers, its index under the fallback tag is extended (distribution spec "Referrers Tag Schema").
Two who sign at one moment may lose one signature, as with cosign: neither has a transaction.

Not here: signing without a key, and cosign's own encrypted key files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, assert_never

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from ocizone import limits
from ocizone.errors import FetchReason, InputError, Permanent, Problem, Severity
from ocizone.registry import cosign, makesignature
from ocizone.registry.client import Client
from ocizone.registry.keys import PublicKey, TrustedKey, weakness
from ocizone.registry.manifest import (
    EMPTY_DIGEST,
    EMPTY_TYPE,
    MANIFEST_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    TITLE,
    BadManifestError,
    Index,
    Manifest,
    compact_json,
    digest_of,
    is_digest,
    read_manifest,
)
from ocizone.registry.operatorfile import read_file
from ocizone.registry.push import send_blob, send_manifest
from ocizone.registry.signatures import is_signed_with

PrivateKey: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
Layout: TypeAlias = Literal["tag", "bundle"]
_IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True)
class PushedSignature:
    """What signing did.

    Attributes:
        layout: ``tag`` or ``bundle``.
        digest: of the manifest that holds the signature; "" when nothing was pushed.
        tag: that was written: the ``.sig`` tag, or the referrers' fallback tag; "" for none.
    """

    layout: Layout
    digest: str
    tag: str


def sign_artifact(
    client: Client,
    digest: str,
    key_file: str,
    password: Callable[[], str] | None = None,
    layout: Layout = "tag",
) -> PushedSignature:
    """Sign what a repository holds under a digest, and push the signature there.

    A signature of the same key that is there already is left alone, and nothing is pushed.

    Args:
        client: of the repository.
        digest: of a manifest or index in it.
        key_file: PEM private key.
        password: asked when the key is encrypted; None: an encrypted key is an error.
        layout: ``.sig`` tag, which every cosign reads, or a sigstore bundle (cosign 2.4 and later).

    Raises:
        InputError: the key cannot be used.
        Permanent: there is no such manifest, too many signatures, or the registry refuses.
        Transient: the registry does not answer, or is in trouble.
    """
    key = read_private_key(key_file, password)
    public = TrustedKey(Path(key_file).name, key.public_key())
    subject = _read(client, digest)
    if subject is None:
        raise Permanent(
            f"{client.where}: nothing to sign: no manifest {digest}", reason=FetchReason.NOT_FOUND
        )
    if is_signed_with(client, digest, public, layout):
        return PushedSignature(layout, "", "")
    if layout == "tag":
        return _push_tag(client, digest, key)
    media_type = OCI_INDEX if isinstance(subject.value, Index) else OCI_MANIFEST
    named = subject.fields.get("mediaType")
    about = {
        "mediaType": named if isinstance(named, str) else media_type,
        "digest": digest,
        "size": len(subject.raw),
    }
    return _push_bundle(client, about, key, public.key)


# --- Keys ------------------------------------------------------------------------------------


def read_private_key(key_file: str, password: Callable[[], str] | None) -> PrivateKey:
    """Return the private key of a PEM file.

    Raises:
        InputError: it cannot be read or used, or the password is wrong.
    """
    try:
        raw = read_file(key_file, limits.KEY_OCTETS)
    except OSError as error:
        raise _unusable(key_file, f"cannot be read: {error.strerror}") from error
    if b"ENCRYPTED SIGSTORE PRIVATE KEY" in raw or b"ENCRYPTED COSIGN PRIVATE KEY" in raw:
        raise _unusable(
            key_file,
            "a private key in cosign's own encryption, which is not supported",
            "sign with cosign, or make a key with openssl genpkey",
        )
    if b"PRIVATE KEY-----" not in raw:
        raise _unusable(key_file, "not a PEM private key")
    key = _decrypt(key_file, raw, password)
    if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey):
        raise _unusable(key_file, "neither an ECDSA, an RSA nor an Ed25519 key")
    wrong = weakness(key.public_key())
    if wrong:
        raise _unusable(key_file, wrong)
    return key


def _decrypt(key_file: str, raw: bytes, password: Callable[[], str] | None) -> object:
    try:
        return load_pem_private_key(raw, None)
    except TypeError as error:
        if password is None:
            raise _unusable(key_file, "encrypted, and no password is given") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(key_file, "not a private key that can be read") from error
    try:
        return load_pem_private_key(raw, password().encode("utf-8"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(key_file, "the password is wrong, or the key damaged") from error


def _unusable(key_file: str, message: str, hint: str = "") -> InputError:
    return InputError([Problem(key_file, 0, 0, Severity.ERROR, "sign-key", message, hint)])


def sign_message(key: PrivateKey, message: bytes) -> bytes:
    """Return a signature of the message, as ``keys.is_signed`` takes it."""
    match key:
        case Ed25519PrivateKey():
            return key.sign(message)
        case RSAPrivateKey():
            return key.sign(message, PKCS1v15(), SHA256())
        case EllipticCurvePrivateKey():
            return key.sign(message, ECDSA(SHA256()))
        case _:
            assert_never(key)


# --- The .sig tag ----------------------------------------------------------------------------


def _push_tag(client: Client, digest: str, key: PrivateKey) -> PushedSignature:
    tag = cosign.signature_tag(digest)
    payload = makesignature.make_payload(digest, client.where)
    layer = {
        "mediaType": cosign.SIMPLE_SIGNING,
        "digest": send_blob(client, payload),
        "size": len(payload),
        "annotations": {cosign.SIGNATURE: makesignature.write_base64(sign_message(key, payload))},
    }
    found = _read(client, tag)
    document: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    layers: list[object] = []
    if found is not None:
        if not isinstance(found.value, Manifest):
            raise _unfit(client, tag, "is no image manifest; delete it, or sign as a bundle")
        document, layers = found.fields, _list(found.fields["layers"])
    if len(layers) >= limits.SIGNATURES:
        raise _unfit(client, tag, f"has {len(layers)} signatures already; delete it")
    layers = [*layers, layer]
    config = _image_config(layers)
    document["config"] = {
        "mediaType": _IMAGE_CONFIG,
        "digest": send_blob(client, config),
        "size": len(config),
    }
    document["layers"] = layers
    raw = compact_json(document)
    send_manifest(client, raw, tag)
    return PushedSignature("tag", digest_of(raw), tag)


def _image_config(layers: list[object]) -> bytes:
    """Return the config cosign gives such an image: nothing but the digests of its layers."""
    digests = [layer["digest"] for layer in layers if isinstance(layer, dict)]
    return compact_json(
        {
            "architecture": "",
            "os": "",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": digests},
        }
    )


# --- Bundles ---------------------------------------------------------------------------------


def _push_bundle(
    client: Client, about: dict[str, object], key: PrivateKey, public: PublicKey
) -> PushedSignature:
    digest = str(about["digest"])
    statement = makesignature.make_statement(digest)
    signature = sign_message(key, cosign.encode(cosign.IN_TOTO, statement))
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bundle = makesignature.make_bundle(statement, signature, hashlib.sha256(spki).digest())
    blob = send_blob(client, bundle)
    annotations = {
        cosign.BUNDLE_CONTENT: "dsse-envelope",
        cosign.BUNDLE_PREDICATE: cosign.SIGN_PREDICATE,
    }
    title = f"{blob.replace(':', '-')}.sigstore.json"
    send_blob(client, b"{}")
    raw = compact_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": cosign.BUNDLE,
            "config": {"mediaType": EMPTY_TYPE, "digest": EMPTY_DIGEST, "size": 2},
            "layers": [
                {
                    "mediaType": cosign.BUNDLE,
                    "digest": blob,
                    "size": len(bundle),
                    "annotations": {TITLE: title},
                }
            ],
            "subject": about,
            "annotations": annotations,
        }
    )
    name = digest_of(raw)
    if "OCI-Subject" in send_manifest(client, raw, name):
        return PushedSignature("bundle", name, "")
    entry: dict[str, object] = {
        "mediaType": OCI_MANIFEST,
        "digest": name,
        "size": len(raw),
        "artifactType": cosign.BUNDLE,
        "annotations": annotations,
    }
    return PushedSignature("bundle", name, _list_referrer(client, digest, entry))


def _list_referrer(client: Client, digest: str, entry: dict[str, object]) -> str:
    """Add an entry to the index of referrers under the fallback tag; return the tag."""
    tag = digest.replace(":", "-")
    document: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    found = _read(client, tag)
    if found is not None:
        if not isinstance(found.value, Index):
            raise _unfit(client, tag, "is no index of referrers; delete it")
        document = found.fields
    manifests = _list(document["manifests"])
    # Clients of ours read an index of so many, and no more.
    if len(manifests) >= limits.REFERRERS:
        raise _unfit(client, tag, f"has {len(manifests)} referrers already; delete some")
    document["manifests"] = [*manifests, entry]
    send_manifest(client, compact_json(document), tag, OCI_INDEX)
    return tag


# --- What is there ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """A manifest in the registry: its bytes, all its fields, and what they mean."""

    raw: bytes
    fields: dict[str, object]
    value: Manifest | Index


def _read(client: Client, name: str) -> _Held | None:
    """Return what a tag or digest names, whole, so that nothing of it is lost; None for nothing."""
    calls, asked = client.calls, f"manifest {name}"
    accept = {"Accept": ", ".join(MANIFEST_TYPES)}
    answer = calls.do_request(f"{calls.base}/manifests/{name}", headers=accept)
    raw = calls.read(calls.expect(answer, asked, 200, 404), asked, limits.MANIFEST_OCTETS)
    if answer.status_code != 200:
        return None
    if is_digest(name) and digest_of(raw) != name:
        raise Permanent(
            f"{client.where}: {asked}: the bytes sent have the digest {digest_of(raw)}",
            reason=FetchReason.INTEGRITY,
        )
    try:
        value = read_manifest(raw, digest_of(raw), most=limits.REFERRERS)
    except BadManifestError as error:
        raise _unfit(client, name, f"cannot be used: {error}") from error
    return _Held(raw, json.loads(raw), value)


def _unfit(client: Client, name: str, what: str) -> Permanent:
    return Permanent(f"{client.where}: manifest {name} {what}", reason=FetchReason.PROTOCOL)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
