"""Keyless signatures: the glue to sigstore, with a real bundle and with a verifier that works.

data/staging-bundle.sigstore.json is a public signature from sigstore-python's own tests
(Apache-2.0; bundle_v3.txt), made with sigstore's staging services: certificate, log entry and
inclusion proof are real.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocizone.errors import FetchReason, Permanent
from ocizone.plugins.artifact import Identity, Verify
from ocizone.registry import cosign, makesignature
from ocizone.registry.cosign import AttestationError, BadSignatureError, read_bundle
from ocizone.registry.keyless import BundleVerifier, judge_keyless, production
from ocizone.registry.signatures import check_signature
from ocizone.registry.trust import Signed, Untrusted
from tests.registry.signing import DIGEST, OTHER_DIGEST, Repository, b64

RAW = (Path(__file__).parent / "data" / "staging-bundle.sigstore.json").read_bytes()
SIGNED = "sha256:5e6ae9de58c1177bea615b4fcbfb2fd688e8c4b51c2e56b6a38e817833ec24a2"
SIGNER = Identity("https://github.com/login/oauth", "william@yossarian.net")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trust root comes from the package, not from what this machine has cached."""
    pytest.importorskip("sigstore")
    production.cache_clear()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def staging() -> BundleVerifier:
    from sigstore.verify import Verifier  # noqa: PLC0415 - an extra, which may be missing

    return Verifier.staging(offline=True)


def judged(raw: bytes, digest: str, *identities: Identity, trust: Callable[[], Any]) -> Identity:
    return judge_keyless(raw, read_bundle(raw), digest, identities, trust)


# --- A real signature ------------------------------------------------------------------------


def test_real_signature() -> None:
    """Chain, SCT, log entry and signature all hold, offline; the second identity is the one."""
    somebody = Identity("https://issuer.example", "a@example.org")
    assert judged(RAW, SIGNED, somebody, SIGNER, trust=staging) == SIGNER


def test_real_signature_by_the_registry() -> None:
    """The same from a repository to the verdict, beside a key that did not sign."""
    repository = Repository()
    repository.refer(SIGNED, RAW)
    verify = Verify(identities=(SIGNER,))
    assert check_signature(repository, SIGNED, verify, trust=staging) == Signed(
        "william@yossarian.net (https://github.com/login/oauth)", "bundle"
    )


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (Identity(SIGNER.issuer, "w@example.org"), "SANs do not match"),
        (Identity("https://accounts.example.com", SIGNER.subject), "OIDCIssuer does not match"),
        (Identity("", SIGNER.subject), "needs an issuer and a subject"),
        (Identity(SIGNER.issuer, ""), "needs an issuer and a subject"),
    ],
)
def test_another_identity(identity: Identity, why: str) -> None:
    """Both halves must match; an empty one is no wildcard."""
    with pytest.raises(BadSignatureError, match=why):
        judged(RAW, SIGNED, identity, trust=staging)


def test_another_digest() -> None:
    """Said wrongly, and not said at all."""
    with pytest.raises(BadSignatureError, match="signs another digest"):
        judged(RAW, DIGEST, SIGNER, trust=staging)
    document = json.loads(RAW)
    del document["messageSignature"]["messageDigest"]
    with pytest.raises(BadSignatureError, match="keyless: "):
        judged(json.dumps(document).encode(), DIGEST, SIGNER, trust=staging)


def test_another_trust_root() -> None:
    """A certificate of the staging services is nothing to production, which we use."""
    with pytest.raises(BadSignatureError, match="keyless: "):
        judged(RAW, SIGNED, SIGNER, trust=production)


def tampered() -> list[tuple[str, bytes]]:
    """Return the real bundle with each of its values changed in turn."""
    found: list[tuple[str, bytes]] = []

    def walk(node: Any, path: str) -> None:
        pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        for key, value in pairs:
            where = f"{path}.{key}"
            if isinstance(value, dict | list):
                walk(value, where)
            others: tuple[object, ...] = (None, [], {}, "", "AAAA", 7, "x" + str(value))
            for other in others:
                node[key] = other
                found.append((f"{where}={other!r:.20}", json.dumps(document).encode()))
            node[key] = value

    document = json.loads(RAW)
    walk(document, "")
    return found


def test_tampered_bundles() -> None:
    """Whatever is changed: refused in words of ours, never another exception.

    But for what a message signature says of the message, which may be absent.
    """
    trusted = []
    verifier = staging()
    for what, raw in tampered():
        try:
            judged(raw, SIGNED, SIGNER, trust=lambda: verifier)
        except BadSignatureError:
            continue
        trusted.append(what)
    assert trusted == [".messageSignature.messageDigest=None"]


# --- A verifier that works, for envelopes ----------------------------------------------------


class Verifier:
    """Takes any bundle for the identity's, and returns the payload it is told to."""

    def __init__(self, payload: bytes, kind: str = cosign.IN_TOTO) -> None:
        self.payload, self.kind = payload, kind
        self.identities: list[str] = []

    def verify_dsse(self, bundle: Any, policy: Any) -> tuple[str, bytes]:
        self.identities.append(policy._identity)
        return self.kind, self.payload

    def verify_artifact(self, input_: Any, bundle: Any, policy: Any) -> None:
        raise AssertionError("an envelope is expected")


def enveloped(statement: bytes) -> bytes:
    """Return the real bundle with an envelope instead of its message signature."""
    document = json.loads(RAW)
    del document["messageSignature"]
    document["dsseEnvelope"] = {
        "payload": b64(statement),
        "payloadType": cosign.IN_TOTO,
        "signatures": [{"sig": b64(b"signature")}],
    }
    return json.dumps(document).encode()


def test_envelope() -> None:
    """What counts is the payload the library verified, for our digest."""
    statement = makesignature.make_statement(DIGEST)
    verifier = Verifier(statement)
    assert judged(enveloped(statement), DIGEST, SIGNER, trust=lambda: verifier) == SIGNER
    assert verifier.identities == [SIGNER.subject]


@pytest.mark.parametrize(
    "verifier",
    [
        Verifier(makesignature.make_statement(OTHER_DIGEST)),
        Verifier(b"{}"),
        Verifier(b"x", "text/plain"),
    ],
)
def test_envelope_with_another_payload(verifier: Verifier) -> None:
    """Should two readers differ, the verified one decides."""
    with pytest.raises(BadSignatureError):
        judged(
            enveloped(makesignature.make_statement(DIGEST)), DIGEST, SIGNER, trust=lambda: verifier
        )


def test_attestation() -> None:
    """Provenance is no signature, whoever made it; the library is not even loaded."""
    statement = makesignature.make_statement(DIGEST).replace(b"cosign/sign/v1", b"provenance")
    with pytest.raises(AttestationError):
        judged(enveloped(statement), DIGEST, SIGNER, trust=staging)


def test_envelope_really_verified() -> None:
    """The real library refuses what nobody signed."""
    with pytest.raises(BadSignatureError, match="keyless: "):
        judged(enveloped(makesignature.make_statement(DIGEST)), DIGEST, SIGNER, trust=staging)


# --- The extra -------------------------------------------------------------------------------


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what to install; nothing is trusted meanwhile."""
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "sigstore":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    repository = Repository()
    repository.refer(SIGNED, RAW)
    with pytest.raises(Permanent, match=r"pip install ocizone\[sigstore\]") as caught:
        check_signature(repository, SIGNED, Verify(identities=(SIGNER,)))
    assert caught.value.reason is FetchReason.CONFIG


def test_no_place_for_the_trust_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The library wants a cache; without one the error says so."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with pytest.raises(Permanent, match="XDG_CACHE_HOME"):
        production()


def test_not_loaded_without_need() -> None:
    """A bundle made with a key needs no extra, though identities are named."""
    repository = Repository()
    repository.refer(
        DIGEST, makesignature.make_bundle(makesignature.make_statement(DIGEST), b"s", b"h")
    )

    def unexpected() -> BundleVerifier:
        raise AssertionError

    verdict = check_signature(repository, DIGEST, Verify(identities=(SIGNER,)), trust=unexpected)
    assert isinstance(verdict, Untrusted)
