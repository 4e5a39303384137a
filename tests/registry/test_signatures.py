"""Finding signatures: the verdict on every arrangement of them, and what a look may cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.plugins.artifact import Identity, Verify
from ocizone.registry import cosign, makesignature
from ocizone.registry.keys import TrustedKey
from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest
from ocizone.registry.sign import PrivateKey, sign_message
from ocizone.registry.signatures import check_signature, is_signed_with
from ocizone.registry.trust import Signed, Unsigned, Untrusted, Verdict
from tests.registry.signing import (
    DIGEST,
    KINDS,
    OTHER_DIGEST,
    Repository,
    digest_of,
    message_bundle,
    new_key,
    write_public,
)

OPS, MALLORY = new_key("p256"), new_key("p256")
PAYLOAD = makesignature.make_payload(DIGEST, "registry.example/zones")


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    return Verify(keys=(write_public(OPS, tmp_path / "ops.pub"),))


def layer(
    repository: Repository, key: PrivateKey = OPS, digest: str = DIGEST, where: str = "x/y"
) -> Descriptor:
    payload = makesignature.make_payload(digest, where)
    return repository.layer(payload, sign_message(key, payload))


def bundle(key: PrivateKey = OPS, digest: str = DIGEST, predicate: str = "") -> bytes:
    statement = makesignature.make_statement(digest)
    if predicate:
        statement = statement.replace(cosign.SIGN_PREDICATE.encode(), predicate.encode())
    signature = sign_message(key, cosign.encode(cosign.IN_TOTO, statement))
    return makesignature.make_bundle(statement, signature, b"hint")


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Untrusted)
    return verdict.why


# --- What counts -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_signed(repository: Repository, tmp_path: Path, kind: str) -> None:
    """Either layout, every kind of key."""
    key = new_key(kind)
    verify = Verify(keys=(write_public(key, tmp_path / "zones.pub"),))
    assert check_signature(repository, DIGEST, verify) == Unsigned("no signature yet")
    repository.refer(DIGEST, bundle(key))
    assert check_signature(repository, DIGEST, verify) == Signed("key zones.pub", "bundle")
    repository.tag_signatures(DIGEST, layer(repository, key))
    assert check_signature(repository, DIGEST, verify) == Signed("key zones.pub", "tag")
    assert isinstance(check_signature(repository, OTHER_DIGEST, verify), Unsigned)


def test_rotation(repository: Repository, tmp_path: Path) -> None:
    """Old and new key are both named while both sign; either is enough."""
    old, new = new_key("p256"), new_key("ed25519")
    both = Verify(
        keys=(write_public(old, tmp_path / "old.pub"), write_public(new, tmp_path / "new.pub"))
    )
    only_new = Verify(keys=both.keys[1:])
    repository.tag_signatures(DIGEST, layer(repository, old))
    assert check_signature(repository, DIGEST, both) == Signed("key old.pub", "tag")
    assert "another key" in why(check_signature(repository, DIGEST, only_new))
    repository.tag_signatures(DIGEST, layer(repository, old), layer(repository, new))
    assert check_signature(repository, DIGEST, only_new) == Signed("key new.pub", "tag")


def test_one_good_signature_among_bad_ones(repository: Repository, verify: Verify) -> None:
    """Others may sign too, and leave rubbish."""
    repository.tag_signatures(
        DIGEST,
        Descriptor("text/plain", digest_of(b"?"), 1, {}),
        repository.layer(PAYLOAD, "!"),
        layer(repository, MALLORY),
        layer(repository),
    )
    assert check_signature(repository, DIGEST, verify) == Signed("key ops.pub", "tag")


def test_bundle_after_a_bad_tag(repository: Repository, verify: Verify) -> None:
    """A spoilt ``.sig`` tag, which anybody who pushes can make, does not hide a good bundle."""
    repository.tag_signatures(DIGEST, layer(repository, MALLORY))
    repository.refer(DIGEST, bundle())
    assert check_signature(repository, DIGEST, verify) == Signed("key ops.pub", "bundle")


def test_message_signature(repository: Repository, verify: Verify) -> None:
    """A bundle of the manifest's own bytes (cosign sign-blob)."""
    manifest = b'{"schemaVersion":2}'
    digest = digest_of(manifest)
    said = bytes.fromhex(digest.removeprefix("sha256:"))
    repository.refer(digest, message_bundle(said, sign_message(OPS, manifest)))
    assert check_signature(repository, digest, verify) == Signed("key ops.pub", "bundle")


def test_older_bundle_types(repository: Repository, verify: Verify) -> None:
    """The type with a version parameter."""
    repository.refer(DIGEST, bundle(), "application/vnd.dev.sigstore.bundle+json;version=0.3")
    assert isinstance(check_signature(repository, DIGEST, verify), Signed)


# --- What does not ---------------------------------------------------------------------------


def test_copied_from_another_digest(repository: Repository, verify: Verify) -> None:
    """A good signature of an old artifact under the name of a new one."""
    repository.tag_signatures(DIGEST, layer(repository, digest=OTHER_DIGEST))
    repository.refer(DIGEST, bundle(digest=OTHER_DIGEST))
    told = why(check_signature(repository, DIGEST, verify))
    assert told.count(f"signs another digest, {OTHER_DIGEST}") == 1
    assert "signs another digest, 'b2b2" in told


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("", "damaged: nothing in base64"),
        ("MEUC", "made with another key"),
        ("MEUCIQ=", "damaged: not base64"),
        ("MEUC\nIQ==", "damaged: not base64"),
    ],
)
def test_damaged_annotation(
    repository: Repository, verify: Verify, signature: str, reason: str
) -> None:
    repository.tag_signatures(DIGEST, repository.layer(PAYLOAD, signature))
    assert why(check_signature(repository, DIGEST, verify)) == f"signature 1: {reason}"


def test_no_annotation(repository: Repository, verify: Verify) -> None:
    repository.tag_signatures(DIGEST, repository.blob(PAYLOAD, cosign.SIMPLE_SIGNING))
    assert "base64 is missing" in why(check_signature(repository, DIGEST, verify))


def test_payload_of_another_digest(repository: Repository, verify: Verify) -> None:
    """What the registry sends is not what the layer names."""
    made = layer(repository)
    repository.blobs[made.digest] = PAYLOAD + b" "
    repository.tag_signatures(DIGEST, made)
    assert "signature 1: another digest" in why(check_signature(repository, DIGEST, verify))


def test_payload_with_a_key_twice(repository: Repository, verify: Verify) -> None:
    """Two readers would see two documents."""
    payload = PAYLOAD[:-1] + b',"critical":{}}'
    repository.tag_signatures(DIGEST, repository.layer(payload, sign_message(OPS, payload)))
    assert "the same key twice" in why(check_signature(repository, DIGEST, verify))


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_too_large(repository: Repository, verify: Verify, layout: str) -> None:
    """A payload or bundle beyond the limit is not read."""
    if layout == "tag":
        payload = PAYLOAD + b" " * limits.SIGNATURE_OCTETS
        repository.tag_signatures(DIGEST, repository.layer(payload, sign_message(OPS, payload)))
    else:
        repository.refer(DIGEST, bundle() + b" " * limits.SIGNATURE_OCTETS)
    assert "too large" in why(check_signature(repository, DIGEST, verify))


def test_wrong_media_types(repository: Repository, verify: Verify) -> None:
    """Layers and referrers of other types are no signatures at all: one may still come."""
    made = layer(repository)
    repository.tag_signatures(DIGEST, Descriptor("x/y", made.digest, made.size, made.annotations))
    repository.refer(DIGEST, bundle(), "application/vnd.cncf.notary.signature")
    assert check_signature(repository, DIGEST, verify) == Unsigned("no signature yet")


@pytest.mark.parametrize("listed", ["", "application/vnd.oci.empty.v1+json"])
def test_bundle_listed_without_its_type(
    repository: Repository, verify: Verify, listed: str
) -> None:
    """Who lists referrers may know no artifactType, or give the config's: the manifest decides.

    They come last, and what else is among them is no bad signature.
    """
    sbom = repository.put([repository.blob(b"{}", "application/spdx")], "application/spdx")
    gone = Descriptor("m/t", OTHER_DIGEST, 9, {})
    repository.listed[DIGEST] = [
        IndexEntry(Descriptor("m/t", sbom.digest, 9, {}), listed, ""),
        IndexEntry(gone, listed, ""),
    ]
    assert check_signature(repository, DIGEST, verify) == Unsigned(
        "no signature yet; 2 attachments of other kinds"
    )
    held = repository.refer(OTHER_DIGEST, bundle())
    entry = IndexEntry(Descriptor("m/t", held, 9, {}), listed, "")
    repository.listed[DIGEST].append(entry)
    assert check_signature(repository, DIGEST, verify) == Signed("key ops.pub", "bundle")


def test_registry_in_trouble_with_an_untyped_one(verify: Verify) -> None:
    """Not knowing is an error there, too."""
    repository = Failing("manifest", Permanent("403", reason=FetchReason.AUTH))
    entry = IndexEntry(Descriptor("m/t", OTHER_DIGEST, 9, {}), "", "")
    repository.listed[DIGEST] = [entry]
    with pytest.raises(Permanent, match="403"):
        check_signature(repository, DIGEST, verify)


def test_attestations_only(repository: Repository, verify: Verify) -> None:
    """A pipeline attaches its SBOM first and signs last: that is waiting, not refused."""
    for key in (OPS, MALLORY):
        repository.refer(DIGEST, bundle(key, predicate="https://spdx.dev/Document"))
    assert check_signature(repository, DIGEST, verify) == Unsigned(
        "no signature yet; 2 attachments of other kinds"
    )


def test_bundle_that_is_gone(repository: Repository, verify: Verify) -> None:
    """An index of referrers may name what was deleted; that hides nothing."""
    gone = Descriptor("m/t", OTHER_DIGEST, 9, {})
    repository.listed[DIGEST] = [IndexEntry(gone, cosign.BUNDLE, "")]
    assert "404" in why(check_signature(repository, DIGEST, verify))
    repository.refer(DIGEST, bundle())
    assert isinstance(check_signature(repository, DIGEST, verify), Signed)


def test_bundle_manifest_of_other_shape(repository: Repository, verify: Verify) -> None:
    """One layer, of the bundle's type."""
    first = repository.refer(DIGEST, bundle())
    one = repository.manifests[first].layers[0]
    for layers in ((one, one), (), (Descriptor("x/y", one.digest, one.size, {}),)):
        repository.manifests[first] = Manifest(first, cosign.BUNDLE, one, layers, {})
        assert "one bundle is expected" in why(check_signature(repository, DIGEST, verify))


def test_strangers_words_are_cut_and_escaped(repository: Repository, verify: Verify) -> None:
    """What an attacker signed is shown, bounded, without control characters."""
    payload = PAYLOAD.replace(DIGEST.encode(), b"\\u001b[31m" + b"x" * 5_000)
    repository.tag_signatures(DIGEST, repository.layer(payload, sign_message(MALLORY, payload)))
    told = why(check_signature(repository, DIGEST, verify))
    assert len(told) < 300
    assert told.isprintable()


# --- Bounds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_ten_thousand_signatures(repository: Repository, verify: Verify, layout: str) -> None:
    """So many are looked at, and the message says so (cosign CVE-2024-29902 and its like)."""
    if layout == "tag":
        made = [layer(repository, MALLORY, where=f"x/{number}") for number in range(40)]
        repository.tag_signatures(DIGEST, *made * 250)
    else:
        repository.refer(DIGEST, bundle(MALLORY))
        repository.listed[DIGEST] *= 10_000
    told = why(check_signature(repository, DIGEST, verify))
    assert "32 of 10000" in told
    assert "and 29 more" in told
    assert len(told) < 500
    assert repository.requests <= 2 + 2 * limits.SIGNATURES


def test_annotated_signature_behind_attestations(repository: Repository, verify: Verify) -> None:
    """The annotation is a hint of what to look at first; without any the order is as listed."""
    other = {cosign.BUNDLE_PREDICATE: "https://spdx.dev/Document"}
    for _ in range(40):
        repository.refer(DIGEST, bundle(predicate="https://spdx.dev/Document"), annotations=other)
    repository.refer(DIGEST, bundle(), annotations={cosign.BUNDLE_PREDICATE: cosign.SIGN_PREDICATE})
    assert isinstance(check_signature(repository, DIGEST, verify), Signed)
    assert repository.requests == 4


def test_same_payload_is_fetched_once(repository: Repository, verify: Verify) -> None:
    repository.tag_signatures(DIGEST, *[layer(repository, MALLORY) for _ in range(9)])
    check_signature(repository, DIGEST, verify)
    assert repository.requests == 3


# --- Failing closed --------------------------------------------------------------------------


class Failing(Repository):
    """A repository one of whose methods fails."""

    def __init__(self, method: str, error: RegistryError) -> None:
        super().__init__()
        self.failing, self.error = method, error

    def _fail(self, method: str) -> None:
        if method == self.failing:
            raise self.error

    def tagged(self, tag: str) -> Manifest | None:
        self._fail("tagged")
        return super().tagged(tag)

    def manifest(self, digest: str) -> Manifest:
        self._fail("manifest")
        return super().manifest(digest)

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        self._fail("referrers")
        return super().referrers(digest)

    def small(self, blob: Descriptor, most: int) -> bytes:
        self._fail("small")
        return super().small(blob, most)


@pytest.mark.parametrize("method", ["tagged", "referrers", "small"])
@pytest.mark.parametrize(
    "error",
    [
        Transient("503", reason=FetchReason.SERVER),
        Permanent("403", reason=FetchReason.AUTH),
        Transient("cut", reason=FetchReason.NETWORK),
    ],
)
def test_registry_in_trouble(verify: Verify, method: str, error: RegistryError) -> None:
    """Not knowing is an error: neither "unsigned" nor, ever, "signed"."""
    repository = Failing(method, error)
    repository.tag_signatures(DIGEST, layer(repository, MALLORY))
    with pytest.raises(type(error)):
        check_signature(repository, DIGEST, verify)


@pytest.mark.parametrize("method", ["tagged", "referrers"])
def test_registry_that_makes_no_sense(verify: Verify, method: str) -> None:
    """A tag that is an index of many, 10,000 referrers: told, and the other layout is tried."""
    repository = Failing(method, Permanent("more than 1000", reason=FetchReason.TOO_LARGE))
    assert "more than 1000" in why(check_signature(repository, DIGEST, verify))
    if method == "tagged":
        repository.refer(DIGEST, bundle())
    else:
        repository.tag_signatures(DIGEST, layer(repository))
    assert isinstance(check_signature(repository, DIGEST, verify), Signed)


def test_unusable_key_costs_no_request(repository: Repository, verify: Verify) -> None:
    bad = Verify(keys=(*verify.keys, "/nonexistent/new.pub"))
    with pytest.raises(Permanent, match=r"/nonexistent/new\.pub"):
        check_signature(repository, DIGEST, bad)
    assert repository.requests == 0


def test_nobody_is_trusted_by_default(repository: Repository) -> None:
    """``verify`` without keys or identities trusts nothing."""
    repository.tag_signatures(DIGEST, layer(repository))
    repository.refer(DIGEST, bundle())
    assert isinstance(check_signature(repository, DIGEST, Verify()), Untrusted)


def test_keyless_in_the_tag_layout(repository: Repository) -> None:
    """Said plainly: with identities only bundles count."""
    made = layer(repository)
    annotations = {**made.annotations, cosign.CERTIFICATE: "-----BEGIN CERTIFICATE-----"}
    repository.tag_signatures(
        DIGEST, Descriptor(made.media_type, made.digest, made.size, annotations)
    )
    verify = Verify(identities=(Identity("https://issuer.example", "a@example.org"),))
    assert "only keys count" in why(check_signature(repository, DIGEST, verify))


def test_is_signed_with(repository: Repository) -> None:
    """Only the asked layout and key."""
    ops = TrustedKey("ops.pub", OPS.public_key())
    repository.tag_signatures(DIGEST, layer(repository))
    assert is_signed_with(repository, DIGEST, ops, "tag")
    assert not is_signed_with(repository, DIGEST, ops, "bundle")
    assert not is_signed_with(repository, DIGEST, TrustedKey("m", MALLORY.public_key()), "tag")


def test_payload_is_what_cosign_writes() -> None:
    """Field names and order, so that other tools read ours."""
    assert json.loads(PAYLOAD) == {
        "critical": {
            "identity": {"docker-reference": "registry.example/zones"},
            "image": {"docker-manifest-digest": DIGEST},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
