"""Whatever fails, no password, token or proxy credential is in a message, log or repr.

Each row makes one thing fail; then everything a person could come to see is searched.
"""

from __future__ import annotations

import base64
import gc
import json
import logging
import os
import socket
import stat
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ocizone.corefile.types import Position
from ocizone.errors import RegistryError
from ocizone.lab import Access, LabRegistry
from ocizone.lab.faults import Fault
from ocizone.lab.proxy import LabProxy
from ocizone.plugins.artifact import Artifact, Credentials, Mirror
from ocizone.registry.client import Client
from ocizone.registry.clients import ClientFactory
from ocizone.registry.credentials import Login
from ocizone.registry.dockerlogin import login_entry
from ocizone.registry.keychain import runner
from ocizone.registry.manifest import Descriptor
from ocizone.registry.politeness import Politeness
from ocizone.registry.push import push as push_files
from ocizone.registry.reference import Reference
from ocizone.registry.sharing import RecentManifests, Resolutions, Sharing

REPOSITORY = "zones/example.org"
PASSWORD = "canary-password"
PROXY_PASSWORD = "canary-proxy"
IDENTITY = "canary-identity"
HELPED = "canary-helped"
TOKEN = "canary-registry-token"
USERS = {"alice": PASSWORD}


def encodings(secret: str) -> set[str]:
    """Return a secret and what it looks like in headers and files."""
    pairs = (f"{user}:{secret}" for user in ("alice", "proxyuser", "bob"))
    return {secret, *(base64.b64encode(pair.encode()).decode() for pair in pairs)}


SECRETS = set[str]().union(
    *(encodings(one) for one in (PASSWORD, PROXY_PASSWORD, IDENTITY, HELPED, TOKEN))
)


@dataclass
class World:
    """A registry behind a proxy, a docker config, a helper; and a block that uses them."""

    lab: LabRegistry
    proxy: LabProxy
    directory: Path
    warnings: list[str]

    def artifact(self, **changes: Any) -> Artifact:
        plain = Artifact(
            reference=Reference(self.lab.host, REPOSITORY, "v1", None),
            path="/nowhere",
            interval_s=60.0,
            insecure=True,
            credentials=Credentials("alice", PASSWORD),
            ca_file=None,
            position=Position("Corefile", 1),
            proxy=f"http://proxyuser:{PROXY_PASSWORD}@{self.proxy.host}",
        )
        return replace(plain, **changes)

    def config(self, document: object) -> Artifact:
        file = self.directory / "config.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return self.artifact(credentials=None, docker_config=str(file))

    def entry(self, entry: object) -> Artifact:
        return self.config({"auths": {self.lab.host: entry}})

    def helper(self, script: str) -> Artifact:
        file = self.directory / "docker-credential-x"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return self.config({"credHelpers": {self.lab.host: "x"}})


def alice(password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"alice:{password}".encode()).decode()}


def echo(world: World, kind: str, status: int, **headers: str | None) -> Artifact:
    """A registry that sends back all it knows of us, in bodies and headers."""
    said = " ".join(sorted(SECRETS))
    body = json.dumps({"errors": [{"code": f"X{PASSWORD}", "message": said}], "token": said})
    world.lab.faults.add(Fault(kind, left=9, status=status, body=body.encode(), headers=headers))
    return world.artifact()


def realm(world: World, text: str) -> Artifact:
    world.lab.realm = text
    return world.artifact()


def stop(world: World) -> Artifact:
    world.lab.stop()
    return world.artifact()


def wrong(world: World) -> Artifact:
    world.lab.gate.users["alice"] = "other"
    return world.artifact()


def drop(world: World, kind: str) -> Artifact:
    world.lab.faults.drop_next(kind, times=9)
    return world.artifact()


def mirrored(world: World) -> Artifact:
    world.lab.faults.fail_next("manifest", 503, times=9)
    return world.artifact(mirrors=(Mirror(world.lab.host, "cache", insecure=True),))


def connect(world: World, answer: bytes) -> Artifact:
    world.proxy.connect = answer
    return world.artifact(insecure=False)


FAILURES: dict[str, Callable[[World], Artifact]] = {
    "wrong password": wrong,
    "dead registry": stop,
    "dropped": lambda world: drop(world, "manifest"),
    "dropped token": lambda world: drop(world, "token"),
    "echo 400": lambda world: echo(world, "manifest", 400),
    "echo 403": lambda world: echo(world, "manifest", 403),
    "echo 429": lambda world: echo(world, "manifest", 429, **{"Retry-After": "60"}),
    "echo 500": lambda world: echo(world, "any", 500),
    "echo token 401": lambda world: echo(world, "token", 401),
    "echo token 200": lambda world: echo(world, "token", 200),
    "echo token 302": lambda world: echo(world, "token", 302, Location="http://canary.example/"),
    "not json token": lambda world: echo(world, "token", 200, **{"Content-Type": "x"}),
    "realm elsewhere": lambda world: realm(world, "http://evil.example/token"),
    "realm that is none": lambda world: realm(world, "http://[::1"),
    "no challenge": lambda world: echo(world, "manifest", 401, **{"WWW-Authenticate": None}),
    "mirror too": mirrored,
    "proxy refuses": lambda world: connect(world, b"HTTP/1.1 407 No\r\n\r\n"),
    "proxy echoes": lambda world: connect(world, f"HTTP/1.1 403 {PROXY_PASSWORD}\r\n\r\n".encode()),
    "proxy nonsense": lambda world: connect(world, PROXY_PASSWORD.encode() + b"\r\n\r\n"),
    "proxy closes": lambda world: connect(world, b""),
    "wrong proxy password": lambda world: world.artifact(
        proxy=f"http://proxyuser:{IDENTITY}@{world.proxy.host}"
    ),
    "dead proxy": lambda world: world.artifact(
        proxy=f"http://proxyuser:{PROXY_PASSWORD}@127.0.0.1:1"
    ),
    "odd proxy": lambda world: world.artifact(proxy=f"ftp://u:{PROXY_PASSWORD}@h:{PASSWORD}"),
    "proxy scheme": lambda world: world.artifact(proxy=f"https://u:{PROXY_PASSWORD}@h:1"),
    "identity refused": lambda world: world.entry({"identitytoken": f"{IDENTITY}-x"}),
    "registry token refused": lambda world: world.entry({"registrytoken": TOKEN}),
    "registry token splits": lambda world: world.entry({"registrytoken": f"{TOKEN}\n"}),
    "bad auth": lambda world: world.entry({"auth": f"{PASSWORD}!"}),
    "auth of other bytes": lambda world: world.entry(
        {"auth": base64.b64encode(PASSWORD.encode() + b"\xff").decode()}
    ),
    "auth without colon": lambda world: world.entry(
        {"auth": base64.b64encode(PASSWORD.encode()).decode()}
    ),
    "config is no json": lambda world: world.config(f'{{"auths": {PASSWORD}}}'),
    "config says twice": lambda world: world.config(f'{{"{PASSWORD[:0]}a": 1, "a": "{PASSWORD}"}}'),
    "config is wrong": lambda world: world.entry(alice(HELPED)),
    "helper fails": lambda world: world.helper(f"echo {HELPED}; echo {HELPED} >&2; exit 1"),
    "helper says nonsense": lambda world: world.helper(f"echo {HELPED}"),
    "helper is refused": lambda world: world.helper(
        f'echo \'{{"Username": "bob", "Secret": "{HELPED}"}}\''
    ),
    "helper token is refused": lambda world: world.helper(
        f'echo \'{{"Username": "<token>", "Secret": "{HELPED}"}}\''
    ),
    "password file is no text": lambda world: password_file(world, PASSWORD.encode() + b"\xff"),
    "password file is absent": lambda world: password_file(world, None),
}


def password_file(world: World, content: bytes | None) -> Artifact:
    file = world.directory / "password"
    if content is not None:
        file.write_bytes(content)
    return world.artifact(credentials=Credentials("alice", password_file=str(file)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with (
        LabRegistry(access=Access.BEARER, users=USERS) as lab,
        LabProxy(f"proxyuser:{PROXY_PASSWORD}") as proxy,
    ):
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield World(lab, proxy, tmp_path, [])


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Every record of every logger, at every level."""
    records: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(f"{record.getMessage()} {record.args!r}")

    handler, root = Keep(), logging.getLogger()
    names = list(logging.root.manager.loggerDict)
    before = {name: logging.getLogger(name).level for name in names}
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    for name in names:
        logging.getLogger(name).setLevel(1)
    yield records
    for name, old in before.items():
        logging.getLogger(name).setLevel(old)
    root.setLevel(level)
    root.removeHandler(handler)


def seen_of(error: BaseException) -> str:
    """Return all that a traceback without locals shows, and the errors it came from."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)


def is_ours(kind: type) -> bool:
    """Tell whether a type is of the product; the lab knows the secrets and may show them."""
    module = str(kind.__module__)
    return module.startswith("ocizone.") and not module.startswith("ocizone.lab.")


@pytest.mark.parametrize("name", FAILURES)
def test_no_secret_is_seen(world: World, logged: list[str], name: str) -> None:
    artifact = FAILURES[name](world)
    sharing = Sharing(Politeness(), RecentManifests(), Resolutions())
    factory = ClientFactory(
        sharing, {"PATH": f"{world.directory}:{os.environ['PATH']}"}, world.warnings.append
    )
    client = factory.client(artifact)
    client.start_attempt(10)
    with pytest.raises(RegistryError) as caught:
        client.manifest(client.resolve(5).digest)
    shown = [seen_of(caught.value), repr(artifact), repr(client), repr(factory), repr(sharing)]
    shown += [repr(one) for one in gc.get_objects() if is_ours(type(one))]
    shown += logged + world.warnings
    everything = "\n".join(shown)
    if name != "wrong proxy password":
        assert IDENTITY not in everything
    for secret in SECRETS | set(world.lab.gate._tokens):
        assert secret not in everything


def test_success_shows_none_either(world: World, logged: list[str]) -> None:
    """And the failures above do not pass for want of secrets: here they are all used."""
    factory = ClientFactory(Sharing(), {}, world.warnings.append)
    client = factory.client(world.artifact())
    client.start_attempt(10)
    client.resolve()
    assert world.proxy.seen == [world.proxy.wanted] * 3
    assert any("authorization" in request.headers for request in world.lab.requests)
    # What is searched is what is logged.
    logging.getLogger("requests").debug("heard")
    assert len(logged) > 0
    everything = "\n".join(logged)
    for secret in SECRETS | set(world.lab.gate._tokens):
        assert secret not in everything


def test_login_shows_none(world: World) -> None:
    """``ocizone login`` that cannot write its file."""
    file = world.directory / "not-a-directory"
    file.write_text("")
    run = runner({})
    with pytest.raises(RegistryError) as caught:
        login_entry(file / "config.json", "ghcr.io", Login("alice", PASSWORD), run)
    for secret in SECRETS:
        assert secret not in seen_of(caught.value)


# --- What a registry sends back ----------------------------------------------------------------

SAID = f"alice:{PASSWORD}"
NOT_FOLLOWED = f"ftp://{PASSWORD}/{PASSWORD}"
Do = Callable[[Client], object]
BLOB = Descriptor("x", f"sha256:{'0' * 64}", 4, {})


def resolve(client: Client) -> object:
    return client.manifest(client.resolve().digest)


def by_tag(client: Client) -> object:
    return client.tagged("v1")


def blob(client: Client) -> object:
    client.resolve()
    return client.small(BLOB, 100)


def tags(client: Client) -> object:
    return client.tags()


def push(client: Client) -> object:
    return push_files(client, [("db", b"new", "x")])


#: By what is echoed: the kind of request, status and headers of the answer, what is done.
ECHOES: dict[str, tuple[Fault, Do]] = {
    f"{name}, {header[:30]!r} {status} of {kind} {method}": (
        Fault(kind, method, 9, status=status, headers={name: header}, body=b"{}"),
        do,
    )
    for name, header, kind, method, status, do in [
        ("Docker-Content-Digest", SAID, "manifest", "HEAD", 200, resolve),
        ("Docker-Content-Digest", SAID, "manifest", "GET", 200, by_tag),
        ("Docker-Content-Digest", f"sha256:{PASSWORD}", "manifest", "PUT", 201, push),
        ("Location", NOT_FOLLOWED, "blob", "GET", 307, blob),
        ("Location", f"http://{SAID}@127.0.0.1/", "blob", "GET", 307, blob),
        ("Location", f"http://[::{PASSWORD}/", "blob", "GET", 307, blob),
        ("Location", f"http://{PASSWORD}/", "blob", "GET", 307, blob),
        ("Location", f"http://{PASSWORD.upper()}/", "blob", "GET", 307, blob),
        ("Location", f"http://127.0.0.1:{PASSWORD}/", "blob", "GET", 307, blob),
        ("Location", f"http://{PASSWORD}/{PASSWORD}", "manifest", "HEAD", 302, resolve),
        ("Location", f"http://{PASSWORD}/{PASSWORD}", "upload", "POST", 202, push),
        ("Location", f"http://[{PASSWORD}/", "upload", "POST", 202, push),
        ("Link", f'<http://{PASSWORD}/{PASSWORD}>; rel="next"', "tags", "GET", 200, tags),
        ("Link", f'<http://[{PASSWORD}>; rel="next"', "tags", "GET", 200, tags),
        ("WWW-Authenticate", f'Bearer realm="http://{PASSWORD}/"', "manifest", None, 401, resolve),
        ("WWW-Authenticate", f'Bearer realm="{SAID}"', "manifest", None, 401, resolve),
        ("WWW-Authenticate", f'Bearer realm="//[{SAID}"', "manifest", None, 401, resolve),
        ("WWW-Authenticate", f'{PASSWORD} realm="{SAID}"', "manifest", None, 401, resolve),
        ("WWW-Authenticate", f'Basic realm="{SAID}"', "manifest", None, 403, resolve),
        ("Content-Type", f"application/{PASSWORD}", "manifest", "GET", 200, by_tag),
        ("Retry-After", SAID, "manifest", None, 429, resolve),
        ("Content-Length", PASSWORD, "manifest", "HEAD", 400, resolve),
        ("Transfer-Encoding", PASSWORD, "manifest", None, 400, resolve),
        ("Warning", f'299 - "{SAID}"', "manifest", None, 400, resolve),
    ]
}


def client_that_is_known(world: World, **changes: Any) -> Client:
    """Return a client whose registry has seen its credentials, as one that follows a tag is."""
    sharing = Sharing(on_warning=lambda host, text: world.warnings.append(f"{host} {text}"))
    client = ClientFactory(sharing, {}, world.warnings.append).client(
        world.artifact(proxy="", **changes)
    )
    assert isinstance(client, Client)
    client.start_attempt(10)
    client.tags()
    return client


@pytest.mark.parametrize("name", ECHOES)
def test_no_header_is_quoted_with_a_secret(world: World, logged: list[str], name: str) -> None:
    """The attack: a registry says our password back, and it is in the log for whoever reads that."""
    fault, do = ECHOES[name]
    client = client_that_is_known(world)
    world.lab.faults.add(replace(fault))
    with pytest.raises(RegistryError) as caught:
        do(client)
    everything = "\n".join([seen_of(caught.value), *logged, *world.warnings]).lower()
    for secret in SECRETS | set(world.lab.gate._tokens):
        assert secret.lower() not in everything
    if name.startswith("Warning"):
        assert "alice" not in everything
        assert world.warnings


@pytest.mark.parametrize(
    "answer",
    [
        SAID,
        f"HTTP/1.1 {PASSWORD} {PASSWORD}\r\n\r\n",
        f"HTTP/{PASSWORD} 200 OK\r\n\r\n",
        f"HTTP/1.1 500 {PASSWORD}\r\n\r\n",
        f"HTTP/1.1 500 No\r\n {PASSWORD}\r\n{SAID} \r\n\r\n",
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{PASSWORD}\r\n",
        f"HTTP/1.1 200 OK\r\nX: {PASSWORD * 5_000}\r\n\r\n",
    ],
)
def test_no_broken_answer_is_quoted(
    world: World, logged: list[str], capfd: pytest.CaptureFixture[str], answer: str
) -> None:
    """Libraries quote the status line, the size of a chunk, and headers that are none."""
    client = client_that_is_known(world)
    here, port = world.lab.host.split(":")
    world.lab.stop()
    with socket.create_server((here, int(port))) as listening:

        def serve() -> None:
            # A kept connection, which is closed by now, is no use: one is made.
            with listening.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(answer.encode())

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(RegistryError) as caught:
            client.tags()
        serving.join()
    everything = "\n".join([seen_of(caught.value), *logged, *capfd.readouterr()])
    for secret in SECRETS:
        assert secret not in everything


def test_no_error_code_is_a_secret(world: World) -> None:
    """A code is quoted when it is spelt as one; a password may be."""
    password = "CANARY_CODE"
    world.lab.gate.users["alice"] = password
    client = client_that_is_known(world, credentials=Credentials("alice", password))
    body = json.dumps({"errors": [{"code": password}, {"code": "DENIED"}]}).encode()
    world.lab.faults.fail_next("tags", 400, body=body)
    with pytest.raises(RegistryError) as caught:
        client.tags()
    assert password not in seen_of(caught.value)
    assert "DENIED" in str(caught.value)


def test_keys_of_a_docker_config_are_not_quoted(world: World) -> None:
    """Some write the login into them: the host is told, and nothing else."""
    key = f"https://{SAID}@ghcr.example/v2/"
    block = world.config({"auths": {key: 7}, "credHelpers": {key: 7}})
    factory = ClientFactory(Sharing(), {}, world.warnings.append)
    client = factory.client(replace(block, proxy=""))
    client.start_attempt(10)
    world.lab.gate.access = Access.BASIC
    with pytest.raises(RegistryError):
        client.resolve()
    assert len(world.warnings) == 2
    assert all("ghcr.example" in text for text in world.warnings)
    assert PASSWORD not in "".join(world.warnings)
