"""Clients as blocks and commands get them: whose credentials go where, and what is shared."""

from __future__ import annotations

import base64
import dataclasses
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocizone.corefile.types import Position
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.plugins.artifact import Artifact, Credentials, Mirror
from ocizone.registry.client import Client
from ocizone.registry.clients import (
    ClientFactory,
    command_client,
    docker_config_path,
    ping,
    shared_by_all,
)
from ocizone.registry.credentials import Login, anonymous
from ocizone.registry.mirrors import MirroredClient
from ocizone.registry.reference import Reference
from ocizone.registry.sharing import RecentManifests, Sharing

REPOSITORY = "zones/example.org"
USERS = {"alice": "canary-block", "bob": "canary-config"}


def artifact(lab: LabRegistry, **changes: Any) -> Artifact:
    plain = Artifact(
        reference=Reference(lab.host, REPOSITORY, "v1", None),
        path="/nowhere",
        interval_s=60.0,
        insecure=lab.ssl_context is None,
        credentials=None,
        ca_file=None,
        position=Position("Corefile", 1),
    )
    return dataclasses.replace(plain, **changes)


def factory(sharing: Sharing | None = None) -> ClientFactory:
    return ClientFactory(sharing or Sharing(), {}, pytest.fail)


def config(directory: Path, **users: str) -> str:
    """Write a docker config: user names by host, with ``_`` for ``:``."""
    file = directory / "config.json"
    auths = {
        host: {"auth": base64.b64encode(f"{user}:{USERS[user]}".encode()).decode()}
        for host, user in users.items()
    }
    file.write_text(json.dumps({"auths": auths}))
    return str(file)


def sent(lab: LabRegistry) -> set[str]:
    """Return the users whose password came to a registry."""
    values = {request.headers.get("authorization", "") for request in lab.requests}
    return {
        base64.b64decode(value.removeprefix("Basic ")).decode().partition(":")[0]
        for value in values
        if value
    }


@pytest.fixture
def basic() -> Iterator[LabRegistry]:
    with LabRegistry(access=Access.BASIC, users=USERS) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


@pytest.fixture
def mirror() -> Iterator[LabRegistry]:
    with LabRegistry(access=Access.BASIC, users=USERS) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


# --- Credentials of a block ------------------------------------------------------------------


def test_docker_config(basic: LabRegistry, tmp_path: Path) -> None:
    path = config(tmp_path, **{basic.host: "bob"})
    factory().client(artifact(basic, docker_config=path)).resolve()
    assert sent(basic) == {"bob"}


def test_block_credentials_win(basic: LabRegistry, tmp_path: Path) -> None:
    path = config(tmp_path, **{basic.host: "bob"})
    block = artifact(basic, docker_config=path, credentials=Credentials("alice", USERS["alice"]))
    factory().client(block).resolve()
    assert sent(basic) == {"alice"}


def test_password_file(basic: LabRegistry, tmp_path: Path) -> None:
    """Read at each use: what it says now counts; not readable, it is named."""
    file = tmp_path / "password"
    block = artifact(basic, credentials=Credentials("alice", password_file=str(file)))
    client = factory().client(block)
    with pytest.raises(Permanent, match=str(file)) as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.CONFIG
    file.write_bytes(b"\xff")
    with pytest.raises(Permanent, match="not UTF-8"):
        client.resolve()
    file.write_text(USERS["alice"] + "\n")
    client.resolve()
    basic.gate.users["alice"] = "canary-new"
    file.write_text("canary-new")
    client.resolve()


def test_anonymous(basic: LabRegistry, tmp_path: Path) -> None:
    """Neither: nothing is sent, and the message says what is missing."""
    for docker_config in (None, config(tmp_path, **{"other.example": "bob"})):
        with pytest.raises(Permanent, match="no username"):
            factory().client(artifact(basic, docker_config=docker_config)).resolve()
    assert sent(basic) == set()


def test_a_config_that_comes_later(basic: LabRegistry, tmp_path: Path) -> None:
    client = factory().client(artifact(basic, docker_config=str(tmp_path / "config.json")))
    with pytest.raises(Permanent, match="no such file"):
        client.resolve()
    config(tmp_path, **{basic.host: "bob"})
    client.resolve()


# --- Mirrors ---------------------------------------------------------------------------------


def test_block_credentials_stay_at_home(
    basic: LabRegistry, mirror: LabRegistry, tmp_path: Path
) -> None:
    """A mirror's host has its own entry in the docker config, or none."""
    digest = basic.push_files(REPOSITORY, "v1", {"db": b"zone"})
    block = artifact(
        basic,
        credentials=Credentials("alice", USERS["alice"]),
        mirrors=(Mirror(mirror.host, insecure=True),),
    )
    factory().client(block).manifest(digest)
    assert (sent(basic), sent(mirror)) == ({"alice"}, set())
    path = config(tmp_path, **{mirror.host: "bob"})
    factory().client(dataclasses.replace(block, docker_config=path)).manifest(digest)
    assert (sent(basic), sent(mirror)) == ({"alice"}, {"bob"})


def test_a_mirror_with_another_name(basic: LabRegistry) -> None:
    with LabRegistry() as other:
        digest = other.push_files("cache/zones", "v1", {"db": b"zone"})
        block = artifact(basic, mirrors=(Mirror(other.host, "cache/zones", insecure=True),))
        client = factory().client(block)
        assert isinstance(client, MirroredClient)
        assert client.manifest(digest).digest == digest
        basic.stop()
        assert client.resolve().origin == f"{other.host}/cache/zones"


def test_rests_are_shared(basic: LabRegistry) -> None:
    with LabRegistry() as dead:
        made = factory()
        block = artifact(
            basic,
            credentials=Credentials("alice", USERS["alice"]),
            mirrors=(Mirror(dead.host, insecure=True),),
        )
        digest = made.client(block).resolve().digest
        dead.faults.fail_next("manifest", 500, times=9)
        for _ in range(3):
            made.client(block).manifest(digest)
        assert len(dead.requests) == 1


# --- Sharing ---------------------------------------------------------------------------------


def test_blocks_that_follow_one_tag(basic: LabRegistry) -> None:
    """N blocks, one HEAD and one manifest; other credentials ask for themselves."""
    lookups: list[bool] = []
    requests: list[object] = []
    far = RecentManifests()
    made = factory(shared_by_all(lambda *told: requests.append(told), lookups.append, far))
    blocks = [
        artifact(basic, path=f"/{number}", credentials=Credentials("alice", USERS["alice"]))
        for number in range(5)
    ]
    digests = {made.client(block).resolve(60).digest for block in blocks}
    for block in blocks:
        made.client(block).manifest(*digests)
    assert basic.count("HEAD") == 2  # the first was challenged
    assert basic.count("GET", "manifest") == 2
    assert lookups == [False, True, True, True, True]
    assert far.get(*digests)
    assert len(requests) == len(basic.requests)
    other = artifact(basic, credentials=Credentials("bob", USERS["bob"]))
    made.client(other).resolve(60)
    assert basic.count("HEAD") == 4
    with pytest.raises(Permanent):
        made.client(artifact(basic)).resolve(60)


# --- Client certificates ---------------------------------------------------------------------


@pytest.fixture
def mutual(certificate_authority: CertificateAuthority) -> Iterator[LabRegistry]:
    """A registry that lets nobody in without a certificate."""
    context = certificate_authority.server_context("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate_authority.ca_file)
    # TLS 1.3 tells a client without a certificate only at its first read.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with LabRegistry(ssl_context=context) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


def with_cert(
    lab: LabRegistry, authority: CertificateAuthority, pair: tuple[Path, Path] | None
) -> Artifact:
    names = None if pair is None else (str(pair[0]), str(pair[1]))
    return artifact(lab, ca_file=str(authority.ca_file), client_cert=names)


def test_client_certificate(
    mutual: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    pair = certificate_authority.issue("client.example")
    factory().client(with_cert(mutual, certificate_authority, pair)).resolve()
    with pytest.raises((Permanent, Transient)):
        factory().client(with_cert(mutual, certificate_authority, None)).resolve()
    assert len(mutual.requests) == 1


def test_a_replaced_certificate_is_read_again(
    mutual: LabRegistry, certificate_authority: CertificateAuthority, tmp_path: Path
) -> None:
    """Short-lived certificates are renewed under our feet."""
    other = CertificateAuthority(tmp_path)
    certificate, key = other.issue("client.example")
    block = with_cert(mutual, certificate_authority, (certificate, key))
    client = factory().client(block)
    with pytest.raises((Permanent, Transient)):
        client.resolve()
    fresh, fresh_key = certificate_authority.issue("client.example")
    key.write_bytes(fresh_key.read_bytes())
    certificate.write_bytes(fresh.read_bytes())
    client.resolve()


@pytest.mark.parametrize("what", ["absent", "mixed", "garbage", "encrypted"])
def test_bad_client_certificates(
    mutual: LabRegistry,
    certificate_authority: CertificateAuthority,
    tmp_path: Path,
    what: str,
) -> None:
    """Named in an error of the request; an encrypted key asks nobody at the terminal."""
    certificate, key = certificate_authority.issue("client.example")
    bad = tmp_path / "key.pem"
    if what == "mixed":
        bad = certificate_authority.issue("other.example")[1]
    elif what == "garbage":
        bad.write_text("garbage")
    elif what == "encrypted":
        bad.write_bytes(encrypted(key.read_bytes()))
    block = with_cert(mutual, certificate_authority, (certificate, bad))
    with pytest.raises(Permanent, match="client certificate") as caught:
        factory().client(block).resolve()
    assert caught.value.reason is FetchReason.CONFIG
    assert str(bad) in str(caught.value)


def encrypted(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - one test's need

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary-key"),
    )


def test_a_certificate_is_shown_to_the_registry_alone(
    mutual: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """A host that a redirect names learns nothing of us."""
    with LabRegistry(ssl_context=certificate_authority.server_context("127.0.0.1")) as home:
        digest = home.push_files(REPOSITORY, "v1", {"db": b"zone"})
        pair = certificate_authority.issue("client.example")
        client = factory().client(with_cert(home, certificate_authority, pair))
        layer = client.manifest(digest).layers[0]
        home.faults.redirect_next("blob", f"{mutual.url}/v2/{REPOSITORY}/blobs/{layer.digest}")
        with pytest.raises((Permanent, Transient)):
            client.small(layer, 10)
        assert mutual.requests == []


# --- Commands --------------------------------------------------------------------------------


def test_where_docker_keeps_its_config() -> None:
    assert docker_config_path({"DOCKER_CONFIG": "/d", "HOME": "/h"}) == Path("/d/config.json")
    assert docker_config_path({"HOME": "/h"}) == Path("/h/.docker/config.json")
    assert docker_config_path({"DOCKER_CONFIG": ""}) == Path("/.docker/config.json")


def test_commands_use_dockers_config(basic: LabRegistry, tmp_path: Path) -> None:
    """As oras and skopeo do; what the command line says wins."""
    config(tmp_path, **{basic.host: "bob"})
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    reference = Reference(basic.host, REPOSITORY, "v1", None)
    command_client(reference, environ, pytest.fail, plain_http=True).resolve()
    assert sent(basic) == {"bob"}
    command_client(
        reference,
        environ,
        pytest.fail,
        plain_http=True,
        username="alice",
        password=lambda: USERS["alice"],
    ).resolve()
    assert sent(basic) == {"alice", "bob"}


def test_commands_without_a_config(lab_registry: LabRegistry, tmp_path: Path) -> None:
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    reference = Reference(lab_registry.host, REPOSITORY, "v1", None)
    client = command_client(reference, {"HOME": str(tmp_path)}, pytest.fail, plain_http=True)
    assert isinstance(client, Client)
    assert client.resolve().digest


@pytest.mark.parametrize("access", [Access.BASIC, Access.BEARER])
def test_ping(access: Access) -> None:
    """A login is tried before it is kept."""
    with LabRegistry(access=access, users=USERS) as lab:
        ping(lab.host, lambda: Login("alice", USERS["alice"]), seconds=10, plain_http=True)
        for login in (lambda: Login("alice", "canary-wrong"), anonymous):
            with pytest.raises(Permanent) as caught:
                ping(lab.host, login, seconds=10, plain_http=True)
            assert caught.value.reason is FetchReason.AUTH
        assert {request.path.partition("?")[0] for request in lab.requests} <= {"/v2/", "/token"}


def test_ping_of_what_is_no_registry(lab_registry: LabRegistry) -> None:
    lab_registry.faults.fail_next("ping", 404)
    with pytest.raises(Permanent) as caught:
        ping(lab_registry.host, anonymous, seconds=10, plain_http=True)
    assert caught.value.reason is FetchReason.NOT_FOUND
