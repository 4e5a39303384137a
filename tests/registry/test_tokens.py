"""Tokens: identity tokens are traded for others, and one that ends mid-run costs a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.registry.client import Client
from ocizone.registry.credentials import Login
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"
IDENTITY = "canary-identity"
USERS = {"alice": "canary-pw"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lab(clock: Clock) -> Iterator[LabRegistry]:
    with LabRegistry(access=Access.BEARER, users=USERS, token_s=60, now=clock) as registry:
        registry.gate.identities.add(IDENTITY)
        registry.push_files(REPOSITORY, "v1", {"a": b"zone a", "b": b"zone b"})
        yield registry


def client_of(lab: LabRegistry, login: Login | None, now: Callable[[], float]) -> Client:
    client = Client(
        Reference(lab.host, REPOSITORY, "v1", None), insecure=True, login=lambda: login, now=now
    )
    client.start_attempt(20)
    return client


def tokens(lab: LabRegistry) -> int:
    return lab.count(kind="token")


# --- Identity tokens -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "login",
    [Login(identity_token=IDENTITY), Login("alice", "", IDENTITY), Login("x", "y", IDENTITY)],
)
def test_an_identity_token_is_traded(lab: LabRegistry, clock: Clock, login: Login) -> None:
    """Distribution spec "OAuth2 Token Authentication": by POST, and nowhere else."""
    client_of(lab, login, clock).resolve()
    asked = [request for request in lab.requests if request.kind == "token"]
    assert [request.method for request in asked] == ["POST"]
    assert asked[0].path == "/token"
    assert "authorization" not in asked[0].headers
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert all(IDENTITY not in str(request) for request in lab.requests)


def test_a_refused_identity_token(lab: LabRegistry, clock: Clock) -> None:
    """One try; the message says what was refused and not the token."""
    login = Login("alice", identity_token="canary-wrong")
    with pytest.raises(Permanent, match="the token of user alice refused") as caught:
        client_of(lab, login, clock).resolve()
    assert caught.value.reason is FetchReason.AUTH
    assert "canary" not in str(caught.value)
    assert len(lab.requests) == 2


def test_an_identity_token_is_no_password() -> None:
    """A registry that asks for Basic gets nothing of it."""
    with LabRegistry(access=Access.BASIC, users=USERS) as lab:
        login = Login("alice", identity_token=IDENTITY)
        with pytest.raises(Permanent, match="the token of user alice"):
            client_of(lab, login, lambda: 0.0).resolve()
        assert all("authorization" not in request.headers for request in lab.requests)


def test_a_failing_token_service(lab: LabRegistry, clock: Clock) -> None:
    lab.faults.fail_next("token", 503, retry_after=9)
    with pytest.raises(Transient) as caught:
        client_of(lab, Login(identity_token=IDENTITY), clock).resolve()
    assert caught.value.retry_after_s == 9


@pytest.mark.parametrize("realm", ["http://169.254.169.254/token", "http://evil.example/token"])
def test_realm_rules_hold(lab: LabRegistry, clock: Clock, realm: str) -> None:
    """An identity token is worth more than a password."""
    lab.realm = realm
    with pytest.raises(Permanent, match="credentials were not sent"):
        client_of(lab, Login(identity_token=IDENTITY), clock).resolve()


# --- Registry tokens -------------------------------------------------------------------------


def test_a_registry_token_is_sent_as_it_is(lab: LabRegistry, clock: Clock) -> None:
    token = lab.gate.renew(IDENTITY, f"repository:{REPOSITORY}:pull")
    assert token is not None
    client = client_of(lab, Login(registry_token=token), clock)
    client.resolve()
    client.resolve()
    assert tokens(lab) == 0
    assert len(lab.requests) == 3


def test_a_refused_registry_token(lab: LabRegistry, clock: Clock) -> None:
    """Sent once, not a second time."""
    client = client_of(lab, Login(registry_token="canary-rt"), clock)
    for requests in (2, 3):
        with pytest.raises(Permanent, match="the token refused"):
            client.resolve()
        assert len(lab.requests) == requests


# --- Renewal ---------------------------------------------------------------------------------

LOGINS = [Login("alice", "canary-pw"), Login(identity_token=IDENTITY)]


@pytest.mark.parametrize("login", LOGINS)
def test_a_token_that_runs_out_is_renewed(lab: LabRegistry, clock: Clock, login: Login) -> None:
    """Known by its expires_in: the old one is not sent any more."""
    client = client_of(lab, login, clock)
    manifest = client.manifest(client.resolve().digest)
    clock.now += 61
    assert client.small(manifest.layers[0], 10) == b"zone a"
    assert tokens(lab) == 2
    clock.now += 61
    lab.clear_requests()
    assert client.small(manifest.layers[1], 10) == b"zone b"
    assert [request.kind for request in lab.requests] == ["blob", "token", "blob"]
    assert "authorization" not in lab.requests[0].headers


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("what", ["manifest", "blob", "tags", "referrers", "file"])
def test_a_token_revoked_mid_run(
    lab: LabRegistry, clock: Clock, login: Login, what: str, tmp_path: Path
) -> None:
    """Falcoctl's 5507e3b6: refused between two requests of one attempt, it is asked for anew."""
    client = client_of(lab, login, clock)
    manifest = client.manifest(client.resolve().digest)
    lab.gate.revoke()
    if what == "manifest":
        client.manifest(manifest.digest)
    elif what == "blob":
        client.small(manifest.layers[0], 10)
    elif what == "tags":
        client.tags()
    elif what == "referrers":
        client.referrers(manifest.digest)
    else:
        client.fetch(manifest.layers[0], tmp_path / "blob")
    assert tokens(lab) == 2


def test_a_login_that_changes_mid_run(lab: LabRegistry, clock: Clock) -> None:
    """A rotated docker config counts from the next token on."""
    logins = [Login("alice", "canary-old"), Login("alice", "canary-pw")]
    client = Client(
        Reference(lab.host, REPOSITORY, "v1", None),
        insecure=True,
        login=lambda: logins[0],
        now=clock,
    )
    client.start_attempt(20)
    with pytest.raises(Permanent):
        client.resolve()
    logins.pop(0)
    client.resolve()


def test_a_login_that_vanishes(lab: LabRegistry, clock: Clock) -> None:
    """An entry taken out of the docker config is nobody."""
    logins: list[Login | None] = [Login("alice", "canary-pw")]
    client = Client(
        Reference(lab.host, REPOSITORY, "v1", None),
        insecure=True,
        login=lambda: logins[0],
        now=clock,
    )
    client.start_attempt(20)
    client.resolve()
    logins[0] = None
    lab.gate.revoke()
    with pytest.raises(Permanent, match="no username is configured"):
        client.resolve()


def test_tls_and_identity(certificate_authority: CertificateAuthority) -> None:
    """The same through TLS, with a realm of another name."""
    context = certificate_authority.server_context("127.0.0.1", "localhost")
    with LabRegistry(access=Access.BEARER, users=USERS, ssl_context=context) as lab:
        lab.gate.identities.add(IDENTITY)
        lab.push_files(REPOSITORY, "v1", {"a": b"zone a"})
        lab.realm = f"https://localhost:{lab.port}/token"
        client = Client(
            Reference(lab.host, REPOSITORY, "v1", None),
            ca_file=str(certificate_authority.ca_file),
            login=lambda: Login(identity_token=IDENTITY),
        )
        client.start_attempt(20)
        client.resolve()
        form = parse_qs("&".join(request.path for request in lab.requests))
        assert "refresh_token" not in form
