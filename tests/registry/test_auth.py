"""Credentials: what registries ask for is answered, and nothing goes to anybody else."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.lab.faults import Fault
from ocizone.registry.client import Client
from ocizone.registry.credentials import anonymous, user
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"
SECRET = "canary-s3cret"
USERS = {"alice": SECRET}


def client_of(
    lab: LabRegistry,
    *,
    username: str | None = "alice",
    password: Callable[[], str] | None = lambda: SECRET,
    ca_file: Path | None = None,
    repository: str = REPOSITORY,
    now: Callable[[], float] = time.time,
) -> Client:
    client = Client(
        Reference(lab.host, repository, "v1", None),
        insecure=ca_file is None,
        login=user(username, password) if username and password else anonymous,
        ca_file=str(ca_file) if ca_file else None,
        now=now,
    )
    client.start_attempt(20)
    return client


@pytest.fixture
def basic() -> Iterator[LabRegistry]:
    with LabRegistry(access=Access.BASIC, users=USERS) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


@pytest.fixture
def bearer() -> Iterator[LabRegistry]:
    with LabRegistry(access=Access.BEARER, users=USERS) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


@pytest.fixture
def recorder() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Another server (same address, other port) that records headers and sends b"zone"."""
    seen: list[dict[str, str]] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"zone")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def kinds(lab: LabRegistry) -> list[str]:
    return [request.kind for request in lab.requests]


# --- Basic -----------------------------------------------------------------------------------


def test_basic_is_asked_once_then_sent_at_once(basic: LabRegistry) -> None:
    """One challenge; afterwards one HEAD a tick."""
    client = client_of(basic)
    for _ in range(3):
        client.resolve()
    assert len(basic.requests) == 4
    assert "authorization" not in basic.requests[0].headers


def test_wrong_password_is_one_try(basic: LabRegistry) -> None:
    """As shipped oras tries for 131 s; here it is two requests, then one, and no lockout."""
    client = client_of(basic, password=lambda: "canary-wrong")
    start = time.monotonic()
    for requests in (2, 3):
        with pytest.raises(Permanent, match="user alice") as caught:
            client.resolve()
        assert caught.value.reason is FetchReason.AUTH
        assert "canary" not in str(caught.value)
        assert len(basic.requests) == requests
    assert time.monotonic() - start < 2


def test_password_file_rotation(basic: LabRegistry) -> None:
    """The password is read again at each use; a new one is tried at once."""
    current = ["canary-old"]
    client = client_of(basic, password=lambda: current[0])
    with pytest.raises(Permanent):
        client.resolve()
    current[0] = SECRET
    client.resolve()
    basic.gate.users["alice"] = current[0] = "canary-new"
    client.resolve()


def test_unreadable_password_file(basic: LabRegistry, tmp_path: Path) -> None:
    client = client_of(basic, password=(tmp_path / "absent").read_text)
    with pytest.raises(Permanent, match="absent") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.CONFIG


def test_no_credentials(basic: LabRegistry) -> None:
    """As shipped oras raises AttributeError, six times."""
    with pytest.raises(Permanent, match="no username is configured") as caught:
        client_of(basic, username=None, password=None).resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert len(basic.requests) == 1


def test_unicode_password() -> None:
    """RFC 7617 2.1: UTF-8."""
    with LabRegistry(access=Access.BASIC, users={"alice": "pä:ß"}) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        client_of(lab, password=lambda: "pä:ß").resolve()


@pytest.mark.parametrize("header", [None, "", "Negotiate", 'Digest realm="x"', "Bearer scope=x"])
def test_challenge_we_cannot_answer(basic: LabRegistry, header: str | None) -> None:
    """401 without a challenge we know: an error, and no credentials sent."""
    basic.faults.fail_next("manifest", 401)
    basic.faults.clear()
    basic.faults.add(Fault("manifest", status=401, headers={"WWW-Authenticate": header}))
    with pytest.raises(Permanent) as caught:
        client_of(basic).resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert all("authorization" not in request.headers for request in basic.requests)


def test_forbidden(basic: LabRegistry) -> None:
    """403 is final: the login is right, the right is missing."""
    client = client_of(basic)
    client.resolve()
    basic.faults.fail_next("manifest", 403, body=b'{"errors":[{"code":"DENIED"}]}', method="GET")
    with pytest.raises(Permanent, match="DENIED") as caught:
        client.manifest("sha256:" + "0" * 64)
    assert caught.value.reason is FetchReason.AUTH


def test_endless_401(bearer: LabRegistry) -> None:
    """A registry that refuses for ever is asked twice."""
    for _ in range(9):
        bearer.faults.add(
            Fault(
                "manifest",
                status=401,
                headers={"WWW-Authenticate": f'Bearer realm="{bearer.url}/token"'},
            )
        )
    with pytest.raises(Permanent) as caught:
        client_of(bearer).resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert kinds(bearer) == ["manifest", "token", "manifest"]


# --- Bearer ----------------------------------------------------------------------------------


def test_bearer_token_is_kept(bearer: LabRegistry) -> None:
    """Challenge, token, request; then one HEAD a tick."""
    client = client_of(bearer)
    for _ in range(3):
        client.resolve()
    assert kinds(bearer) == ["manifest", "token", "manifest", "manifest", "manifest"]
    token = bearer.requests[1]
    assert f"scope=repository%3A{REPOSITORY.replace('/', '%2F')}%3Apull" in token.path
    assert "service=ocizone-lab" in token.path
    assert token.headers["authorization"].startswith("Basic ")


def test_bearer_without_credentials() -> None:
    """An anonymous token, as Docker Hub and ghcr.io give for public repositories."""
    with LabRegistry(access=Access.BEARER) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        client_of(lab, username=None, password=None).resolve()
        assert "authorization" not in lab.requests[1].headers


def test_token_refused_mid_run_is_renewed(bearer: LabRegistry) -> None:
    """As shipped oras sends the expired token again, for ever."""
    client = client_of(bearer)
    client.resolve()
    bearer.gate.revoke()
    bearer.clear_requests()
    client.resolve()
    assert kinds(bearer) == ["manifest", "token", "manifest"]


def test_refused_token_is_dropped_even_when_none_replaces_it(bearer: LabRegistry) -> None:
    """The token service is down: what was refused is still not sent again."""
    client = client_of(bearer)
    client.resolve()
    bearer.gate.revoke()
    bearer.faults.fail_next("token", 500)
    with pytest.raises(Transient):
        client.resolve()
    bearer.clear_requests()
    client.resolve()
    assert "authorization" not in bearer.requests[0].headers


def test_expired_token_is_not_sent() -> None:
    """expires_in, by the injected clock, less a margin."""
    moment = [1000.0]
    with LabRegistry(access=Access.BEARER, users=USERS, token_s=60, now=lambda: moment[0]) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        client = client_of(lab, now=lambda: moment[0])
        client.resolve()
        moment[0] += 54
        lab.clear_requests()
        client.resolve()
        assert kinds(lab) == ["manifest"]
        moment[0] += 2
        lab.clear_requests()
        client.resolve()
        assert "authorization" not in lab.requests[0].headers
        assert kinds(lab) == ["manifest", "token", "manifest"]


def test_token_of_pull_is_widened_for_push(bearer: LabRegistry) -> None:
    """The first upload is refused with a wider scope, asked for once."""
    push(client_of(bearer), [("db", b"other zone", "text/dns")])
    assert bearer.count(kind="token") == 2


def test_wrong_password_at_the_token_service(bearer: LabRegistry) -> None:
    with pytest.raises(Permanent, match="user alice") as caught:
        client_of(bearer, password=lambda: "canary-wrong").resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert "canary" not in str(caught.value)
    assert kinds(bearer) == ["manifest", "token"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_token_service_in_trouble(bearer: LabRegistry, status: int) -> None:
    bearer.faults.fail_next("token", status, retry_after=9)
    with pytest.raises(Transient, match="token service") as caught:
        client_of(bearer).resolve()
    assert caught.value.retry_after_s == 9


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"token":7}',
        b'{"token":""}',
        b'{"token":"a\\r\\nX-Evil: 1"}',
        b'{"token":"\xc3\xbc"}',
        b'{"token":"a","token":"b"}',
        b'{"token":"' + b"a" * 70_000 + b'"}',
    ],
)
def test_token_that_is_none(bearer: LabRegistry, body: bytes) -> None:
    """An answer without a usable token, or too long to be one."""
    bearer.faults.replace_next("token", body)
    with pytest.raises(Permanent, match="token service") as caught:
        client_of(bearer).resolve()
    assert caught.value.reason is FetchReason.PROTOCOL


@pytest.mark.parametrize(
    "expires_in", ["true", '"x"', "-5", "1e400", "99999999999999999999", "null"]
)
def test_odd_expiry(bearer: LabRegistry, expires_in: str) -> None:
    """Nonsense in expires_in costs at most another token request."""
    token = bearer.gate.issue(
        "Basic " + base64.b64encode(f"alice:{SECRET}".encode()).decode(),
        f"repository:{REPOSITORY}:pull",
    )
    body = f'{{"access_token":"{token}","expires_in":{expires_in}}}'
    bearer.faults.replace_next("token", body.encode())
    client_of(bearer).resolve()


def test_scope_of_another_repository_is_not_asked_for(bearer: LabRegistry) -> None:
    """Credentials are for one repository: a registry cannot make us fetch a wider token."""
    scope = "repository:other/secret:pull,push,delete"
    challenge = f'Bearer realm="{bearer.url}/token",scope="{scope}"'
    bearer.faults.add(Fault("manifest", status=401, headers={"WWW-Authenticate": challenge}))
    client_of(bearer).resolve()
    token = next(request for request in bearer.requests if request.kind == "token")
    assert "other" not in token.path


def test_no_secret_in_logs_or_reprs(
    bearer: LabRegistry, basic: LabRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """With every logger at debug, neither password nor token appears anywhere."""
    caplog.set_level("DEBUG")
    shown: list[str] = []
    for lab in (bearer, basic):
        client = client_of(lab)
        client.resolve()
        lab.faults.fail_next("manifest", 403, body=SECRET.encode())
        with pytest.raises(Permanent) as caught:
            client.resolve()
        shown += [repr(client), repr(client.calls), repr(client.calls.auth), repr(caught.value)]
        shown.append(str(caught.getrepr(style="long", showlocals=False)))
    token = next(iter(bearer.gate._tokens))
    encoded = base64.b64encode(f"alice:{SECRET}".encode()).decode()
    everything = caplog.text + "".join(shown)
    # The test's own source line is part of a long traceback; the value must not be.
    assert all(secret not in everything for secret in (SECRET, encoded, token))


# --- Realms ----------------------------------------------------------------------------


def resolve_with_realm(lab: LabRegistry, realm: str, ca_file: Path | None = None) -> Permanent:
    lab.realm = realm
    with pytest.raises(Permanent) as caught:
        client_of(lab, ca_file=ca_file).resolve()
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "realm",
    [
        "http://localhost:1/token",
        "http://evil.example/token",
        "https://evil.example/token",
        "http://127.0.0.2/token",
        "http://[::1]/token",
        "http://0.0.0.0/token",
        "http://169.254.169.254/latest/",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "//127.0.0.1/token",
        "/token",
        "basic-realm",
        "",
        "http://alice@127.0.0.1/token",
        "http://127.0.0.1:99999/token",
        "http://[::1/token",
    ],
)
def test_plain_http_registry_names_only_itself(bearer: LabRegistry, realm: str) -> None:
    """Anybody on the path could have named the realm: only the registry's own host is taken."""
    error = resolve_with_realm(bearer, realm)
    assert kinds(bearer) == ["manifest"]
    assert error.reason in (FetchReason.PROTOCOL, FetchReason.AUTH)


def test_plain_http_registry_may_name_its_own_host(bearer: LabRegistry) -> None:
    """A token service on another port gives out tokens for nobody, and hears of no password."""
    with LabRegistry(access=Access.BEARER, users=USERS) as service:
        service.gate = bearer.gate
        error = resolve_with_realm(bearer, f"{service.url}/token")
        assert "another port" in str(error)
        assert error.reason is FetchReason.PROTOCOL
        assert kinds(service) == []
    with LabRegistry(access=Access.BEARER) as service:
        bearer.gate = service.gate
        bearer.realm = f"{service.url}/token"
        client_of(bearer, username=None, password=None).resolve()
        assert kinds(service) == ["token"]


@pytest.fixture
def tls_bearer(certificate_authority: CertificateAuthority) -> Iterator[LabRegistry]:
    context = certificate_authority.server_context("127.0.0.1", "localhost")
    with LabRegistry(access=Access.BEARER, users=USERS, ssl_context=context) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


def test_https_registry_may_name_another_https_host(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """Docker Hub, GitLab and others have their token service on another host."""
    tls_bearer.realm = f"https://localhost:{tls_bearer.port}/token"
    client_of(tls_bearer, ca_file=certificate_authority.ca_file).resolve()
    token = next(request for request in tls_bearer.requests if request.kind == "token")
    assert token.headers["host"].startswith("localhost:")
    assert "authorization" in token.headers


@pytest.mark.parametrize(
    "realm",
    [
        "http://127.0.0.1/token",
        "http://localhost/token",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/token",
        "https://[::ffff:169.254.169.254]/token",
        "https://0.0.0.0/token",
        "https://[::]/token",
        "https://224.0.0.1/token",
        "https://[fd00:ec2::254]/token",
        "https://100.100.100.200/token",
    ],
)
def test_https_registry_names_neither_http_nor_metadata(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority, realm: str
) -> None:
    """GHSA-xf85-363p-868w, GHSA-3p65-76g6-3w7r: no downgrade, no cloud metadata."""
    error = resolve_with_realm(tls_bearer, realm, certificate_authority.ca_file)
    assert error.reason is FetchReason.PROTOCOL


def test_good_realm_that_redirects(
    bearer: LabRegistry, recorder: tuple[str, list[dict[str, str]]]
) -> None:
    """A 302 from a good realm is not followed with the password."""
    url, seen = recorder
    bearer.faults.redirect_next("token", f"{url}/token", 302)
    with pytest.raises(Permanent, match="token service"):
        client_of(bearer).resolve()
    assert seen == []


# --- Redirects and Locations -------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("lab_name", ["basic", "bearer"])
def test_no_credentials_on_a_redirect(
    request: pytest.FixtureRequest,
    recorder: tuple[str, list[dict[str, str]]],
    tmp_path: Path,
    lab_name: str,
    status: int,
) -> None:
    """GHSA-vh4v-2xq2-g5cg: another port is another server. The blob still comes, verified."""
    lab: LabRegistry = request.getfixturevalue(lab_name)
    url, seen = recorder
    client = client_of(lab)
    layer = client.manifest(client.resolve().digest).layers[0]
    lab.faults.redirect_next("blob", f"{url}/blob?signature=x", status)
    client.fetch(layer, tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"zone"
    assert len(seen) == 1
    assert not {"authorization", "cookie", "proxy-authorization"} & set(seen[0])


def test_redirect_within_the_registry_keeps_the_login(basic: LabRegistry, tmp_path: Path) -> None:
    client = client_of(basic)
    layer = client.manifest(client.resolve().digest).layers[0]
    basic.faults.redirect_next("blob", f"/v2/{REPOSITORY}/blobs/{layer.digest}")
    client.fetch(layer, tmp_path / "blob")
    assert "authorization" in basic.requests[-1].headers


def test_redirect_away_and_back_has_no_login(basic: LabRegistry, tmp_path: Path) -> None:
    """Who sends us back to the registry is a stranger: the login is not for its errands."""
    with LabRegistry() as stranger:
        client = client_of(basic)
        layer = client.manifest(client.resolve().digest).layers[0]
        back = f"{basic.url}/v2/{REPOSITORY}/blobs/{layer.digest}"
        basic.faults.redirect_next("blob", f"{stranger.url}/x")
        stranger.faults.redirect_next("unknown", back)
        with pytest.raises(Permanent):
            client.fetch(layer, tmp_path / "blob")
        assert "authorization" not in stranger.requests[-1].headers
        assert "authorization" not in basic.requests[-1].headers


def test_redirect_loop(basic: LabRegistry, tmp_path: Path) -> None:
    """Five redirects at most."""
    client = client_of(basic)
    layer = client.manifest(client.resolve().digest).layers[0]
    basic.clear_requests()
    basic.faults.redirect_next("blob", f"/v2/{REPOSITORY}/blobs/{layer.digest}", times=1e9)
    with pytest.raises(Permanent, match="redirects"):
        client.fetch(layer, tmp_path / "blob")
    assert len(basic.requests) == 6


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://[::1",
        "http://u:p@127.0.0.1/x",
        "http://169.254.169.254/latest/",
        "http://0.0.0.0/",
    ],
)
def test_redirect_to_nowhere_good(basic: LabRegistry, tmp_path: Path, target: str) -> None:
    client = client_of(basic)
    layer = client.manifest(client.resolve().digest).layers[0]
    basic.faults.redirect_next("blob", target)
    with pytest.raises(Permanent) as caught:
        client.fetch(layer, tmp_path / "blob")
    assert caught.value.reason is FetchReason.PROTOCOL


def test_redirect_from_https_to_http(
    tls_bearer: LabRegistry,
    certificate_authority: CertificateAuthority,
    recorder: tuple[str, list[dict[str, str]]],
    tmp_path: Path,
) -> None:
    url, seen = recorder
    client = client_of(tls_bearer, ca_file=certificate_authority.ca_file)
    layer = client.manifest(client.resolve().digest).layers[0]
    tls_bearer.faults.redirect_next("blob", url)
    with pytest.raises(Permanent, match="not followed"):
        client.fetch(layer, tmp_path / "blob")
    assert seen == []


@pytest.mark.parametrize("kind", ["manifest", "tags"])
def test_only_blobs_are_redirected(
    basic: LabRegistry, recorder: tuple[str, list[dict[str, str]]], kind: str
) -> None:
    url, seen = recorder
    client = client_of(basic)
    digest = client.resolve().digest
    basic.faults.redirect_next(kind, url)
    with pytest.raises(Permanent):
        client.manifest(digest) if kind == "manifest" else client.tags()
    assert seen == []


@pytest.mark.parametrize("location", ["http://[::1", "http://alice@127.0.0.1/x", "file:///x"])
def test_upload_location_that_is_none(basic: LabRegistry, location: str) -> None:
    basic.faults.add(Fault("upload", "POST", headers={"Location": location}))
    with pytest.raises(Permanent) as caught:
        push(client_of(basic), [("db", b"new zone", "text/dns")])
    assert caught.value.reason is FetchReason.PROTOCOL


def test_upload_location_elsewhere(
    basic: LabRegistry, recorder: tuple[str, list[dict[str, str]]]
) -> None:
    """GHSA-jxpm-75mh-9fp7: an upload's Location must be the registry's own."""
    url, seen = recorder
    basic.faults.add(Fault("upload", "POST", headers={"Location": f"{url}/upload"}))
    with pytest.raises(Permanent, match="another host"):
        push(client_of(basic), [("db", b"new zone", "text/dns")])
    assert seen == []


# --- TLS -------------------------------------------------------------------------------------


def test_unknown_ca_is_refused_with_a_hint(tls_bearer: LabRegistry, tmp_path: Path) -> None:
    """No verification, no request; the message says what to configure."""
    client = Client(Reference(tls_bearer.host, REPOSITORY, "v1", None))
    with pytest.raises(Permanent, match="ca_file") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.NETWORK
    assert tls_bearer.requests == []


def test_wrong_host_in_certificate(certificate_authority: CertificateAuthority) -> None:
    context = certificate_authority.server_context("other.example")
    with LabRegistry(ssl_context=context) as lab, pytest.raises(Permanent, match="TLS"):
        client_of(lab, ca_file=certificate_authority.ca_file).resolve()


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_bad_ca_file_is_an_error_of_the_request(
    tls_bearer: LabRegistry, tmp_path: Path, content: bytes | None
) -> None:
    """Not of making the client: a bad file of one block must not stop the server's start."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    client = client_of(tls_bearer, ca_file=file)
    with pytest.raises(Permanent, match=r"ca\.pem") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.CONFIG


def test_replaced_ca_file_is_read_again(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    client = client_of(tls_bearer, ca_file=file)
    with pytest.raises(Permanent):
        client.resolve()
    file.write_bytes(certificate_authority.ca_file.read_bytes())
    client.resolve()


def test_withdrawn_ca_is_trusted_no_longer(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority, tmp_path: Path
) -> None:
    """Nor are the connections kept that it vouched for."""
    file = tmp_path / "ca.pem"
    file.write_bytes(certificate_authority.ca_file.read_bytes())
    client = client_of(tls_bearer, ca_file=file)
    client.resolve()
    other = tmp_path / "other"
    other.mkdir()
    CertificateAuthority(other).ca_file.replace(file)
    with pytest.raises(Permanent, match="TLS"):
        client.resolve()


def test_silent_tls_server(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """A plain-HTTP client's view of TLS is an error, not a hang."""
    client = Client(Reference(tls_bearer.host, REPOSITORY, "v1", None), insecure=True)
    client.start_attempt(2)
    with pytest.raises(Transient):
        client.resolve()


def test_tls_hang_and_abort(
    tls_bearer: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """Deadlines and aborts reach through TLS."""
    client = client_of(tls_bearer, ca_file=certificate_authority.ca_file)
    tls_bearer.faults.hang()
    start = time.monotonic()
    client.start_attempt(0.5)
    with pytest.raises(Transient, match=r"0\.5 s"):
        client.resolve()
    client.start_attempt(10)
    timer = threading.Timer(0.2, client.abort)
    timer.start()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    timer.join()
    assert time.monotonic() - start < 2
