"""The client against a registry that misbehaves: each row of what oras as shipped gets wrong."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, StoreError, Transient
from ocizone.lab import LabRegistry
from ocizone.lab.faults import Fault
from ocizone.registry.client import Client, api_address
from ocizone.registry.manifest import (
    MANIFEST_TYPES,
    OCI_INDEX,
    Descriptor,
    Manifest,
)
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"
FILES = {"db.example.org": b"zone text " * 100}


def client_of(host: str, tag: str = "v1") -> Client:
    client = Client(Reference(host, REPOSITORY, tag, None), insecure=True)
    client.start_attempt(20)
    return client


@pytest.fixture
def digest(lab_registry: LabRegistry) -> str:
    return lab_registry.push_files(REPOSITORY, "v1", FILES)


@pytest.fixture
def client(lab_registry: LabRegistry, digest: str) -> Client:
    return client_of(lab_registry.host)


@pytest.fixture
def layer(client: Client, digest: str) -> Descriptor:
    return client.manifest(digest).layers[0]


def failing(
    kind: type[RegistryError], reason: FetchReason, match: str = ""
) -> pytest.RaisesExc[RegistryError]:
    return pytest.RaisesExc(kind, match=match or None, check=lambda error: error.reason is reason)


# --- Resolve ---------------------------------------------------------------------------------


def test_resolve_is_one_head(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """One HEAD a tick, which accepts all four types and names us; the connection is kept."""
    for _ in range(3):
        assert client.resolve().digest == digest
    assert [request.method for request in lab_registry.requests] == ["HEAD"] * 3
    headers = lab_registry.requests[0].headers
    assert headers["accept"] == ", ".join(MANIFEST_TYPES)
    assert headers["user-agent"].startswith("ocizone/")
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers
    assert client.calls.headers == {}


def test_no_digest_header_falls_back_to_get(
    lab_registry: LabRegistry, client: Client, digest: str
) -> None:
    """GET when there is no Docker-Content-Digest."""
    lab_registry.faults.digest_next("manifest", None, times=2)
    assert client.resolve().digest == digest
    assert [request.method for request in lab_registry.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [405, 501])
def test_no_head_falls_back_to_get(
    lab_registry: LabRegistry, client: Client, digest: str, status: int
) -> None:
    lab_registry.faults.fail_next("manifest", status, method="HEAD")
    assert client.resolve().digest == digest


@pytest.mark.parametrize(
    "lie", ["sha256:../../x", "sha256:" + "A" * 64, "sha512:" + "0" * 128, "x", ""]
)
def test_digest_header_that_is_no_digest(
    lab_registry: LabRegistry, client: Client, lie: str
) -> None:
    """CVE-2024-3727: a digest string is checked before it goes anywhere."""
    lab_registry.faults.digest_next("manifest", lie)
    with failing(Permanent, FetchReason.INTEGRITY):
        client.resolve()


def test_deleted_between_head_and_get(
    lab_registry: LabRegistry, client: Client, digest: str
) -> None:
    assert client.resolve().digest == digest
    lab_registry.storage.delete_manifest(REPOSITORY, digest)
    with failing(Permanent, FetchReason.NOT_FOUND):
        client.manifest(digest)


# --- Statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(lab_registry: LabRegistry, client: Client, status: int) -> None:
    """Seconds reach the caller; the client itself does not wait and does not try again."""
    lab_registry.faults.fail_next("manifest", status, retry_after=7)
    start = time.monotonic()
    with pytest.raises(Transient) as caught:
        client.resolve()
    assert caught.value.retry_after_s == 7
    assert caught.value.status == status
    assert time.monotonic() - start < 2
    assert lab_registry.count() == 1


def test_retry_after_date(lab_registry: LabRegistry) -> None:
    """An HTTP date, by the injected clock."""
    lab_registry.faults.fail_next("manifest", 503, retry_after="Sat, 21 Nov 2026 00:01:30 GMT")
    client = Client(
        Reference(lab_registry.host, REPOSITORY, "v1", None),
        insecure=True,
        now=lambda: 1_795_219_200.0,
    )
    with pytest.raises(Transient) as caught:
        client.resolve()
    assert caught.value.retry_after_s == 90


@pytest.mark.parametrize("status", [500, 502, 504])
def test_server_trouble_is_one_request(
    lab_registry: LabRegistry, client: Client, digest: str, status: int
) -> None:
    """As shipped oras sleeps 131 s on a 500."""
    lab_registry.faults.fail_next("manifest", status)
    with failing(Transient, FetchReason.SERVER):
        client.manifest(digest)
    assert lab_registry.count() == 1


def test_text_404(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """A 404 page in plain text is a 404."""
    lab_registry.faults.fail_next(
        "manifest", 404, body=b"404 page not found\n", content_type="text/plain"
    )
    with failing(Permanent, FetchReason.NOT_FOUND, "404 Not Found"):
        client.manifest(digest)


def test_endless_error_body(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """Of an error's body only the beginning is read."""
    lab_registry.faults.fail_next("manifest", 500, body=b"x" * (8 * limits.MIB))
    with failing(Transient, FetchReason.SERVER):
        client.manifest(digest)


# --- Integrity -------------------------------------------------------------------------------


def test_corrupt_manifest(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """CVE-2023-33959: the bytes must have the digest asked for."""
    lab_registry.faults.corrupt_next("manifest")
    with failing(Permanent, FetchReason.INTEGRITY, "have the digest"):
        client.manifest(digest)


def test_header_lies_about_the_manifest(
    lab_registry: LabRegistry, client: Client, digest: str
) -> None:
    lab_registry.faults.digest_next("manifest", "sha256:" + "0" * 64)
    with failing(Permanent, FetchReason.INTEGRITY, "Docker-Content-Digest"):
        client.manifest(digest)


def test_no_digest_argument_reaches_a_url(lab_registry: LabRegistry, client: Client) -> None:
    with failing(Permanent, FetchReason.PROTOCOL):
        client.manifest("sha256:../../etc")
    assert lab_registry.count() == 0


def test_manifest_too_large(lab_registry: LabRegistry, client: Client) -> None:
    """4 MiB and one octet."""
    raw = b" " * (limits.MANIFEST_OCTETS + 1)
    digest = lab_registry.push_manifest(REPOSITORY, None, raw)
    with failing(Permanent, FetchReason.TOO_LARGE):
        client.manifest(digest)


def test_manifest_of_the_largest_size_is_read(lab_registry: LabRegistry, client: Client) -> None:
    """The limit itself is allowed, so what fails here is the JSON."""
    digest = lab_registry.push_manifest(REPOSITORY, None, b" " * limits.MANIFEST_OCTETS)
    with failing(Permanent, FetchReason.PROTOCOL, "not JSON"):
        client.manifest(digest)


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b"{", b'{"a":1,"a":2}', b"[" * 99_999])
def test_bad_json(lab_registry: LabRegistry, client: Client, raw: bytes) -> None:
    digest = lab_registry.push_manifest(REPOSITORY, None, raw)
    with failing(Permanent, FetchReason.PROTOCOL, digest):
        client.manifest(digest)


def test_artifact_too_large(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """Sizes are added up before the first blob is asked for."""
    manifest = lab_registry.storage.manifest(REPOSITORY, digest)
    assert manifest is not None
    document = json.loads(manifest.raw)
    document["layers"][0]["size"] = limits.ARTIFACT_OCTETS + 1
    huge = lab_registry.push_manifest(REPOSITORY, None, json.dumps(document).encode())
    with failing(Permanent, FetchReason.TOO_LARGE):
        client.manifest(huge)


# --- Indexes ---------------------------------------------------------------------------------


def push_index(lab: LabRegistry, child: str, size: int, media_type: str = MANIFEST_TYPES[0]) -> str:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": media_type, "digest": child, "size": size}],
    }
    return lab.push_manifest(REPOSITORY, "index", json.dumps(document).encode(), OCI_INDEX)


def test_index_is_followed(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    child = lab_registry.storage.manifest(REPOSITORY, digest)
    assert child is not None
    index = push_index(lab_registry, digest, len(child.raw))
    found = client.manifest(index)
    assert isinstance(found, Manifest)
    assert found.digest == digest


def test_index_lies_about_a_size(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    with failing(Permanent, FetchReason.INTEGRITY):
        client.manifest(push_index(lab_registry, digest, 1))


def test_index_in_disguise(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """An index that an index calls a manifest is still not followed."""
    inner = push_index(lab_registry, digest, 1)
    stored = lab_registry.storage.manifest(REPOSITORY, inner)
    assert stored is not None
    with failing(Permanent, FetchReason.PROTOCOL):
        client.manifest(push_index(lab_registry, inner, len(stored.raw)))
    with failing(Permanent, FetchReason.PROTOCOL):
        client.manifest(push_index(lab_registry, inner, len(stored.raw), OCI_INDEX))


# --- Blobs -----------------------------------------------------------------------------------


def test_corrupt_blob_leaves_no_file(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    lab_registry.faults.corrupt_next("blob")
    with failing(Permanent, FetchReason.INTEGRITY, "have the digest"):
        client.fetch(layer, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_truncated_blob(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    """Cut before its announced length: worth another try, and no file."""
    lab_registry.faults.cut_next("blob", 500)
    with failing(Transient, FetchReason.NETWORK, "cut short"):
        client.fetch(layer, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_shorter_blob_with_an_honest_length(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    lab_registry.faults.replace_next("blob", b"short")
    with failing(Transient, FetchReason.NETWORK, "5 of 1000 octets"):
        client.fetch(layer, tmp_path / "blob")


def test_longer_blob(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    """Reading stops at the size announced."""
    lab_registry.faults.replace_next("blob", b"x" * (64 * limits.MIB))
    with failing(Permanent, FetchReason.INTEGRITY, "more than the 1000"):
        client.fetch(layer, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_blob_beyond_the_limit_is_not_asked_for(
    lab_registry: LabRegistry, client: Client, tmp_path: Path
) -> None:
    """GHSA-f36w-mj3v-6jqv: a size is a claim, and decides nothing but a refusal."""
    layer = Descriptor("text/dns", "sha256:" + "0" * 64, limits.BLOB_OCTETS + 1, {})
    with failing(Permanent, FetchReason.TOO_LARGE):
        client.fetch(layer, tmp_path / "blob")
    assert lab_registry.count() == 0


def test_existing_file_is_not_overwritten(
    client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    """O_EXCL and O_NOFOLLOW: neither a file nor a planted link is written through."""
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("file", "link"):
        with pytest.raises(StoreError, match=name):
            client.fetch(layer, tmp_path / name)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_missing_directory_is_the_stores_error(
    client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="absent"):
        client.fetch(layer, tmp_path / "absent" / "blob")


def test_full_disk_is_the_stores_error(
    client: Client, layer: Descriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC is not the registry's fault; what was written goes."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        client.fetch(layer, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


# --- Time ------------------------------------------------------------------------------------


def seconds_to_fail(client: Client, most: float, digest: str | None = None) -> float:
    start = time.monotonic()
    client.start_attempt(most)
    with failing(Transient, FetchReason.TIMEOUT):
        client.manifest(digest) if digest else client.resolve()
    return time.monotonic() - start


def test_hang_ends_at_the_deadline(lab_registry: LabRegistry, client: Client) -> None:
    """A registry that accepts and never answers; as shipped oras waits for good."""
    lab_registry.faults.hang()
    assert 0.4 < seconds_to_fail(client, 0.5) < 1.5


def test_hang_ends_at_the_read_timeout(
    lab_registry: LabRegistry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """READ_S bounds a silence even when the attempt has time."""
    monkeypatch.setattr(limits, "READ_S", 0.3)
    lab_registry.faults.hang()
    assert 0.2 < seconds_to_fail(client, 30) < 1.5


def test_trickle_ends_at_the_deadline(
    lab_registry: LabRegistry, client: Client, digest: str
) -> None:
    """20 octets a second are no silence, yet they end in time."""
    lab_registry.faults.trickle_next("manifest", 20)
    assert 0.4 < seconds_to_fail(client, 0.5, digest) < 1.5


def test_trickling_blob_leaves_no_file(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    lab_registry.faults.trickle_next("blob", 20)
    client.start_attempt(0.5)
    with failing(Transient, FetchReason.TIMEOUT):
        client.fetch(layer, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_nothing_starts_after_the_deadline(lab_registry: LabRegistry, client: Client) -> None:
    client.start_attempt(0)
    with failing(Transient, FetchReason.TIMEOUT):
        client.resolve()
    assert lab_registry.count() == 0


def test_abort_ends_a_hanging_call(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    """From another thread, within a second; a new attempt works again."""
    lab_registry.faults.hang_next("manifest")
    timer = threading.Timer(0.2, client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    assert time.monotonic() - start < 1.2
    timer.join()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    client.start_attempt(5)
    assert client.resolve().digest == digest


def test_abort_ends_a_body(
    lab_registry: LabRegistry, client: Client, layer: Descriptor, tmp_path: Path
) -> None:
    lab_registry.faults.trickle_next("blob", 5)
    timer = threading.Timer(0.3, client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        client.fetch(layer, tmp_path / "blob")
    assert time.monotonic() - start < 1.3
    timer.join()


# --- Connections -----------------------------------------------------------------------------


def test_refused_connection() -> None:
    """Nobody listens: one typed error, at once."""
    with LabRegistry() as lab:
        host = lab.host
    with failing(Transient, FetchReason.NETWORK, "cannot connect"):
        client_of(host).resolve()


def test_unknown_host() -> None:
    with failing(Transient, FetchReason.NETWORK, "registry.invalid"):
        client_of("registry.invalid").resolve()


def test_kept_connection_that_was_closed(
    lab_registry: LabRegistry, client: Client, digest: str
) -> None:
    """RFC 9112 9.5: one new try when the server closes a connection it had kept."""
    client.resolve()
    lab_registry.faults.drop_next("manifest")
    assert client.resolve().digest == digest


def test_new_connection_that_is_closed(lab_registry: LabRegistry, client: Client) -> None:
    """On a new connection the same is an error: no request is repeated for ever."""
    lab_registry.faults.drop_next("manifest")
    with failing(Transient, FetchReason.NETWORK):
        client.resolve()
    assert lab_registry.count() == 1


def test_restarted_registry(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    assert client.resolve().digest == digest
    lab_registry.stop()
    with pytest.raises(Transient):
        client.resolve()
    lab_registry.start()
    assert client.resolve().digest == digest


def test_environment_is_not_looked_at(
    lab_registry: LabRegistry, client: Client, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proxy, no CA bundle and no netrc from the environment."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert client.resolve().digest == digest


def test_cookies_are_ignored(lab_registry: LabRegistry, client: Client, digest: str) -> None:
    lab_registry.faults.add(Fault("any", left=2, headers={"Set-Cookie": "sid=1; Path=/"}))
    client.resolve()
    client.resolve()
    assert all("cookie" not in request.headers for request in lab_registry.requests)


# --- Tags ------------------------------------------------------------------------------------


def test_tags_follow_pages(lab_registry: LabRegistry, client: Client) -> None:
    for number in range(25):
        lab_registry.push_files(REPOSITORY, f"t{number:02}", FILES)
    link = f'</v2/{REPOSITORY}/tags/list?n=7&last=0>; rel="next"'
    lab_registry.faults.add(Fault("tags", headers={"Link": link}))
    assert set(client.tags()) == {"v1", *(f"t{number:02}" for number in range(25))}
    assert lab_registry.count(kind="tags") > 3


def test_endless_pages(lab_registry: LabRegistry, client: Client) -> None:
    """oras-go #1214: a Link that leads round and round ends at TAG_PAGES."""
    lab_registry.faults.add(
        Fault("tags", left=1e9, headers={"Link": f'</v2/{REPOSITORY}/tags/list>; rel="next"'})
    )
    with failing(Permanent, FetchReason.TOO_LARGE):
        client.tags()
    assert lab_registry.count(kind="tags") == limits.TAG_PAGES


def test_too_many_tags(lab_registry: LabRegistry, client: Client) -> None:
    body = json.dumps({"tags": [f"t{n}" for n in range(limits.TAGS + 1)]}).encode()
    lab_registry.faults.replace_next("tags", body)
    with failing(Permanent, FetchReason.TOO_LARGE):
        client.tags()


@pytest.mark.parametrize("link", ["<http://[::1>; rel=next", '<http://[x]/>; rel="next"'])
def test_page_at_no_address(lab_registry: LabRegistry, client: Client, link: str) -> None:
    lab_registry.faults.add(Fault("tags", headers={"Link": link}))
    with failing(Permanent, FetchReason.PROTOCOL):
        client.tags()


def test_last_page_allowed(
    lab_registry: LabRegistry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that ends on the last page allowed is whole."""
    monkeypatch.setattr(limits, "TAG_PAGES", 1)
    assert client.tags() == ("v1",)


def test_page_on_another_host(lab_registry: LabRegistry, client: Client) -> None:
    link = '<http://127.0.0.2:1/v2/x/tags/list>; rel="next"'
    lab_registry.faults.add(Fault("tags", headers={"Link": link}))
    with failing(Permanent, FetchReason.PROTOCOL, "another host"):
        client.tags()


@pytest.mark.parametrize("body", [b"[]", b'{"tags":7}', b'{"tags":[1]}', b"x"])
def test_tags_that_make_no_sense(lab_registry: LabRegistry, client: Client, body: bytes) -> None:
    lab_registry.faults.replace_next("tags", body)
    with failing(Permanent, FetchReason.PROTOCOL):
        client.tags()


def test_null_tags(lab_registry: LabRegistry, client: Client) -> None:
    """docker-registry says null when the last tag was deleted."""
    lab_registry.faults.replace_next("tags", b'{"name":"x","tags":null}')
    assert client.tags() == ()


# --- Names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registry", "repository", "address"),
    [
        ("docker.io", "nginx", ("registry-1.docker.io", "library/nginx")),
        ("index.docker.io", "me/zones", ("registry-1.docker.io", "me/zones")),
        ("ghcr.io", "zones", ("ghcr.io", "zones")),
        ("127.0.0.1:5000", "a/b", ("127.0.0.1:5000", "a/b")),
    ],
)
def test_docker_hub_has_names_of_its_own(
    registry: str, repository: str, address: tuple[str, str]
) -> None:
    assert api_address(Reference(registry, repository, "v1", None)) == address
