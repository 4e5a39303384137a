"""Tags of their own, what refers to a manifest, and small blobs: what signatures are found by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import LabRegistry
from ocizone.lab.faults import Fault
from ocizone.registry.client import Client
from ocizone.registry.manifest import (
    EMPTY_TYPE,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    IndexEntry,
    digest_of,
)
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
NOWHERE = "sha256:" + "0" * 64


def client_of(lab: LabRegistry) -> Client:
    client = Client(Reference(lab.host, REPOSITORY, "v1", None), insecure=True)
    client.start_attempt(20)
    return client


@pytest.fixture(params=["api", "tag"])
def lab(request: pytest.FixtureRequest) -> Iterator[LabRegistry]:
    """A registry with the referrers API, and one without."""
    with LabRegistry(referrers=request.param == "api") as registry:
        yield registry


def refer(lab: LabRegistry, subject: str, content: bytes = b"b1") -> str:
    """Attach a bundle; also under the fallback tag when the registry has no API."""
    layer = {"mediaType": BUNDLE, "digest": lab.push_blob(REPOSITORY, content), "size": 2}
    config = {"mediaType": EMPTY_TYPE, "digest": lab.push_blob(REPOSITORY, b"{}"), "size": 2}
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": BUNDLE,
            "config": config,
            "layers": [layer],
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
            "annotations": {"of": content.decode()},
        }
    ).encode()
    digest = lab.push_manifest(REPOSITORY, None, raw)
    if not lab.referrers:
        lab.push_manifest(
            REPOSITORY,
            subject.replace(":", "-"),
            index(lab.storage.referrers(REPOSITORY, subject)),
            OCI_INDEX,
        )
    return digest


def index(manifests: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()


def entry(number: int) -> dict[str, Any]:
    return {"mediaType": OCI_MANIFEST, "digest": digest_of(b"%d" % number), "size": number}


def digests(entries: tuple[IndexEntry, ...]) -> set[str]:
    return {one.descriptor.digest for one in entries}


# --- Referrers -------------------------------------------------------------------------------


def test_referrers(lab: LabRegistry) -> None:
    """Distribution spec "Listing Referrers", and its tag schema where there is no API."""
    subject = lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
    wanted = {refer(lab, subject), refer(lab, subject, b"b2")}
    client = client_of(lab)
    found = client.referrers(subject)
    assert digests(found) == wanted
    assert {one.artifact_type for one in found} == {BUNDLE}
    manifest = client.manifest(found[0].descriptor.digest)
    assert client.small(manifest.layers[0], 10) in (b"b1", b"b2")


def test_no_referrers(lab: LabRegistry) -> None:
    """Nothing attached is an empty list, not an error."""
    subject = lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
    assert client_of(lab).referrers(subject) == ()


@pytest.mark.parametrize("status", [303, 400, 404, 405, 406, 501])
def test_registries_without_the_api(lab_registry: LabRegistry, status: int) -> None:
    """However a registry says that it has no such API, the tag is looked at."""
    lab_registry.referrers = False
    subject = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    wanted = refer(lab_registry, subject)
    lab_registry.faults.fail_next("referrers", status)
    assert digests(client_of(lab_registry).referrers(subject)) == {wanted}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>", "text/html"), (b"{}", "application/json"), (b"{}", OCI_MANIFEST)],
)
def test_an_answer_that_is_no_index(
    lab_registry: LabRegistry, body: bytes, content_type: str
) -> None:
    """Another type than an index is a registry without the API that answers anything."""
    subject = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    lab_registry.faults.replace_next("referrers", body, content_type=content_type)
    assert client_of(lab_registry).referrers(subject) == ()
    assert lab_registry.requests[-1].path.endswith(subject.replace(":", "-"))


def test_an_index_that_is_none(lab_registry: LabRegistry) -> None:
    """What says it is an index and is none is an error: signatures must not vanish silently."""
    lab_registry.faults.replace_next("referrers", b"{}", content_type=OCI_INDEX)
    with pytest.raises(Permanent) as caught:
        client_of(lab_registry).referrers(NOWHERE)
    assert caught.value.reason is FetchReason.PROTOCOL


@pytest.mark.parametrize(("status", "kind"), [(500, Transient), (403, Permanent), (429, Transient)])
def test_a_failing_api_is_no_missing_one(
    lab_registry: LabRegistry, status: int, kind: type[Exception]
) -> None:
    """A failure is not an empty list: it would make a signed artifact unsigned."""
    lab_registry.faults.fail_next("referrers", status)
    with pytest.raises(kind):
        client_of(lab_registry).referrers(NOWHERE)
    assert lab_registry.count(kind="manifest") == 0


def test_referrers_pages(lab_registry: LabRegistry) -> None:
    """RFC 8288: the next page is where the Link leads."""
    there = f'<{lab_registry.url}/v2/{REPOSITORY}/referrers/{NOWHERE}?p=2>; rel="next"'
    for numbers, link in (((1, 2), there), ((3,), None)):
        lab_registry.faults.add(
            Fault(
                "referrers",
                body=index([entry(number) for number in numbers]),
                headers={"Link": link},
            )
        )
    found = client_of(lab_registry).referrers(NOWHERE)
    assert [one.descriptor.size for one in found] == [1, 2, 3]


def test_endless_referrers(lab_registry: LabRegistry) -> None:
    """oras-go 1214: a Link that leads to itself."""
    here = f"/v2/{REPOSITORY}/referrers/{NOWHERE}"
    headers: dict[str, str | None] = {"Link": f'<{here}>; rel="next"'}
    lab_registry.faults.add(Fault("referrers", left=10**6, body=index([]), headers=headers))
    with pytest.raises(Permanent, match="pages") as caught:
        client_of(lab_registry).referrers(NOWHERE)
    assert caught.value.reason is FetchReason.TOO_LARGE
    assert lab_registry.count(kind="referrers") == limits.TAG_PAGES


@pytest.mark.parametrize("pages", [1, 2])
def test_too_many_referrers(lab_registry: LabRegistry, pages: int) -> None:
    """Cosign CVE-2024-29902: who may attach may attach 10,000."""
    here = f"/v2/{REPOSITORY}/referrers/{NOWHERE}"
    many = [entry(number) for number in range(limits.REFERRERS // pages + 1)]
    headers: dict[str, str | None] = {"Link": f'<{here}>; rel="next"'}
    lab_registry.faults.add(Fault("referrers", left=pages, body=index(many), headers=headers))
    with pytest.raises(Permanent, match=str(limits.REFERRERS)):
        client_of(lab_registry).referrers(NOWHERE)


def test_as_many_referrers_as_may_be(lab_registry: LabRegistry) -> None:
    many = [entry(number) for number in range(limits.REFERRERS)]
    lab_registry.faults.replace_next("referrers", index(many))
    assert len(client_of(lab_registry).referrers(NOWHERE)) == limits.REFERRERS


@pytest.mark.parametrize("over", [0, 1])
def test_the_fallback_tag_is_bounded_alike(lab_registry: LabRegistry, over: int) -> None:
    lab_registry.referrers = False
    many = [entry(number) for number in range(limits.REFERRERS + over)]
    lab_registry.push_manifest(REPOSITORY, NOWHERE.replace(":", "-"), index(many), OCI_INDEX)
    client = client_of(lab_registry)
    if over:
        with pytest.raises(Permanent, match=str(limits.REFERRERS)):
            client.referrers(NOWHERE)
    else:
        assert len(client.referrers(NOWHERE)) == limits.REFERRERS


def test_referrers_of_no_digest(lab_registry: LabRegistry) -> None:
    with pytest.raises(Permanent, match="not a digest"):
        client_of(lab_registry).referrers("sha256:../../x")
    assert lab_registry.requests == []


def test_fallback_tag_that_is_no_index(lab_registry: LabRegistry) -> None:
    """A manifest under the fallback tag says nothing about referrers."""
    lab_registry.referrers = False
    lab_registry.push_files(REPOSITORY, NOWHERE.replace(":", "-"), {"db": b"zone"})
    assert client_of(lab_registry).referrers(NOWHERE) == ()


# --- Tags ------------------------------------------------------------------------------------


def test_tagged(lab_registry: LabRegistry) -> None:
    """What another tag of the repository names, or None."""
    digest = lab_registry.push_files(REPOSITORY, "sha256-00.sig", {"db": b"signature"})
    client = client_of(lab_registry)
    found = client.tagged("sha256-00.sig")
    assert found is not None
    assert found.digest == digest
    assert client.tagged("absent") is None


def test_tagged_index(lab_registry: LabRegistry) -> None:
    """An index is followed by the rule of ``manifest``."""
    digest = lab_registry.push_files(REPOSITORY, None, {"db": b"zone"})
    size = len(lab_registry.storage.manifest(REPOSITORY, digest).raw)  # type: ignore[union-attr]  # just pushed
    listed = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": size}]
    lab_registry.push_manifest(REPOSITORY, "both", index(listed), OCI_INDEX)
    found = client_of(lab_registry).tagged("both")
    assert found is not None
    assert found.digest == digest


@pytest.mark.parametrize("tag", ["", "../x", "a/b", "a" * 129, "-a", "a?b"])
def test_tagged_by_no_tag(lab_registry: LabRegistry, tag: str) -> None:
    """A tag is checked before it becomes part of an address."""
    with pytest.raises(Permanent, match="not a tag"):
        client_of(lab_registry).tagged(tag)
    assert lab_registry.requests == []


def test_tagged_refused(lab_registry: LabRegistry) -> None:
    """A refusal is not "there is none"."""
    lab_registry.faults.fail_next("manifest", 403)
    with pytest.raises(Permanent) as caught:
        client_of(lab_registry).tagged("v1")
    assert caught.value.reason is FetchReason.AUTH


# --- Small blobs -----------------------------------------------------------------------------


def blob(lab: LabRegistry, content: bytes, size: int | None = None) -> Descriptor:
    digest = lab.push_blob(REPOSITORY, content)
    return Descriptor("x/y", digest, len(content) if size is None else size, {})


def test_small(lab_registry: LabRegistry) -> None:
    assert client_of(lab_registry).small(blob(lab_registry, b"payload"), 7) == b"payload"


def test_small_that_says_it_is_large(lab_registry: LabRegistry) -> None:
    """What is larger is not even asked for."""
    with pytest.raises(Permanent) as caught:
        client_of(lab_registry).small(blob(lab_registry, b"payload"), 6)
    assert caught.value.reason is FetchReason.TOO_LARGE
    assert lab_registry.requests == []


@pytest.mark.parametrize(("size", "reason"), [(6, FetchReason.INTEGRITY), (8, FetchReason.NETWORK)])
def test_small_of_another_size(lab_registry: LabRegistry, size: int, reason: FetchReason) -> None:
    with pytest.raises((Permanent, Transient)) as caught:
        client_of(lab_registry).small(blob(lab_registry, b"payload", size), 100)
    assert caught.value.reason is reason


def test_small_corrupt(lab_registry: LabRegistry) -> None:
    lab_registry.faults.corrupt_next("blob")
    with pytest.raises(Permanent) as caught:
        client_of(lab_registry).small(blob(lab_registry, b"payload"), 100)
    assert caught.value.reason is FetchReason.INTEGRITY


def test_small_of_no_digest(lab_registry: LabRegistry) -> None:
    with pytest.raises(Permanent, match="not a digest"):
        client_of(lab_registry).small(Descriptor("x/y", "sha256:../x", 1, {}), 9)
    assert lab_registry.requests == []
