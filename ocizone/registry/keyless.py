"""Signatures without a key of ours: a certificate says who signed (the extra ``sigstore``).

The library checks certificate chain, SCT, transparency log entry, time and signature, against the
trust root it was released with: nothing here goes to the network. We check what is signed. Loaded
only when an artifact's ``verify`` names an identity and a bundle carries a certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeAlias, assert_never

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ExtensionNotFound, UnsupportedGeneralNameType

from ocizone.errors import FetchReason, Permanent
from ocizone.plugins.artifact import Identity
from ocizone.registry.cosign import (
    BadSignatureError,
    Bundle,
    Envelope,
    MessageSignature,
    check_message,
    check_statement,
)

if TYPE_CHECKING:
    from sigstore import models
    from sigstore.hashes import Hashed
    from sigstore.verify.policy import VerificationPolicy


class BundleVerifier(Protocol):
    """The two methods of ``sigstore.verify.Verifier`` that are used; both raise VerificationError."""

    def verify_dsse(self, bundle: models.Bundle, policy: VerificationPolicy) -> tuple[str, bytes]:
        """Return payload type and payload of a bundle's envelope, verified."""

    def verify_artifact(
        self, input_: bytes | Hashed, bundle: models.Bundle, policy: VerificationPolicy
    ) -> None:
        """Verify a bundle's message signature of something, or of its digest."""


Trust: TypeAlias = Callable[[], BundleVerifier]


@cache
def production() -> BundleVerifier:
    """Return the verifier of sigstore's public services, with the trust root of the package.

    One a process: loading takes 20 ms and leaves a line in the log.

    Raises:
        Permanent: the extra is not installed, or the trust root cannot be read.
    """
    try:
        from sigstore.errors import Error  # noqa: PLC0415 - an extra, and 0.8 s to load
        from sigstore.verify import Verifier  # noqa: PLC0415 - the same
    except ImportError as error:
        raise Permanent(
            "verify names an identity, which needs: pip install ocizone[sigstore]",
            reason=FetchReason.CONFIG,
        ) from error
    try:
        return Verifier.production(offline=True)
    except (Error, OSError, ValueError) as error:
        raise Permanent(
            f"the trust root of sigstore cannot be used: {error}; it is kept in XDG_CACHE_HOME "
            "or ~/.cache, which must be writable",
            reason=FetchReason.CONFIG,
        ) from error


def judge_keyless(
    raw: bytes, bundle: Bundle, digest: str, identities: Sequence[Identity], trust: Trust
) -> Identity:
    """Return who signed this digest.

    Args:
        raw: the bundle's bytes, as ``bundle`` was read from.
        bundle: what they hold.
        digest: that must be signed.
        identities: who may.
        trust: makes the verifier.

    Raises:
        BadSignatureError: none of them did.
        AttestationError: it is about something else than the artifact as such.
        Permanent: the extra is missing.
    """
    match bundle.content:
        case Envelope(payload_type, payload):
            check_statement(payload_type, payload, digest)
        case MessageSignature(sha256):
            check_message(sha256, digest)
        case _:
            assert_never(bundle.content)
    # The library takes an empty issuer for any issuer.
    if not all(identity.issuer and identity.subject for identity in identities):
        raise BadSignatureError("keyless: an identity needs an issuer and a subject")
    verifier = trust()
    why = "keyless: no identity is trusted"
    for identity in identities:
        why = _refused(verifier, raw, digest, identity)
        if not why:
            return identity
    raise BadSignatureError(why)


def _refused(verifier: BundleVerifier, raw: bytes, digest: str, identity: Identity) -> str:
    """Return why a bundle is not this identity's signature of the digest; "" when it is."""
    from sigstore.errors import Error  # noqa: PLC0415 - an extra, loaded by now
    from sigstore.hashes import Hashed  # noqa: PLC0415 - the same
    from sigstore.models import Bundle as SigstoreBundle  # noqa: PLC0415 - the same
    from sigstore.verify.policy import Identity as Policy  # noqa: PLC0415 - the same
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415 - the same

    policy = Policy(identity=identity.subject, issuer=identity.issuer)
    try:
        bundle = SigstoreBundle.from_json(raw)
        if bundle._dsse_envelope is None:  # noqa: SLF001 - there is no public way to ask
            sha256 = bytes.fromhex(digest.removeprefix("sha256:"))
            hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=sha256)
            verifier.verify_artifact(hashed, bundle, policy)
        else:
            payload_type, payload = verifier.verify_dsse(bundle, policy)
            check_statement(payload_type, payload, digest)
    except (
        Error,
        ValueError,
        TypeError,
        ExtensionNotFound,
        UnsupportedGeneralNameType,
        UnsupportedAlgorithm,
        InvalidSignature,
    ) as error:
        return f"keyless: {error}"
    return ""
