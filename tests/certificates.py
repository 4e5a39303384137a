"""Certificates for tests, beyond those the lab's authority issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ocizone.corefile.types import Position
from ocizone.plugins.tls import ClientAuth, Tls

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def self_signed(
    directory: Path,
    name: str = "ns1.example.org",
    *,
    begins: timedelta = timedelta(days=-30),
    ends: timedelta = timedelta(days=60),
    password: bytes | None = None,
) -> Tls:
    """Write a certificate and its key, valid around NOW; return what names them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + begins)
        .not_valid_after(NOW + ends)
        .sign(key, hashes.SHA256())
    )
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    found = named(directory / "tls.crt", directory / "tls.key")
    Path(found.certificate).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    Path(found.key).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    return found


def named(
    certificate: Path,
    key: Path,
    authorities: Path | None = None,
    client_auth: ClientAuth = "nocert",
    keylog: Path | None = None,
) -> Tls:
    """Return the ``tls`` directive that names these files."""
    return Tls(
        str(certificate),
        str(key),
        None if authorities is None else str(authorities),
        client_auth,
        None if keylog is None else str(keylog),
        Position("Corefile", 2),
    )
