"""Whether an artifact is signed by somebody we trust: finding signatures, in both layouts.

The ``.sig`` tag first, then sigstore bundles among the referrers. Whatever is found is bounded in
number and size, so an artifact with 10,000 signatures costs no more requests than one with 64.
Only a signature of exactly the asked digest counts, that is of what the tag names (an index, when
it names one). Fails closed: trouble with the registry is an error, never a verdict.

Not here: what the bytes mean (cosign.py, keyless.py), what becomes of a verdict (follow).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.plugins.artifact import Verify
from ocizone.registry.api import SignatureClient
from ocizone.registry.cosign import (
    BUNDLE_PREDICATE,
    CERTIFICATE,
    SIGN_PREDICATE,
    SIGNATURE,
    SIMPLE_SIGNING,
    AttestationError,
    BadSignatureError,
    SimpleSignature,
    is_bundle_type,
    judge,
    read_base64,
    read_bundle,
    signature_tag,
)
from ocizone.registry.keyless import Trust, judge_keyless, production
from ocizone.registry.keys import TrustedKey, read_public_keys
from ocizone.registry.manifest import EMPTY_TYPE, Descriptor, IndexEntry, Manifest
from ocizone.registry.trust import Signed, Unsigned, Untrusted, Verdict

_Found = TypeVar("_Found")
_Entry = TypeVar("_Entry", Descriptor, IndexEntry)

# Registries and tools that know no artifactType list nothing, or the type of the empty config.
_UNTYPED = ("", EMPTY_TYPE)
# What is wrong with one signature object says nothing of the next; other failures do.
_OF_ONE = (
    FetchReason.NOT_FOUND,
    FetchReason.INTEGRITY,
    FetchReason.PROTOCOL,
    FetchReason.TOO_LARGE,
)


@dataclass(slots=True)
class _Seen:
    """What was found that does not count: reasons, and what else refers to the artifact."""

    whys: list[str] = field(default_factory=list)
    others: int = 0

    def verdict(self) -> Verdict:
        if not self.whys:
            others = f"; {self.others} attachments of other kinds" if self.others else ""
            return Unsigned(f"no signature yet{others}")
        told = "; ".join(dict.fromkeys(self.whys[: limits.SIGNATURES_TOLD]))
        more = len(self.whys) - limits.SIGNATURES_TOLD
        return Untrusted(told + (f"; and {more} more" if more > 0 else ""))


def check_signature(
    client: SignatureClient, digest: str, verify: Verify, *, trust: Trust = production
) -> Verdict:
    """Return whether the manifest or index with this digest is signed as ``verify`` wants.

    Neither Unsigned nor Untrusted is final: the right signature may still be on its way.

    Args:
        client: of the repository.
        digest: what the tag names.
        verify: whose signature is needed; its key files are read now.
        trust: makes the verifier of keyless signatures.

    Raises:
        Permanent: a key file cannot be used, the extra for identities is missing, or the registry
            refuses.
        Transient: the registry does not answer, or is in trouble.
    """
    keys = read_public_keys(verify.keys)
    seen = _Seen()
    for kind, look in (
        ("tag", _look_in_tag(client, digest, keys, seen)),
        ("bundle", _look_in_bundles(client, digest, keys, verify, trust, seen)),
    ):
        by = next(look, None)
        if by is not None:
            return Signed(by, kind)
    return seen.verdict()


def is_signed_with(client: SignatureClient, digest: str, key: TrustedKey, layout: str) -> bool:
    """Tell whether a layout already has this key's signature of a digest.

    Raises:
        RegistryError: as check_signature.
    """
    seen = _Seen()
    looks: dict[str, Callable[[], Iterator[str]]] = {
        "tag": lambda: _look_in_tag(client, digest, (key,), seen),
        "bundle": lambda: _look_in_bundles(client, digest, (key,), Verify(), production, seen),
    }
    return next(looks[layout](), None) is not None


def _look_in_tag(
    client: SignatureClient, digest: str, keys: Sequence[TrustedKey], seen: _Seen
) -> Iterator[str]:
    """Yield who signed, for each simple signature that counts."""
    tag = signature_tag(digest)
    manifest = _one(seen, f"tag {tag}", partial(client.tagged, tag))
    if manifest is None:
        return
    layers = [layer for layer in manifest.layers if layer.media_type == SIMPLE_SIGNING]
    payloads: dict[str, bytes] = {}
    for at, layer in enumerate(_bounded(layers, "signatures in the tag", seen)):
        by = _one(
            seen, f"signature {at + 1}", partial(_simple, client, layer, digest, keys, payloads)
        )
        if by is not None:
            yield by


def _simple(
    client: SignatureClient,
    layer: Descriptor,
    digest: str,
    keys: Sequence[TrustedKey],
    payloads: dict[str, bytes],
) -> str:
    if not keys and CERTIFICATE in layer.annotations:
        raise BadSignatureError("keyless in a .sig tag, where only keys count: sign as a bundle")
    signature = read_base64(layer.annotations.get(SIGNATURE))
    # Several people sign the same payload.
    if layer.digest not in payloads:
        payloads[layer.digest] = client.small(layer, limits.SIGNATURE_OCTETS)
    key = judge(SimpleSignature(payloads[layer.digest], signature), digest, keys)
    return f"key {key.name}"


def _look_in_bundles(
    client: SignatureClient,
    digest: str,
    keys: Sequence[TrustedKey],
    verify: Verify,
    trust: Trust,
    seen: _Seen,
) -> Iterator[str]:
    """Yield who signed, for each bundle among the referrers that counts."""
    listed = _one(seen, "referrers", partial(client.referrers, digest)) or ()
    bundles = [
        entry
        for entry in listed
        if is_bundle_type(entry.artifact_type) or entry.artifact_type in _UNTYPED
    ]
    # Types and annotations of a listing are hints: they decide what is looked at first.
    bundles.sort(key=_unlikely)
    for entry in _bounded(bundles, "bundles", seen):
        by = _one(
            seen,
            f"bundle {entry.descriptor.digest[:19]}",
            partial(_bundle, client, entry, digest, keys, verify, trust),
        )
        if by is not None:
            yield by


def _unlikely(entry: IndexEntry) -> int:
    if entry.artifact_type in _UNTYPED:
        return 3
    predicate = entry.descriptor.annotations.get(BUNDLE_PREDICATE)
    return 1 if predicate is None else 2 * (predicate != SIGN_PREDICATE)


def _bundle(
    client: SignatureClient,
    entry: IndexEntry,
    digest: str,
    keys: Sequence[TrustedKey],
    verify: Verify,
    trust: Trust,
) -> str:
    manifest = _attached(client, entry)
    layers = manifest.layers
    if len(layers) != 1 or not is_bundle_type(layers[0].media_type):
        raise BadSignatureError("damaged: a manifest with one bundle is expected")
    raw = client.small(layers[0], limits.SIGNATURE_OCTETS)
    bundle = read_bundle(raw)
    if bundle.has_certificate and verify.identities:
        signer = judge_keyless(raw, bundle, digest, verify.identities, trust)
        return f"{signer.subject} ({signer.issuer})"
    return f"key {judge(bundle.content, digest, keys).name}"


def _attached(client: SignatureClient, entry: IndexEntry) -> Manifest:
    """Return the manifest of a referrer that is a bundle, or one its listing says nothing of."""
    if entry.artifact_type not in _UNTYPED:
        return client.manifest(entry.descriptor.digest)
    try:
        manifest = client.manifest(entry.descriptor.digest)
    except Permanent as error:
        if error.reason not in _OF_ONE:
            raise
        raise AttestationError(str(error)) from error
    if not is_bundle_type(manifest.artifact_type):
        raise AttestationError(f"an attachment of type {manifest.artifact_type}")
    return manifest


def _bounded(found: list[_Entry], what: str, seen: _Seen) -> list[_Entry]:
    if len(found) > limits.SIGNATURES:
        seen.whys.append(f"{limits.SIGNATURES} of {len(found)} {what} were looked at")
    return found[: limits.SIGNATURES]


def _one(seen: _Seen, what: str, read: Callable[[], _Found]) -> _Found | None:
    """Return what one look gives; None, and the reason noted, when it gives nothing usable.

    Raises:
        RegistryError: the registry failed, so that nothing is known.
    """
    try:
        return read()
    except BadSignatureError as error:
        seen.whys.append(f"{what}: {error}")
    except AttestationError:
        seen.others += 1
    except Permanent as error:
        if error.reason not in _OF_ONE:
            raise
        seen.whys.append(f"{what}: {error}")
    return None
