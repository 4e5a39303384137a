"""The real docker-registry: plain, with a login, with TLS of an own CA; and real clients."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ocizone.registry.client import Client
from ocizone.registry.credentials import user
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from tests.e2e.program import wait_until, zone

pytestmark = [pytest.mark.e2e, pytest.mark.peers("docker-registry")]

REPOSITORY = "dns/zones:prod"


def corefile(directory: Path, reference: str, *properties: str) -> str:
    lines = "\n".join(f"        {line}" for line in ("interval 5", *properties))
    return (
        f". {{\n    bind 127.0.0.1\n    root {directory}/served\n"
        f"    oci {reference} {{\n{lines}\n    }}\n    errors\n}}\n"
    )


def run(*command: str, cwd: Path, home: Path) -> str:
    """Run a peer with a home of its own; its output."""
    environment = {**os.environ, "HOME": str(home), "DOCKER_CONFIG": str(home)}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain(serve, docker_registry, tmp_path):
    """Plain HTTP, `insecure true`: pushed, served, changed, served."""
    reference = f"{docker_registry()}/{REPOSITORY}"
    client = Client(Reference.parse(reference), insecure=True)
    push(client, [("db.example.org", zone(1), "text/dns")])
    server = serve(corefile(tmp_path, reference, "insecure true"))
    server.wait_answer("version.example.org", "TXT", '"1"')
    push(client, [("db.example.org", zone(2), "text/dns")])
    server.refresh()
    server.wait_answer("version.example.org", "TXT", '"2"')


def test_login_by_password_file(serve, docker_registry, tmp_path):
    """htpasswd: the wrong password is said without being shown; the file mended, it is served."""
    reference = f"{docker_registry(login=True)}/{REPOSITORY}"
    client = Client(
        Reference.parse(reference), insecure=True, login=user("alice", lambda: "s3cret")
    )
    push(client, [("db.example.org", zone(1), "text/dns")])
    secret = tmp_path / "password"
    secret.write_text("wr0ng-canary\n")
    server = serve(
        corefile(tmp_path, reference, "insecure true", "username alice", f"password_file {secret}")
    )
    source = wait_until(
        lambda: (found := server.source())["error"] and found, "an error in the status"
    )
    assert source["error"]["reason"] == "Auth"
    assert "alice" in source["error"]["message"]
    secret.write_text("s3cret\n")
    server.refresh()
    server.wait_answer("version.example.org", "TXT", '"1"')
    assert "canary" not in server.log
    assert "s3cret" not in server.log


def test_login_from_the_environment(serve, docker_registry, tmp_path, monkeypatch):
    """`password {$NAME}`."""
    monkeypatch.setenv("ZONES_PASSWORD", "s3cret")
    reference = f"{docker_registry(login=True)}/{REPOSITORY}"
    client = Client(
        Reference.parse(reference), insecure=True, login=user("alice", lambda: "s3cret")
    )
    push(client, [("db.example.org", zone(3), "text/dns")])
    server = serve(
        corefile(
            tmp_path,
            reference,
            "insecure true",
            "username alice",
            "password {$ZONES_PASSWORD}",
        )
    )
    server.wait_answer("version.example.org", "TXT", '"3"')
    assert "s3cret" not in server.log + str(server.status())


def test_tls_with_an_own_ca(serve, docker_registry, certificate_authority, tmp_path):
    """`ca_file` is trusted; without it the certificate is refused, and that is said."""
    reference = f"{docker_registry(tls=True)}/{REPOSITORY}"
    ca_file = str(certificate_authority.ca_file)
    client = Client(Reference.parse(reference), ca_file=ca_file)
    push(client, [("db.example.org", zone(4), "text/dns")])
    distrusting = serve(corefile(tmp_path, reference), name="distrusting")
    source = wait_until(
        lambda: (found := distrusting.source())["error"] and found, "an error in the status"
    )
    assert "certificate" in source["error"]["message"].lower()
    server = serve(corefile(tmp_path, reference, f"ca_file {ca_file}"))
    server.wait_answer("version.example.org", "TXT", '"4"')


@pytest.mark.peers("oras")
@pytest.mark.parametrize(
    "arguments",
    [
        ["db.example.org"],
        ["db.example.org:text/dns"],
        ["db.example.org:text/dns", "db.example.net:text/dns"],
        ["sub/db.example.org"],
        ["zones/"],
        ["--image-spec", "v1.0", "--artifact-type", "application/x-zones", "db.example.org"],
        ["--annotation", "k=v", "db.example.org:application/octet-stream"],
    ],
    ids=" ".join,
)
def test_what_oras_pushes_is_served(serve, docker_registry, tmp_path, arguments):
    """Single files, several, folders, directories, any media type, OCI 1.0 and 1.1."""
    for place in (tmp_path, tmp_path / "sub", tmp_path / "zones"):
        place.mkdir(exist_ok=True)
        (place / "db.example.org").write_bytes(zone(5))
        (place / "db.example.net").write_bytes(zone(5).replace(b"example.org", b"example.net"))
    reference = f"{docker_registry()}/{REPOSITORY}"
    run("oras", "push", "--plain-http", reference, *arguments, cwd=tmp_path, home=tmp_path)
    server = serve(corefile(tmp_path, reference, "insecure true"))
    server.wait_answer("version.example.org", "TXT", '"5"')


@pytest.mark.peers("skopeo")
def test_what_skopeo_copies_is_served(serve, docker_registry, tmp_path):
    """A second client moves an artifact between repositories; bytes and digest stay."""
    host = docker_registry()
    client = Client(Reference.parse(f"{host}/dns/first:prod"), insecure=True)
    digest = push(client, [("db.example.org", zone(6), "text/dns")])
    run(
        *("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false"),
        *("--dest-tls-verify=false", "--preserve-digests"),
        *(f"docker://{host}/dns/first:prod", f"docker://{host}/dns/second:prod"),
        cwd=tmp_path,
        home=tmp_path,
    )
    server = serve(corefile(tmp_path, f"{host}/dns/second:prod", "insecure true"))
    server.wait_answer("version.example.org", "TXT", '"6"')
    assert server.source()["digest"] == digest
