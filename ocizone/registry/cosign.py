"""What cosign's signatures look like, in both layouts: reading and judging them.

Simple signing (cosign SIGNATURE_SPEC) and sigstore bundles (BUNDLE_SPEC; DSSE envelopes with an
in-toto statement, message signatures). Pure: bytes in, values out. Every judgement is in the
order signature, then content: nothing an unknown key signed decides anything but a message.

Not here: making them (makesignature.py), where they are found (signatures.py), certificates and logs (keyless.py).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ocizone import limits
from ocizone.registry.keys import TrustedKey, is_signed, is_signed_digest
from ocizone.registry.manifest import is_digest
from ocizone.registry.strictjson import BadJSONError, read_json

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
CERTIFICATE = "dev.sigstore.cosign/certificate"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
BUNDLE_CONTENT = "dev.sigstore.bundle.content"
BUNDLE_PREDICATE = "dev.sigstore.bundle.predicateType"
SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
IN_TOTO = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"

CONTAINER_SIGNATURE = "cosign container image signature"
_STATEMENTS = (STATEMENT, "https://in-toto.io/Statement/v0.1")
_BUNDLES = re.compile(
    r"application/vnd\.dev\.sigstore\.bundle(?:\.v0\.[0-9]+\+json|\+json; ?version=0\.[0-9]+)"
)


class BadSignatureError(ValueError):
    """A signature that does not count; the message says why."""


class AttestationError(ValueError):
    """Signed perhaps, but about something else than the artifact as such (an SBOM, provenance)."""


@dataclass(frozen=True, slots=True)
class SimpleSignature:
    """A layer of the ``.sig`` tag: the payload's bytes and a signature of them."""

    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope: the signature is over the pre-authentication encoding of the others."""

    payload_type: str
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature of the manifest's own bytes; ``sha256`` is what it says of them, or None."""

    sha256: bytes | None
    signature: bytes


Signature: TypeAlias = SimpleSignature | Envelope | MessageSignature


@dataclass(frozen=True, slots=True)
class Bundle:
    """A sigstore bundle, as far as we read it.

    Attributes:
        content: what is signed.
        has_certificate: it was made without a key of ours (keyless).
    """

    content: Envelope | MessageSignature
    has_certificate: bool


# --- Names -----------------------------------------------------------------------------------


def signature_tag(digest: str) -> str:
    """Return the tag that holds the simple signatures of a digest."""
    return f"{digest.replace(':', '-')}.sig"


def is_bundle_type(media_type: str) -> bool:
    """Tell whether a media type is that of a sigstore bundle, in any of its spellings."""
    return _BUNDLES.fullmatch(media_type) is not None


# --- Judging ---------------------------------------------------------------------------------


def judge(signature: Signature, digest: str, keys: Sequence[TrustedKey]) -> TrustedKey:
    """Return the key that signed this digest.

    Raises:
        BadSignatureError: none of the keys did.
        AttestationError: it is about something else.
    """
    match signature:
        case SimpleSignature(payload):
            key = _signer(keys, signature.signature, payload)
            check_payload(payload, digest)
        case Envelope(payload_type, payload):
            key = _signer(keys, signature.signature, encode(payload_type, payload))
            check_statement(payload_type, payload, digest)
        case MessageSignature(sha256):
            return _message_signer(keys, signature.signature, sha256, digest)
        case _:
            assert_never(signature)
    if key is None:
        raise BadSignatureError("made with another key")
    return key


def _signer(keys: Sequence[TrustedKey], signature: bytes, message: bytes) -> TrustedKey | None:
    return next((key for key in keys if is_signed(key.key, signature, message)), None)


def _message_signer(
    keys: Sequence[TrustedKey], signature: bytes, sha256: bytes | None, digest: str
) -> TrustedKey:
    signed = bytes.fromhex(digest.removeprefix("sha256:"))
    check_message(sha256, digest)
    for key in keys:
        if is_signed_digest(key.key, signature, signed):
            return key
    if any(isinstance(key.key, Ed25519PublicKey) for key in keys):
        raise BadSignatureError(
            "made with another key, or with Ed25519 over the manifest itself, which is not "
            "supported: sign with cosign sign, not sign-blob"
        )
    raise BadSignatureError("made with another key")


def check_message(sha256: bytes | None, digest: str) -> None:
    """Check what a message signature says it signs.

    Raises:
        BadSignatureError: it is another digest.
    """
    if sha256 is not None and f"sha256:{sha256.hex()}" != digest:
        raise BadSignatureError(f"signs another digest, sha256:{sha256.hex()[:64]}")


def check_payload(payload: bytes, digest: str) -> None:
    """Check that a simple signing payload is about this digest.

    ``docker-reference`` is not compared: the same bytes may be served by a mirror.

    Raises:
        BadSignatureError: it is not, or no such payload.
    """
    critical = _object(_object(_json(payload)).get("critical"))
    if critical.get("type") != CONTAINER_SIGNATURE:
        raise BadSignatureError(f"signs something else, {_shown(critical.get('type'))}")
    signed = _object(critical.get("image")).get("docker-manifest-digest")
    if signed != digest:
        raise BadSignatureError(f"signs another digest, {_shown(signed)}")


def check_statement(payload_type: str, payload: bytes, digest: str) -> None:
    """Check that an in-toto statement is cosign's signature of this digest.

    Who signs a statement of several subjects signs it about each of them (in-toto Statement v1).

    Raises:
        BadSignatureError: the statement is damaged, or about another digest.
        AttestationError: it says something else than "signed".
    """
    if payload_type != IN_TOTO:
        raise BadSignatureError(f"an envelope of {_shown(payload_type)}, not of {IN_TOTO}")
    statement = _object(_json(payload))
    if statement.get("_type") not in _STATEMENTS:
        raise BadSignatureError(f"a statement of type {_shown(statement.get('_type'))}")
    predicate = statement.get("predicateType")
    if predicate != SIGN_PREDICATE:
        raise AttestationError(f"an attestation of type {_shown(predicate)}")
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or not subjects:
        raise BadSignatureError("a statement without a subject")
    named = [_object(_object(subject).get("digest")).get("sha256") for subject in subjects]
    if digest.removeprefix("sha256:") not in named:
        raise BadSignatureError(f"signs another digest, {_shown(named[0])}")


def encode(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding of DSSE 1.0: what an envelope's signature is over."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


# --- Reading ---------------------------------------------------------------------------------


def read_base64(text: object) -> bytes:
    """Return what base64 text stands for (RFC 4648 4, padded, no other characters).

    Raises:
        BadSignatureError: it is no such text, or stands for nothing.
    """
    if not isinstance(text, str):
        raise BadSignatureError("damaged: base64 is missing")
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadSignatureError("damaged: not base64") from error
    if not raw:
        raise BadSignatureError("damaged: nothing in base64")
    return raw


def read_bundle(raw: bytes) -> Bundle:
    """Return what a sigstore bundle holds.

    Raises:
        BadSignatureError: it is none, or holds not exactly one signature.
    """
    fields = _object(_json(raw))
    kind = fields.get("mediaType")
    if not isinstance(kind, str) or not is_bundle_type(kind):
        raise BadSignatureError(f"a bundle of type {_shown(kind)}")
    material = _object(fields.get("verificationMaterial"))
    has_certificate = "certificate" in material or "x509CertificateChain" in material
    envelope, message = fields.get("dsseEnvelope"), fields.get("messageSignature")
    if (envelope is None) == (message is None):
        raise BadSignatureError("damaged: a bundle holds one envelope or one message signature")
    content = _envelope(_object(envelope)) if message is None else _message(_object(message))
    return Bundle(content, has_certificate)


def _envelope(fields: dict[str, object]) -> Envelope:
    kind, signatures = fields.get("payloadType"), fields.get("signatures")
    if not isinstance(kind, str):
        raise BadSignatureError("damaged: an envelope without payloadType")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise BadSignatureError("damaged: the envelope of a bundle has exactly one signature")
    signature = read_base64(_object(signatures[0]).get("sig"))
    return Envelope(kind, read_base64(fields.get("payload")), signature)


def _message(fields: dict[str, object]) -> MessageSignature:
    sha256, said = None, fields.get("messageDigest")
    if said is not None:
        if _object(said).get("algorithm") != "SHA2_256":
            raise BadSignatureError("a message digest that is not SHA-256")
        sha256 = read_base64(_object(said).get("digest"))
    return MessageSignature(sha256, read_base64(fields.get("signature")))


def _json(raw: bytes) -> object:
    try:
        return read_json(raw)
    except BadJSONError as error:
        raise BadSignatureError(f"damaged: {error}") from error


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadSignatureError("damaged: an object is missing")
    return value


def _shown(value: object) -> str:
    """Return a stranger's word for a message: digests as they are, the rest escaped and cut."""
    if not isinstance(value, str):
        return "nothing"
    return value if is_digest(value) else ascii(value[: limits.SHOWN_CHARACTERS])
