"""The formats: what counts as a signature of a digest, and what every other thing is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.registry import cosign, makesignature
from ocizone.registry.cosign import (
    AttestationError,
    BadSignatureError,
    Bundle,
    Envelope,
    MessageSignature,
    SimpleSignature,
    judge,
    read_bundle,
)
from ocizone.registry.keys import TrustedKey, read_public_keys
from tests.registry.signing import DIGEST, OTHER_DIGEST, b64, digest_of, message_bundle

HEX = DIGEST[7:]
KEY = ec.generate_private_key(ec.SECP256R1())
TRUSTED = (TrustedKey("ops.pub", KEY.public_key()),)


def sign(message: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    return key.sign(message, ec.ECDSA(SHA256()))


def test_tag() -> None:
    """Cosign's name for the signatures of a digest."""
    assert cosign.signature_tag(DIGEST) == f"sha256-{HEX}.sig"


@pytest.mark.parametrize(
    ("media_type", "is_bundle"),
    [
        ("application/vnd.dev.sigstore.bundle.v0.3+json", True),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", True),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", True),
        ("application/vnd.dev.sigstore.bundle+json; version=0.2", True),
        ("application/vnd.dev.sigstore.bundle.v1.0+json", False),
        ("application/vnd.dev.sigstore.bundle+json", False),
        ("application/vnd.dev.sigstore.bundle.v0.3+json\n", False),
        ("application/vnd.cncf.notary.signature", False),
        ("", False),
    ],
)
def test_bundle_types(media_type: str, *, is_bundle: bool) -> None:
    assert cosign.is_bundle_type(media_type) is is_bundle


def test_encoding() -> None:
    """The example of the DSSE 1.0 protocol description."""
    assert (
        cosign.encode("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


# --- Simple signing --------------------------------------------------------------------------


def payload(**changes: Any) -> bytes:
    critical = {
        "identity": {"docker-reference": "registry.example/zones"},
        "image": {"docker-manifest-digest": DIGEST},
        "type": "cosign container image signature",
        **changes,
    }
    return json.dumps({"critical": critical, "optional": {"creator": "x"}}).encode()


def test_simple_signature() -> None:
    """The payload cosign writes, and the one we write."""
    for raw in (payload(), makesignature.make_payload(DIGEST, "other.example/zones")):
        assert judge(SimpleSignature(raw, sign(raw)), DIGEST, TRUSTED).name == "ops.pub"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (
            payload(image={"docker-manifest-digest": OTHER_DIGEST}),
            f"another digest, {OTHER_DIGEST}",
        ),
        (payload(image={"docker-manifest-digest": DIGEST.upper()}), "another digest"),
        (payload(image={"docker-manifest-digest": HEX}), "another digest"),
        (payload(image={"docker-manifest-digest": [DIGEST]}), "another digest, nothing"),
        (payload(image=DIGEST), "an object is missing"),
        (payload(type="atomic container signature"), "signs something else, 'atomic"),
        (payload(type=None), "signs something else, nothing"),
        (payload(type="x\n" + "y" * 999), r"something else, 'x\\ny{118}'$"),
        (b"{}", "an object is missing"),
        (b"[]", "an object is missing"),
        (b'{"critical": ' + payload()[13:-1] + b', "critical": {}}', "the same key twice"),
        (payload().replace(b'"type"', b'"image": {}, "type"'), "the same key twice"),
        (payload()[:-1], "damaged: not JSON"),
        (payload() + b"\xff", "damaged: not UTF-8"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper"),
    ],
)
def test_simple_signature_of_something_else(raw: bytes, why: str) -> None:
    """Though the right key signed it: strict JSON, the type, and the digest as it is spelt."""
    with pytest.raises(BadSignatureError, match=why):
        judge(SimpleSignature(raw, sign(raw)), DIGEST, TRUSTED)


def test_another_key() -> None:
    """All is well but the key."""
    raw = payload()
    with pytest.raises(BadSignatureError, match="made with another key"):
        judge(
            SimpleSignature(raw, sign(raw, ec.generate_private_key(ec.SECP256R1()))),
            DIGEST,
            TRUSTED,
        )
    with pytest.raises(BadSignatureError, match="made with another key"):
        judge(SimpleSignature(raw, sign(raw)), DIGEST, ())


def test_one_octet_more() -> None:
    """A signature is over the bytes, not over what they mean."""
    with pytest.raises(BadSignatureError, match="made with another key"):
        judge(SimpleSignature(payload() + b" ", sign(payload())), DIGEST, TRUSTED)


# --- Envelopes -------------------------------------------------------------------------------


def statement(**changes: Any) -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "x", "digest": {"sha256": HEX}}],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
            **changes,
        }
    ).encode()


def envelope(raw: bytes, kind: str = cosign.IN_TOTO) -> Envelope:
    return Envelope(kind, raw, sign(cosign.encode(kind, raw)))


@pytest.mark.parametrize(
    "raw",
    [
        statement(),
        statement(_type="https://in-toto.io/Statement/v0.1"),
        statement(subject=[{"digest": {"sha512": "c" * 128}}, {"digest": {"sha256": HEX}}]),
        makesignature.make_statement(DIGEST),
    ],
)
def test_envelope(raw: bytes) -> None:
    """A statement holds for each of its subjects (in-toto Statement v1)."""
    assert judge(envelope(raw), DIGEST, TRUSTED).name == "ops.pub"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (statement(subject=[{"digest": {"sha256": OTHER_DIGEST[7:]}}]), "another digest, 'b2b2"),
        (statement(subject=[{"digest": {"sha256": HEX.upper()}}]), "another digest"),
        (statement(subject=[{"digest": {"sha256": DIGEST}}]), "another digest"),
        (statement(subject=[{"digest": {"sha512": HEX}}]), "another digest, nothing"),
        (statement(subject=[{"name": HEX}]), "an object is missing"),
        (statement(subject=[]), "without a subject"),
        (statement(subject={"digest": {"sha256": HEX}}), "without a subject"),
        (statement(_type="https://in-toto.io/Statement/v2"), "a statement of type"),
        (statement()[:-1] + b', "predicate": {}}', "the same key twice"),
        (statement()[:-1] + b', "subject": []}', "the same key twice"),
        (b"null", "an object is missing"),
    ],
)
def test_envelope_of_something_else(raw: bytes, why: str) -> None:
    with pytest.raises(BadSignatureError, match=why):
        judge(envelope(raw), DIGEST, TRUSTED)


def test_attestation_is_no_signature() -> None:
    """An SBOM signed by the right key does not say that the zones may be served."""
    raw = statement(predicateType="https://spdx.dev/Document")
    with pytest.raises(AttestationError, match="spdx"):
        judge(envelope(raw), DIGEST, TRUSTED)


def test_envelope_of_another_type() -> None:
    """The type is signed, and must be in-toto's."""
    with pytest.raises(BadSignatureError, match="an envelope of 'text/plain'"):
        judge(envelope(statement(), "text/plain"), DIGEST, TRUSTED)
    moved = Envelope(cosign.IN_TOTO, statement(), envelope(statement(), "text/plain").signature)
    with pytest.raises(BadSignatureError, match="another key"):
        judge(moved, DIGEST, TRUSTED)


def test_layouts_do_not_mix() -> None:
    """The signature of a payload is none of an envelope with the same bytes, and back."""
    with pytest.raises(BadSignatureError, match="another key"):
        judge(Envelope(cosign.IN_TOTO, statement(), sign(statement())), DIGEST, TRUSTED)
    signature = envelope(payload()).signature
    with pytest.raises(BadSignatureError, match="another key"):
        judge(SimpleSignature(payload(), signature), DIGEST, TRUSTED)


# --- Message signatures ----------------------------------------------------------------------


def test_message_signature() -> None:
    """Over the manifest's bytes: their digest is enough for ECDSA and RSA."""
    manifest = b'{"schemaVersion": 2}'
    digest = digest_of(manifest)
    for said in (bytes.fromhex(digest[7:]), None):
        found = judge(MessageSignature(said, sign(manifest)), digest, TRUSTED)
        assert found.name == "ops.pub"
    with pytest.raises(BadSignatureError, match="signs another digest"):
        judge(MessageSignature(bytes.fromhex(HEX), sign(manifest)), digest, TRUSTED)
    with pytest.raises(BadSignatureError, match=r"made with another key$"):
        judge(MessageSignature(None, sign(manifest)), DIGEST, TRUSTED)


def test_message_signature_with_ed25519() -> None:
    """Ed25519 hashes the message itself (RFC 8032 5.1.7): a digest is not enough, and it says so."""
    key = ed25519.Ed25519PrivateKey.generate()
    trusted = (TrustedKey("ops.pub", key.public_key()),)
    signature = MessageSignature(None, key.sign(bytes.fromhex(HEX)))
    with pytest.raises(BadSignatureError, match="Ed25519 over the manifest itself"):
        judge(signature, DIGEST, trusted)


# --- Bundles ---------------------------------------------------------------------------------


def document(**changes: Any) -> bytes:
    fields = {
        "mediaType": cosign.BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": ""}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64(b"payload"),
            "payloadType": "x/y",
            "signatures": [{"sig": b64(b"signature"), "keyid": ""}],
        },
        **changes,
    }
    return json.dumps({key: value for key, value in fields.items() if value != "-"}).encode()


def envelope_with(**changes: Any) -> bytes:
    fields = json.loads(document())["dsseEnvelope"]
    return document(dsseEnvelope={**fields, **changes})


def test_read_bundle() -> None:
    assert read_bundle(document()) == Bundle(Envelope("x/y", b"payload", b"signature"), False)
    assert read_bundle(message_bundle(b"d" * 32, b"s")) == Bundle(
        MessageSignature(b"d" * 32, b"s"), False
    )
    for material in ("certificate", "x509CertificateChain"):
        assert read_bundle(document(verificationMaterial={material: {}})).has_certificate


MESSAGE = {"signature": b64(b"s")}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (document(mediaType="application/json"), "a bundle of type"),
        (document(mediaType=7), "a bundle of type nothing"),
        (document(verificationMaterial="-"), "an object is missing"),
        (document(dsseEnvelope="-"), "one envelope or one message signature"),
        (document(messageSignature=MESSAGE), "one envelope or one message signature"),
        (envelope_with(signatures=[]), "exactly one signature"),
        (envelope_with(signatures=[{"sig": "YQ=="}] * 2), "exactly one signature"),
        (envelope_with(signatures=["YQ=="]), "an object is missing"),
        (envelope_with(signatures=[{}]), "base64 is missing"),
        (envelope_with(payloadType=None), "without payloadType"),
        (envelope_with(payload="YW"), "not base64"),
        (envelope_with(payload="YWJj\n"), "not base64"),
        (envelope_with(payload="YW-_"), "not base64"),
        (envelope_with(payload="ü"), "not base64"),
        (envelope_with(payload=""), "nothing in base64"),
        (message_bundle(b"d" * 32, b"s", "SHA2_512"), "not SHA-256"),
        (document()[:-1], "not JSON"),
        (document()[:-1] + b', "mediaType": ""}', "the same key twice"),
        (b"\x80", "not UTF-8"),
    ],
)
def test_read_bad_bundle(raw: bytes, why: str) -> None:
    with pytest.raises(BadSignatureError, match=why):
        read_bundle(raw)


def test_made_bundle_is_read() -> None:
    """What we make is what we read."""
    assert read_bundle(makesignature.make_bundle(b"p", b"s", b"hint")) == Bundle(
        Envelope(cosign.IN_TOTO, b"p", b"s"), False
    )


# --- What others made ------------------------------------------------------------------------

# Public examples, as cosign 3 (with a key) and sigstore-go (its documentation; the timestamp left
# out) wrote them.
COSIGN = (
    b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":'
    b'{"publicKey":{"hint":"h162TZsIBy5Y8U9qYWcmpVAp5dKpXhR7gnz8sNfZjV4="}}, "dsseEnvelope":'
    b'{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCAic3ViamVjdCI6W3siZG'
    b"lnZXN0Ijp7InNoYTI1NiI6IjUwOTliODlkNzY2NmNjMjE4NmNhZDc2OWRkYzI2MmRkYzdjMzM1YjMzZjVmZTc5Zj"
    b"lmZmU1MGEwMTI4MmIyM2UifSwgImFubm90YXRpb25zIjp7fX1dLCAicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2"
    b'lnc3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwgInByZWRpY2F0ZSI6e319", "payloadType":'
    b'"application/vnd.in-toto+json", "signatures":[{"sig":"MEUCIBs2jKDupMmrqsjzI3W2oiID2y0P7n4U'
    b'KT/RZHFeUOuhAiEA4SWsNDZXQBFqaA1/npF+HOGAaG2iuA52mxgPFCpgQog="}]}}'
)
COSIGN_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoJmXprHRCRJdqHnRaPDkVssbQNO1
is6XUr+/ApqnDi8HvBCRPbwU2P8jgkgtOOggNUf03tvJe0/9eZOb04aDbQ==
-----END PUBLIC KEY-----
"""
COSIGN_DIGEST = "sha256:5099b89d7666cc2186cad769ddc262ddc7c335b33f5fe79f9ffe50a01282b23e"
SIGSTORE_GO = (
    b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":'
    b'{"publicKey":{"hint":"WpMWlwBZxXlzAjt/fxK4Nd9VYm7PH3cnr3TTVmdQ5SQ="}}, "messageSignature":'
    b'{"messageDigest":{"algorithm":"SHA2_256", "digest":'
    b'"uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="}, "signature":"MEUCIQDlK0ZyYsGeh1NC7MiAL+mT'
    b'54jdQakhelpy5Vz5MmWEbgIgRn51DlDW6rgIY7KMUq+7sC8BjZYzh4QtmcPjJiF4RSA="}}'
)
SIGSTORE_GO_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY51jsbL5o8ge+FAcxpYjQeDEe1n5
WK+8DzwCkLLPJHISIvsiS93PTVDPpmbAASOl2Y4ZHqRsxb3aPMaQmN4sew==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize(
    ("raw", "pem", "digest"),
    [
        (COSIGN, COSIGN_KEY, COSIGN_DIGEST),
        (SIGSTORE_GO, SIGSTORE_GO_KEY, digest_of(b"hello world")),
    ],
)
def test_bundles_of_others(tmp_path: Path, raw: bytes, pem: bytes, digest: str) -> None:
    """What cosign and sigstore-go sign counts for its digest and key, and for no other."""
    file = tmp_path / "cosign.pub"
    file.write_bytes(pem)
    keys = read_public_keys((str(file),))
    content = read_bundle(raw).content
    assert judge(content, digest, keys).name == "cosign.pub"
    for wrong_digest, wrong_keys in ((DIGEST, keys), (digest, TRUSTED)):
        with pytest.raises(BadSignatureError):
            judge(content, wrong_digest, wrong_keys)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from([HEX, DIGEST]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "critical",
                    "image",
                    "type",
                    "docker-manifest-digest",
                    "_type",
                    "subject",
                    "predicateType",
                    "digest",
                    "sha256",
                    "mediaType",
                    "verificationMaterial",
                    "dsseEnvelope",
                    "messageSignature",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON, st.binary(max_size=20))
def test_nothing_strange_is_trusted(found: object, noise: bytes) -> None:
    """Whatever JSON, or no JSON: a refusal, never another exception, never trust."""
    for raw in (json.dumps(found).encode(), noise, json.dumps(found).encode() + noise):
        for read in (
            lambda raw: judge(SimpleSignature(raw, b"s"), DIGEST, TRUSTED),
            lambda raw: judge(Envelope(cosign.IN_TOTO, raw, b"s"), DIGEST, TRUSTED),
            read_bundle,
        ):
            with pytest.raises((BadSignatureError, AttestationError)):
                read(raw)
