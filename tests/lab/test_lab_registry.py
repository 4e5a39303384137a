"""The lab registry against the distribution spec, by plain HTTP."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from ocizone.lab import Access, LabRegistry
from ocizone.lab.faults import Fault
from ocizone.registry.client import Client
from ocizone.registry.reference import Reference

NAME = "zones/example.org"
BLOB = b"0123456789"


def digest_of(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def base(lab_registry: LabRegistry) -> str:
    lab_registry.push_files(NAME, "v1", {"db": BLOB})
    return f"{lab_registry.url}/v2/{NAME}"


def codes(response: requests.Response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


# --- Reading ---------------------------------------------------------------------------------


def test_ping(lab_registry: LabRegistry, http: requests.Session) -> None:
    """end-1: 200, and what it is."""
    response = http.get(f"{lab_registry.url}/v2/")
    assert response.status_code == 200
    assert response.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_manifest_by_tag_and_digest(http: requests.Session, base: str) -> None:
    """end-3: the same bytes, type and digest; HEAD has headers and no body."""
    by_tag = http.get(f"{base}/manifests/v1")
    digest = by_tag.headers["Docker-Content-Digest"]
    assert digest == digest_of(by_tag.content)
    assert http.get(f"{base}/manifests/{digest}").content == by_tag.content
    head = http.head(f"{base}/manifests/v1")
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(by_tag.content))
    assert head.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"


def test_not_modified(http: requests.Session, base: str) -> None:
    etag = http.get(f"{base}/manifests/v1").headers["ETag"]
    response = http.get(f"{base}/manifests/v1", headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=8-", 206, b"89"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, None),
        ("lines=1-2", 200, BLOB),
    ],
)
def test_blob_ranges(
    http: requests.Session, base: str, wanted: str, status: int, content: bytes | None
) -> None:
    """end-2, RFC 9110 14.2."""
    response = http.get(f"{base}/blobs/{digest_of(BLOB)}", headers={"Range": wanted})
    assert response.status_code == status
    if content is not None:
        assert response.content == content


def test_head_blob(http: requests.Session, base: str) -> None:
    assert http.head(f"{base}/blobs/{digest_of(BLOB)}").status_code == 200
    assert http.head(f"{base}/blobs/{digest_of(b'')}").status_code == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("manifests/absent", "MANIFEST_UNKNOWN"),
        (f"manifests/{digest_of(b'')}", "MANIFEST_UNKNOWN"),
        (f"blobs/{digest_of(b'')}", "BLOB_UNKNOWN"),
    ],
)
def test_not_there(http: requests.Session, base: str, path: str, code: str) -> None:
    """Error Codes: JSON with the code."""
    response = http.get(f"{base}/{path}")
    assert response.status_code == 404
    assert codes(response) == [code]


@pytest.mark.parametrize(
    "path", ["/", "/v2", "/v2/UPPER/tags/list", "/v2/a..b/tags/list", "/v2/_a/manifests/x"]
)
def test_unknown_paths_are_text(
    http: requests.Session, lab_registry: LabRegistry, path: str
) -> None:
    """As docker-registry 2.8.2: a text page, not JSON."""
    response = http.get(lab_registry.url + path)
    assert (response.status_code, response.text) == (404, "404 page not found\n")


def test_tags_are_paged(http: requests.Session, lab_registry: LabRegistry, base: str) -> None:
    """end-8: n, last and Link."""
    for tag in ("b", "a", "c"):
        lab_registry.push_files(NAME, tag, {"db": BLOB})
    first = http.get(f"{base}/tags/list?n=2")
    assert first.json() == {"name": NAME, "tags": ["a", "b"]}
    assert first.links["next"]["url"] == f"/v2/{NAME}/tags/list?last=b&n=2"
    second = http.get(f"{base}/tags/list?n=2&last=b")
    assert second.json()["tags"] == ["c", "v1"]
    assert "Link" not in second.headers
    assert http.get(f"{lab_registry.url}/v2/never/tags/list").status_code == 404


# --- Pushing ---------------------------------------------------------------------------------


def test_monolithic_upload(http: requests.Session, base: str) -> None:
    """end-4a, end-6: POST, then PUT with everything."""
    begun = http.post(f"{base}/blobs/uploads/")
    assert begun.status_code == 202
    host = base.partition("/v2/")[0]
    url = f"{host}{begun.headers['Location']}?digest={digest_of(b'new')}"
    done = http.put(url, data=b"new")
    assert done.status_code == 201
    assert http.get(f"{base}/blobs/{digest_of(b'new')}").content == b"new"


def test_single_post(http: requests.Session, base: str) -> None:
    """end-4b."""
    url = f"{base}/blobs/uploads/?digest={digest_of(b'new')}"
    assert http.post(url, data=b"new").status_code == 201
    assert codes(http.post(url, data=b"other")) == ["DIGEST_INVALID"]


def test_chunked_upload(http: requests.Session, base: str) -> None:
    """end-5: PATCHes, also with Transfer-Encoding: chunked; GET tells how far it is."""
    location = http.post(f"{base}/blobs/uploads/").headers["Location"]
    url = base.partition("/v2/")[0] + location
    assert http.patch(url, data=b"abc").headers["Range"] == "0-2"
    assert http.patch(url, data=iter([b"de", b"f"])).headers["Range"] == "0-5"
    told = http.get(url)
    assert (told.status_code, told.headers["Range"]) == (204, "0-5")
    assert http.put(f"{url}?digest={digest_of(b'abcdef')}").status_code == 201
    assert codes(http.patch(url, data=b"x")) == ["BLOB_UPLOAD_UNKNOWN"]
    assert codes(http.put(url, data=b"x")) == ["BLOB_UPLOAD_UNKNOWN"]


@pytest.mark.parametrize("digest", [digest_of(b"other"), "sha256:x", ""])
def test_wrong_digest(http: requests.Session, base: str, digest: str) -> None:
    location = http.post(f"{base}/blobs/uploads/").headers["Location"]
    url = base.partition("/v2/")[0] + location
    assert codes(http.put(f"{url}?digest={digest}", data=b"new")) == ["DIGEST_INVALID"]


def test_mount(http: requests.Session, lab_registry: LabRegistry, base: str) -> None:
    """end-11: a blob of another repository, or an upload when it is not there."""
    uploads = f"{lab_registry.url}/v2/other/blobs/uploads/"
    assert http.post(f"{uploads}?mount={digest_of(BLOB)}&from={NAME}").status_code == 201
    assert http.get(f"{lab_registry.url}/v2/other/blobs/{digest_of(BLOB)}").content == BLOB
    assert http.post(f"{uploads}?mount={digest_of(b'')}&from={NAME}").status_code == 202


@pytest.mark.parametrize(
    ("reference", "raw", "code"),
    [
        ("v2", b"no json", "MANIFEST_INVALID"),
        ("v2", b'{"a":"' + b"x" * 4 * 1024 * 1024 + b'"}', "MANIFEST_INVALID"),
        (digest_of(b""), b'{"schemaVersion":2}', "DIGEST_INVALID"),
        ("v2", b'{"layers":[{"digest":"sha256:0"}]}', "MANIFEST_BLOB_UNKNOWN"),
        ("v2", b'{"manifests":[{"digest":"sha256:0"}]}', "MANIFEST_BLOB_UNKNOWN"),
    ],
)
def test_manifests_refused(
    http: requests.Session, base: str, reference: str, raw: bytes, code: str
) -> None:
    """end-7."""
    response = http.put(f"{base}/manifests/{reference}", data=raw)
    assert response.status_code == 400
    assert codes(response) == [code]


def test_deletes(http: requests.Session, lab_registry: LabRegistry, base: str) -> None:
    """end-9, end-10: a tag alone; a digest with all its tags; a blob."""
    digest = http.get(f"{base}/manifests/v1").headers["Docker-Content-Digest"]
    lab_registry.push_files(NAME, "v2", {"db": BLOB})
    assert http.delete(f"{base}/manifests/v2").status_code == 202
    assert http.get(f"{base}/manifests/v1").status_code == 200
    assert http.delete(f"{base}/manifests/{digest}").status_code == 202
    assert http.get(f"{base}/manifests/v1").status_code == 404
    assert codes(http.delete(f"{base}/manifests/{digest}")) == ["MANIFEST_UNKNOWN"]
    assert http.delete(f"{base}/blobs/{digest_of(BLOB)}").status_code == 202
    assert codes(http.delete(f"{base}/blobs/{digest_of(BLOB)}")) == ["BLOB_UNKNOWN"]


def test_unsupported_method(http: requests.Session, base: str) -> None:
    assert codes(http.post(f"{base}/tags/list")) == ["UNSUPPORTED"]


# --- Referrers -------------------------------------------------------------------------------


def test_referrers(http: requests.Session, lab_registry: LabRegistry, base: str) -> None:
    """end-12: descriptors of what names a subject, filtered by type."""
    subject = {"digest": http.get(f"{base}/manifests/v1").headers["Docker-Content-Digest"]}
    for kind in ("a/x", "a/y"):
        raw = json.dumps({"artifactType": kind, "subject": subject}).encode()
        put = http.put(f"{base}/manifests/{digest_of(raw)}", data=raw)
        assert put.headers["OCI-Subject"] == subject["digest"]
    raw = json.dumps({"config": {"mediaType": "a/z"}, "subject": subject}).encode()
    lab_registry.push_manifest(NAME, None, raw)
    url = f"{base}/referrers/{subject['digest']}"
    found = http.get(url).json()["manifests"]
    assert [one["artifactType"] for one in found] == ["a/x", "a/y", "a/z"]
    filtered = http.get(f"{url}?artifactType=a/y")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert len(filtered.json()["manifests"]) == 1


def test_referrers_off(http: requests.Session) -> None:
    """As docker-registry 2.8: a text 404."""
    with LabRegistry(referrers=False) as lab:
        response = http.get(f"{lab.url}/v2/{NAME}/referrers/{digest_of(b'')}")
    assert (response.status_code, response.text) == (404, "404 page not found\n")


# --- Access ----------------------------------------------------------------------------------


def test_basic(http: requests.Session) -> None:
    with LabRegistry(access=Access.BASIC, users={"alice": "s3cret"}) as lab:
        url = f"{lab.url}/v2/"
        refused = http.get(url)
        assert (refused.status_code, codes(refused)) == (401, ["UNAUTHORIZED"])
        assert refused.headers["WWW-Authenticate"] == 'Basic realm="ocizone lab"'
        assert http.get(url, auth=("alice", "s3cret")).status_code == 200
        for wrong in (("alice", "x"), ("bob", "s3cret")):
            assert http.get(url, auth=wrong).status_code == 401
        for odd in ("Basic !", "Basic /w==", "Bearer x", "Basic"):
            assert http.get(url, headers={"Authorization": odd}).status_code == 401


def test_bearer_scopes(http: requests.Session) -> None:
    """A token for pulling one repository pulls that one, and pushes none."""
    with LabRegistry(access=Access.BEARER) as lab:
        lab.push_files("a", "v1", {"db": BLOB})
        token = http.get(f"{lab.url}/token?scope=repository:a:pull").json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert http.get(f"{lab.url}/v2/", headers=headers).status_code == 200
        assert http.get(f"{lab.url}/v2/a/tags/list", headers=headers).status_code == 200
        assert http.get(f"{lab.url}/v2/b/tags/list", headers=headers).status_code == 401
        refused = http.post(f"{lab.url}/v2/a/blobs/uploads/", headers=headers)
        assert refused.status_code == 401
        assert 'scope="repository:a:pull,push"' in refused.headers["WWW-Authenticate"]


# --- Life ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1"])
def test_loopback_only(address: str) -> None:
    """It is no product: nothing beyond this machine reaches it."""
    with pytest.raises(ValueError, match="loopback"):
        LabRegistry(address=address)


def test_stop_cuts_what_hangs(http: requests.Session) -> None:
    """Stopping waits for nobody."""
    with LabRegistry() as lab:
        lab.faults.hang()
        with socket.create_connection(("127.0.0.1", lab.port)) as sock:
            sock.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
            start = time.monotonic()
            while not lab.requests:
                assert time.monotonic() - start < 4
            lab.stop()
            lab.stop()
            sock.settimeout(5)
            assert sock.recv(1) == b""
        assert time.monotonic() - start < 5


def test_ipv6(http: requests.Session) -> None:
    """The other loopback."""
    with LabRegistry(address="::1") as lab:
        assert lab.host == f"[::1]:{lab.port}"
        lab.push_files(NAME, "v1", {"db": BLOB}, annotations={"a": "b"})
        client = Client(Reference(lab.host, NAME, "v1", None), insecure=True)
        assert dict(client.manifest(client.resolve().digest).annotations) == {"a": "b"}


def test_restart_keeps_port_and_content(http: requests.Session) -> None:
    lab = LabRegistry().start()
    lab.push_files(NAME, "v1", {"db": BLOB})
    host = lab.host
    lab.stop()
    with lab:
        assert lab.host == host
        assert http.get(f"{lab.url}/v2/{NAME}/manifests/v1").status_code == 200
        assert lab.storage.repositories() == [NAME]


def test_fault_kinds_and_methods(
    http: requests.Session, lab_registry: LabRegistry, base: str
) -> None:
    """A fault strikes its kind and method only, as often as asked, first come first."""
    lab_registry.faults.fail_next("manifest", 503, method="GET", times=2)
    lab_registry.faults.add(Fault("any", status=418))
    statuses = [
        http.head(f"{base}/manifests/v1").status_code,
        http.head(f"{base}/manifests/v1").status_code,
        http.get(f"{base}/manifests/v1").status_code,
        http.get(f"{base}/manifests/v1").status_code,
        http.get(f"{base}/manifests/v1").status_code,
    ]
    assert statuses == [418, 200, 503, 503, 200]
    assert lab_registry.count("GET", "manifest") == 3


def test_program() -> None:
    """``python -m ocizone.lab`` says where it is, and SIGTERM ends it well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ocizone.lab", "--port", "0", "--user", "alice:s3cret"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3]
        response = requests.get(f"{url}/v2/", auth=("alice", "s3cret"), timeout=5)
        assert response.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()
