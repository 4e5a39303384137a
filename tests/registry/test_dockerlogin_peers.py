"""docker's config.json shared with a real client: skopeo reads what we write, and the reverse."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ocizone.registry.clients import command_client, ping
from ocizone.registry.credentials import Login
from ocizone.registry.dockerlogin import login_entry, logout_entry
from ocizone.registry.keychain import runner
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

pytestmark = pytest.mark.peers("docker-registry", "skopeo")

ALICE = Login("alice", "s3cret")


def skopeo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["skopeo", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def host(docker_registry: Callable[..., str]) -> str:
    """A registry that wants a password, with something in it."""
    host = docker_registry(login=True)
    client = command_client(
        reference(host), {}, pytest.fail, plain_http=True, username="alice",
        password=lambda: "s3cret",
    )  # fmt: skip
    push(client, [("db", b"zone", "text/dns")])
    return host


def reference(host: str) -> Reference:
    return Reference(host, "zones/example.org", "v1", None)


def test_skopeo_reads_what_we_write(host: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    inspect = (
        "inspect",
        "--raw",
        "--tls-verify=false",
        f"--authfile={file}",
        f"docker://{host}/zones/example.org:v1",
    )
    ping(host, lambda: ALICE, seconds=10, plain_http=True)
    login_entry(file, host, ALICE, runner({}))
    done = skopeo(*inspect)
    assert done.returncode == 0, done.stderr
    assert logout_entry(file, host, runner({}))
    assert skopeo(*inspect).returncode != 0


def test_we_read_what_skopeo_writes(host: str, tmp_path: Path) -> None:
    """Also beside what we had written there before."""
    file = tmp_path / "config.json"
    login_entry(file, "other.example", Login("bob", "canary"), runner({}))
    done = skopeo(
        "login", "--tls-verify=false", f"--authfile={file}", "-u", "alice", "-p", "s3cret", host
    )
    assert done.returncode == 0, done.stderr
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    client = command_client(reference(host), environ, pytest.fail, plain_http=True)
    client.start_attempt(10)
    assert client.resolve().digest
    assert logout_entry(file, "other.example", runner({}))
    assert client.resolve().digest
