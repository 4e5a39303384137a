"""Public keys: which files are taken, and what a key says of a signature."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ocizone.errors import FetchReason, Permanent
from ocizone.registry.keys import is_signed, is_signed_digest, read_public_keys
from tests.registry.signing import DIGEST, KINDS, new_key, write_private, write_public

SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", KINDS)
def test_key_files(tmp_path: Path, kind: str) -> None:
    """Each kind cosign makes is read; the name is the file's, whatever its folder."""
    path = write_public(new_key(kind), tmp_path / "ops.pub")
    (trusted,) = read_public_keys((path,))
    assert trusted.name == "ops.pub"


def test_key_files_are_read_at_each_use(tmp_path: Path) -> None:
    """A replaced file counts without a reload."""
    one, other = new_key("p256"), new_key("p256")
    path = write_public(one, tmp_path / "ops.pub")
    before = read_public_keys((path,))
    write_public(other, tmp_path / "ops.pub")
    after = read_public_keys((path,))
    assert before[0].key.public_bytes(*SPKI) == one.public_key().public_bytes(*SPKI)
    assert after[0].key.public_bytes(*SPKI) == other.public_key().public_bytes(*SPKI)


def unusable(tmp_path: Path, what: str) -> str:
    file = tmp_path / "bad.pub"
    good = tmp_path / "good"
    write_public(new_key("p256"), good)
    match what:
        case "directory":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "empty":
            file.write_bytes(b"")
        case "DER":
            file.write_bytes(
                new_key("p256")
                .public_key()
                .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            )
        case "damaged":
            file.write_bytes(good.read_bytes().replace(b"M", b"N", 1))
        case "private":
            write_private(new_key("p256"), file)
        case "encrypted private":
            write_private(new_key("p256"), file, "canary")
        case "two":
            file.write_bytes(good.read_bytes() * 2)
        case "large":
            file.write_bytes(b"#" * 40_000 + good.read_bytes())
        case "short RSA":
            file.write_bytes(rsa.generate_private_key(65537, 1024).public_key().public_bytes(*SPKI))
        case "curve":
            key = ec.generate_private_key(ec.SECP256K1()).public_key()
            file.write_bytes(key.public_bytes(*SPKI))
        case "DSA":
            file.write_bytes(dsa.generate_private_key(1024).public_key().public_bytes(*SPKI))
        case _:
            assert what == "missing"
    return str(file)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "No such file"),
        ("directory", "not a regular file"),
        ("pipe", "not a regular file"),
        ("empty", "not a PEM public key"),
        ("DER", "not a PEM public key"),
        ("damaged", "not a PEM public key"),
        ("private", "a private key, which must not be here"),
        ("encrypted private", "a private key, which must not be here"),
        ("two", "several keys in one file"),
        ("large", "more than 32768 octets"),
        ("short RSA", "an RSA key of 1024 bits"),
        ("curve", "a key on secp256k1"),
        ("DSA", "neither an ECDSA, an RSA nor an Ed25519 key"),
    ],
)
def test_unusable_key_files(tmp_path: Path, what: str, why: str) -> None:
    """One file that cannot be used is an error that names it, though another key is good."""
    good = write_public(new_key("p256"), tmp_path / "ok.pub")
    bad = unusable(tmp_path, what)
    with pytest.raises(Permanent, match=why) as caught:
        read_public_keys((good, bad))
    assert bad in str(caught.value)
    assert caught.value.reason is FetchReason.CONFIG


@pytest.mark.parametrize(
    ("curve", "algorithm", "counts"),
    [
        (ec.SECP256R1(), SHA256(), True),
        (ec.SECP256R1(), SHA384(), False),
        (ec.SECP384R1(), SHA256(), True),
        (ec.SECP384R1(), SHA384(), True),
        (ec.SECP384R1(), SHA512(), False),
        (ec.SECP521R1(), SHA256(), True),
        (ec.SECP521R1(), SHA512(), True),
    ],
)
def test_hash_of_a_curve(
    curve: ec.EllipticCurve, algorithm: SHA256 | SHA384 | SHA512, *, counts: bool
) -> None:
    """SHA-256 on every curve (cosign 2), or the curve's own (sigstore's algorithm registry)."""
    key = ec.generate_private_key(curve)
    signature = key.sign(b"message", ec.ECDSA(algorithm))
    assert is_signed(key.public_key(), signature, b"message") is counts
    assert not is_signed(key.public_key(), signature, b"Message")


def test_rsa_pss_does_not_count() -> None:
    """Cosign signs with PKCS#1 v1.5 (RFC 8017 8.2); another padding is another scheme."""
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    assert not is_signed(key.public_key(), key.sign(b"message", pss, SHA256()), b"message")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signature", [b"", b"\x30\x00", b"x" * 64, b"\x00" * 256])
def test_no_signature_at_all(kind: str, signature: bytes) -> None:
    """Octets that are no signature are "no", not an exception."""
    key = new_key(kind).public_key()
    assert not is_signed(key, signature, b"message")
    assert not is_signed_digest(key, signature, bytes.fromhex(DIGEST[7:]))
