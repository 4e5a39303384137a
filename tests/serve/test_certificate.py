"""Certificate files: what is served from them, and what is refused, each by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from OpenSSL import SSL

from ocizone import limits
from ocizone.serve.certificate import CertificateError, read_identity
from tests.certificates import NOW, self_signed


def test_what_is_read_is_told(tmp_path):
    """Whose it is and until when: for the log, metrics and expiry."""
    identity = read_identity(self_signed(tmp_path))
    assert identity is not None
    assert isinstance(identity.context, SSL.Context)
    assert identity.subject == "CN=ns1.example.org"
    assert identity.not_before == (NOW - timedelta(days=30)).timestamp()
    assert identity.not_after == (NOW + timedelta(days=60)).timestamp()


def test_what_is_known_is_not_read_again(tmp_path):
    """Files that did not change cost three reads and a hash."""
    tls = self_signed(tmp_path)
    identity = read_identity(tls)
    assert identity is not None
    assert read_identity(tls, identity.digest) is None
    self_signed(tmp_path)
    assert read_identity(tls, identity.digest) is not None


def test_an_expired_certificate_is_read(tmp_path):
    """The clock may be wrong, and clients that do not look are served: the log tells."""
    assert read_identity(self_signed(tmp_path, ends=timedelta(days=-1)))


def unrelated_key(directory: Path) -> None:
    other = directory / "other"
    other.mkdir()
    (directory / "tls.key").write_bytes(Path(self_signed(other).key).read_bytes())


def no_signing_key(directory: Path) -> None:
    key = x25519.X25519PrivateKey.generate()
    (directory / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda at: (at / "tls.crt").unlink(), "{at}/tls.crt: No such file or directory"),
        (lambda at: (at / "tls.key").unlink(), "{at}/tls.key: No such file or directory"),
        (
            lambda at: (at / "tls.crt").write_text("junk"),
            "{at}/tls.crt: no certificate in PEM form",
        ),
        (lambda at: (at / "tls.crt").write_text(""), "{at}/tls.crt: no certificate in PEM form"),
        (
            lambda at: (at / "tls.key").write_text("junk"),
            "{at}/tls.key: no private key in PEM form",
        ),
        (
            unrelated_key,
            "{at}/tls.key: the private key does not belong to {at}/tls.crt",
        ),
        (
            lambda at: self_signed(at, password=b"an-obvious-fake"),
            "{at}/tls.key: the private key has a passphrase",
        ),
        (
            lambda at: (at / "tls.key").write_bytes(b"x" * (limits.TLS_FILE_OCTETS + 1)),
            "{at}/tls.key: larger than 1048576 octets",
        ),
    ],
)
def test_what_is_refused(tmp_path, spoil, message):
    """The file's name, what is wrong with it, and nothing of what is in it."""
    tls = self_signed(tmp_path)
    spoil(tmp_path)
    with pytest.raises(CertificateError) as caught:
        read_identity(tls)
    assert str(caught.value) == message.format(at=tmp_path)


def test_a_key_that_cannot_sign_is_refused(tmp_path, monkeypatch):
    """X25519 agrees on keys and signs nothing."""
    tls = self_signed(tmp_path)
    no_signing_key(tmp_path)
    with pytest.raises(CertificateError, match="does not sign"):
        read_identity(tls)


def test_authorities_must_be_readable_too(tmp_path):
    """Clients must not be let in because their authority could not be read."""
    tls = replace(self_signed(tmp_path), authorities=str(tmp_path / "ca.pem"))
    with pytest.raises(CertificateError, match=r"ca\.pem: No such file"):
        read_identity(tls)


def test_a_key_log_that_cannot_be_written_is_refused(tmp_path):
    """At once, not at the first handshake."""
    tls = replace(self_signed(tmp_path), keylog=str(tmp_path / "no" / "keys"))
    with pytest.raises(CertificateError, match="no/keys: No such file"):
        read_identity(tls)
