"""Keys of signatures: reading public ones, and judging a signature with one.

PEM SubjectPublicKeyInfo (RFC 7468 13): ECDSA on P-256, P-384 and P-521, RSA PKCS#1 v1.5
(RFC 8017 8.2), Ed25519 (RFC 8032); what cosign makes and signs with. Files are read at each use,
so that a rotated key counts at once. Not here: private keys (sign.py), formats (cosign.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry.operatorfile import read_file

PublicKey: TypeAlias = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

# cosign 1 and 2 hash with SHA-256 whatever the curve; sigstore's newer default is the curve's own.
_HASHES = {
    SECP256R1.name: (SHA256(),),
    SECP384R1.name: (SHA256(), SHA384()),
    SECP521R1.name: (SHA256(), SHA512()),
}


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and the name of its file."""

    name: str
    key: PublicKey


def read_public_keys(paths: tuple[str, ...]) -> tuple[TrustedKey, ...]:
    """Return the key of each file.

    One that cannot be used is an error though another might do: what the operator wrote is not
    what would be checked.

    Raises:
        Permanent: a file cannot be read or holds no public key of a supported kind; names it.
    """
    return tuple(TrustedKey(Path(path).name, _read(path)) for path in paths)


def _read(path: str) -> PublicKey:
    try:
        raw = read_file(path, limits.KEY_OCTETS)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    if b"PRIVATE KEY-----" in raw:
        raise _unusable(
            path, "a private key, which must not be here; its public half: openssl pkey -pubout"
        )
    if raw.count(b"-----BEGIN ") > 1:
        raise _unusable(
            path, "several keys in one file, of which one would count: name a file each"
        )
    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(path, "not a PEM public key") from error
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey):
        raise _unusable(path, "neither an ECDSA, an RSA nor an Ed25519 key")
    wrong = weakness(key)
    if wrong:
        raise _unusable(path, wrong)
    return key


def weakness(key: PublicKey) -> str:
    """Return why a key is not one to sign with; "" for one that is."""
    if isinstance(key, RSAPublicKey) and key.key_size < limits.RSA_BITS:
        return f"an RSA key of {key.key_size} bits, at least {limits.RSA_BITS} are needed"
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name not in _HASHES:
        return f"a key on {key.curve.name}: only P-256, P-384 and P-521 are supported"
    return ""


def _unusable(path: str, what: str) -> Permanent:
    return Permanent(f"the key file {path} of verify: {what}", reason=FetchReason.CONFIG)


def is_signed(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Tell whether the key made this signature of the message."""
    try:
        match key:
            case Ed25519PublicKey():
                key.verify(signature, message)
            case RSAPublicKey():
                key.verify(signature, message, PKCS1v15(), SHA256())
            case EllipticCurvePublicKey():
                return _is_signed_on_curve(key, signature, message)
            case _:
                assert_never(key)
    except InvalidSignature:
        return False
    return True


def _is_signed_on_curve(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    for algorithm in _HASHES[key.curve.name]:
        try:
            key.verify(signature, message, ECDSA(algorithm))
        except InvalidSignature:
            continue
        return True
    return False


def is_signed_digest(key: PublicKey, signature: bytes, sha256: bytes) -> bool:
    """Tell whether the key made this signature of whatever has the SHA-256 digest.

    False for Ed25519, which hashes the whole message in its own way (RFC 8032 5.1.7), and for
    signatures with another hash.
    """
    try:
        match key:
            case Ed25519PublicKey():
                return False
            case RSAPublicKey():
                key.verify(signature, sha256, PKCS1v15(), Prehashed(SHA256()))
            case EllipticCurvePublicKey():
                key.verify(signature, sha256, ECDSA(Prehashed(SHA256())))
            case _:
                assert_never(key)
    except InvalidSignature:
        return False
    return True
