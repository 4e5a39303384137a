"""A certificate and its key, read from files into a TLS context (RFC 7858, RFC 8446).

Files are read whole and once, so that what was checked is what is served. Not here: when they
are read again (identities).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from ocizone.limits import TLS_FILE_OCTETS
from ocizone.plugins.tls import ClientAuth, Tls

#: RFC 7858 3.1, RFC 9103 7.1: what clients may ask for by ALPN.
_DOT: Final = b"dot"
#: TLS 1.2 with forward secrecy and authenticated encryption (RFC 9325 4.2); 1.3 has no other.
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_OPTIONS: Final = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION
_VERIFY: Final[dict[ClientAuth, int]] = {
    "nocert": SSL.VERIFY_NONE,
    "request": SSL.VERIFY_PEER,
    "require": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
    "verify_if_given": SSL.VERIFY_PEER,
    "require_and_verify": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
}
_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey  # fmt: skip


class CertificateError(Exception):
    """Files that cannot be served with; the message names the file, ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Material:
    """What the files of a ``tls`` directive held.

    Attributes:
        chain: certificates in PEM form, the server's own first.
        key: in PEM form.
        authorities: of clients, in PEM form; empty for none.
    """

    chain: bytes
    key: bytes = field(repr=False)
    authorities: bytes = b""

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything."""
        return hashlib.sha256(b"\0".join((self.chain, self.key, self.authorities))).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A certificate ready to be served.

    Attributes:
        context: for new connections.
        material: what it was made of.
        digest: of the material.
        subject: the certificate's own name, for the log.
        serial: the same, in hexadecimal.
        not_before: unix seconds.
        not_after: unix seconds.
    """

    context: SSL.Context
    material: Material
    digest: bytes
    subject: str
    serial: str
    not_before: float
    not_after: float


def read_identity(tls: Tls, known: bytes = b"") -> Identity | None:
    """Return what the files of a ``tls`` directive hold now. Blocks while it reads.

    Args:
        tls: names the files.
        known: the digest of what is known of them already: then the answer is None.

    Raises:
        CertificateError: a file cannot be read, holds something else, or key and certificate do
            not belong together. An expired certificate is none: that is for the log.
    """
    material = Material(
        _read(tls.certificate),
        _read(tls.key),
        _read(tls.authorities) if tls.authorities is not None else b"",
    )
    return None if material.digest == known else identity_of(tls, material)


def identity_of(tls: Tls, material: Material) -> Identity:
    """Return what is served with what the files of a ``tls`` directive held.

    Raises:
        CertificateError: as ``read_identity``.
    """
    chain = _certificates(tls.certificate, material.chain)
    own = chain[0]
    key = _private_key(tls.key, material.key)
    if own.public_key() != key.public_key():
        raise CertificateError(
            f"{tls.key}: the private key does not belong to {tls.certificate}",
            "the server's own certificate comes first in its file",
        )
    authorities = (
        [] if tls.authorities is None else _certificates(tls.authorities, material.authorities)
    )
    try:
        context = _context(tls, chain, key, authorities)
    except (SSL.Error, crypto.Error) as error:
        raise CertificateError(f"{tls.certificate}: OpenSSL refuses it: {error}") from error
    return Identity(
        context,
        material,
        material.digest,
        own.subject.rfc4514_string(),
        f"{own.serial_number:x}",
        own.not_valid_before_utc.timestamp(),
        own.not_valid_after_utc.timestamp(),
    )


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            found = file.read(TLS_FILE_OCTETS + 1)
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error
    if len(found) > TLS_FILE_OCTETS:
        raise CertificateError(f"{path}: larger than {TLS_FILE_OCTETS} octets")
    return found


def _certificates(path: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError(f"{path}: no certificate in PEM form") from error


def _private_key(path: str, pem: bytes) -> _Key:
    try:
        key = load_pem_private_key(pem, None)
    except TypeError as error:
        raise CertificateError(
            f"{path}: the private key has a passphrase", "openssl pkey -in FILE -out FILE"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{path}: no private key in PEM form") from error
    if not isinstance(key, _Key):
        raise CertificateError(f"{path}: a key of this kind does not sign", "use ECDSA P-256")
    return key


def _context(
    tls: Tls, chain: Sequence[x509.Certificate], key: _Key, authorities: Sequence[x509.Certificate]
) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    context.set_cipher_list(_CIPHERS)
    # An idle connection keeps no 34 KiB of buffers.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # Tickets need no memory of ours; OpenSSL's cache of 20,000 sessions would.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"ocizone")
    context.use_certificate(chain[0])
    for issuer in chain[1:]:
        context.add_extra_chain_cert(issuer)
    context.use_privatekey(key)
    context.set_alpn_select_callback(_select)
    _ask_clients(context, tls.client_auth, authorities)
    if tls.keylog is not None:
        _log_keys(context, Path(tls.keylog))
    return context


def _select(
    _connection: SSL.Connection, offered: list[bytes]
) -> bytes | SSL._NoOverlappingProtocols:
    """Choose ``dot``; a client that offers other protocols only is served all the same."""
    return _DOT if _DOT in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _ask_clients(
    context: SSL.Context, client_auth: ClientAuth, authorities: Sequence[x509.Certificate]
) -> None:
    store = context.get_cert_store()
    assert store is not None
    for authority in authorities:
        store.add_cert(crypto.X509.from_cryptography(authority))
        context.add_client_ca(authority)
    # Without a callback OpenSSL's own verdict stands.
    taken_as_it_is = None if "verify" in client_auth else lambda *_: True
    context.set_verify(_VERIFY[client_auth], taken_as_it_is)


def _log_keys(context: SSL.Context, path: Path) -> None:
    """Write session secrets in the format Wireshark reads (RFC 9850)."""

    def write(_connection: SSL.Connection, line: bytes) -> None:
        with path.open("ab") as log:
            log.write(line + b"\n")

    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error
    context.set_keylog_callback(write)
