"""Public keys of a zone: their tags, what they are for, and whether they made a signature.

RFC 4034 2 and B; the algorithms are those of RFC 8624 that signers use, by ``cryptography``. An
algorithm not known here can be served and not checked. Private keys are no business of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

#: Tells whether a signature is of these octets; raises InvalidSignature when it is not.
_Verify = Callable[[bytes, bytes], None]

_RSA_HASHES: Final = {8: hashes.SHA256, 10: hashes.SHA512}
_CURVES: Final = {13: (ec.SECP256R1, hashes.SHA256), 14: (ec.SECP384R1, hashes.SHA384)}
#: DS digest types (RFC 4034 A.2, RFC 4509, RFC 6605).
_DIGESTS: Final = {1: "sha1", 2: "sha256", 4: "sha384"}
_ZONE_KEY: Final = 0x0100
_REVOKED: Final = 0x0080
_SEP: Final = 0x0001
_PROTOCOL: Final = 3


class BadKeyError(ValueError):
    """The DNSKEY holds no key of its algorithm."""


@dataclass(frozen=True, slots=True)
class Dnskey:
    """A DNSKEY of a zone.

    Attributes:
        rdata: of the record.
        tag: key tag (RFC 4034 B).
        algorithm: its number.
        verify: None when the algorithm is not known here.
    """

    rdata: bytes
    tag: int
    algorithm: int
    verify: _Verify | None

    @classmethod
    def read(cls, rdata: bytes) -> Dnskey:
        """Return the key of a DNSKEY's rdata.

        Raises:
            BadKeyError: it does not hold one.
        """
        algorithm = rdata[3]
        return cls(rdata, key_tag(rdata), algorithm, _verifier(algorithm, rdata[4:]))

    @property
    def signs_zone(self) -> bool:
        """It may sign every RRset (RFC 4034 2.1.1, RFC 5011 2.1)."""
        flags = int.from_bytes(self.rdata[:2])
        return bool(flags & _ZONE_KEY) and not flags & _REVOKED and self.rdata[2] == _PROTOCOL

    @property
    def is_entry_point(self) -> bool:
        """The Secure Entry Point flag is set: the parent's DS is of it."""
        return bool(self.rdata[1] & _SEP)

    def made(self, signature: bytes, octets: bytes) -> bool:
        """Tell whether this key, of a known algorithm, made a signature over these octets."""
        assert self.verify is not None
        try:
            self.verify(signature, octets)
        except InvalidSignature:
            return False
        return True

    def matches_ds(self, owner: bytes, ds: bytes) -> bool | None:
        """Tell whether DS rdata is of this key (RFC 4034 5.1.4); None for an unknown digest type.

        Args:
            owner: lower-case wire name of the zone.
            ds: rdata of a DS or CDS.
        """
        if int.from_bytes(ds[:2]) != self.tag or ds[2] != self.algorithm:
            return False
        name = _DIGESTS.get(ds[3])
        return None if name is None else hashlib.new(name, owner + self.rdata).digest() == ds[4:]


def key_tag(rdata: bytes) -> int:
    """Return the key tag of DNSKEY rdata (RFC 4034 B; not algorithm 1, which nobody uses)."""
    total = sum(rdata[0::2]) * 256 + sum(rdata[1::2])
    return (total + (total >> 16 & 0xFFFF)) & 0xFFFF


def _verifier(algorithm: int, key: bytes) -> _Verify | None:
    """Return what verifies with a key, or None where that is not known.

    Raises:
        BadKeyError: it is no key of this algorithm.
    """
    try:
        if algorithm in _RSA_HASHES:
            return _rsa(key, _RSA_HASHES[algorithm]())
        if algorithm in _CURVES:
            curve, digest = _CURVES[algorithm]
            return _ecdsa(key, curve(), digest())
        if algorithm == 15:
            return ed25519.Ed25519PublicKey.from_public_bytes(key).verify
        if algorithm == 16:
            return ed448.Ed448PublicKey.from_public_bytes(key).verify
    except ValueError as error:
        raise BadKeyError(str(error)) from error
    except UnsupportedAlgorithm:
        return None
    return None


def _rsa(key: bytes, digest: hashes.HashAlgorithm) -> _Verify:
    """RFC 3110 2: a length, the exponent, the modulus."""
    at, size = (1, key[0]) if key[:1] != b"\x00" else (3, int.from_bytes(key[1:3]))
    exponent, modulus = int.from_bytes(key[at : at + size]), int.from_bytes(key[at + size :])
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    scheme = padding.PKCS1v15()
    return lambda signature, octets: public.verify(signature, octets, scheme, digest)


def _ecdsa(key: bytes, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> _Verify:
    """RFC 6605 4: the point without its prefix; signatures are r | s."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + key)
    scheme = ec.ECDSA(digest)
    octets_of_one = len(key) // 2

    def verify(signature: bytes, octets: bytes) -> None:
        if len(signature) != 2 * octets_of_one:
            raise InvalidSignature
        r, s = signature[:octets_of_one], signature[octets_of_one:]
        der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
        public.verify(der, octets, scheme)

    return verify
