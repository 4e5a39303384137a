"""Trusted deployments with the real program: webhook, signatures, guard, decisions, secrets."""

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ocizone.lab import Access, LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.credentials import user
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from ocizone.registry.sign import sign_artifact
from tests.e2e.program import Repository, Server, wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e

CANARY = "s3cret-canary-7d1f"
Serve = Callable[..., Server]


def ocizone(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the operator of a server does."""
    return subprocess.run(
        [sys.executable, "-m", "ocizone", *arguments],
        env={**os.environ, "OCIZONE_STATE_DIR": str(server.state), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def post(port: int, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """POST to a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get(port: int, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def many(serial: int, hosts: int) -> bytes:
    """Return a zone with so many hosts."""
    lines = "".join(f"h{number} IN A 192.0.2.{number}\n" for number in range(hosts))
    return zone(serial) + lines.encode()


@pytest.fixture
def repository(lab_registry: LabRegistry) -> Repository:
    return Repository(lab_registry)


def test_a_webhook_makes_it_look(serve: Serve, repository: Repository, tmp_path: Path):
    """The schedule alone would look in an hour."""
    hook = free_port()
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    repository.push(db_example_org=zone(1))
    lines = (f"webhook 127.0.0.1:{hook} {{", f"    secret {tmp_path}/secret", "}")
    server = serve(repository.corefile(tmp_path, *lines, interval=3600))
    server.wait_answer("version.example.org", "TXT", '"1"')
    repository.push(db_example_org=zone(2))
    body = json.dumps(
        {
            "events": [
                {"action": "push", "target": {"repository": "dns/zones", "tag": "prod"}},
            ]
        }
    ).encode()
    media_type = "application/vnd.docker.distribution.events.v1+json"
    assert post(hook, "/hook", body, **{"Content-Type": media_type})[0] == 401
    status, _ = post(
        hook, "/hook", body, **{"Content-Type": media_type, "Authorization": f"Bearer {CANARY}"}
    )
    assert status == 202
    server.wait_answer("version.example.org", "TXT", '"2"')
    assert CANARY not in server.log


def test_rollback_survives_ticks_and_restarts(serve: Serve, repository: Repository, tmp_path: Path):
    """Without the registry, in one command; it ends with another push."""
    corefile = repository.corefile(tmp_path, interval=5)
    repository.push(db_example_org=zone(1))
    server = serve(corefile)
    server.wait_answer("version.example.org", "TXT", '"1"')
    repository.push(db_example_org=zone(2))
    assert ocizone(server, "refresh", "--wait").returncode == 0
    assert server.answers("version.example.org", "TXT") == ['"2"']
    done = ocizone(server, "rollback", "--reason", "broken")
    assert done.returncode == 0, done.stderr
    assert server.answers("version.example.org", "TXT") == ['"1"']
    assert ocizone(server, "refresh", "--wait").returncode == 0
    assert server.answers("version.example.org", "TXT") == ['"1"']
    server.kill()
    server = serve(corefile)
    server.wait_answer("version.example.org", "TXT", '"1"')
    assert server.source()["pin"]["reason"] == "broken"
    repository.push(db_example_org=zone(3))
    assert ocizone(server, "refresh", "--wait").returncode == 0
    assert server.answers("version.example.org", "TXT") == ['"3"']


def test_a_suspicious_change_waits(serve: Serve, repository: Repository, tmp_path: Path):
    """Exit 6 until somebody approves; `which` and `history` tell what is so."""
    corefile = repository.corefile(tmp_path).replace(
        "insecure true", "insecure true\n guard {\n deletes 30%\n }"
    )
    repository.push(db_example_org=many(1, 30))
    server = serve(corefile)
    server.wait_answer("h20.example.org", "A", "192.0.2.20")
    digest = repository.push(db_example_org=many(2, 5))
    held = ocizone(server, "refresh", "--wait")
    assert held.returncode == 6, held.stderr
    assert "deletes > 30 %" in held.stdout + held.stderr
    assert server.answers("h20.example.org") == ["192.0.2.20"]
    assert ocizone(server, "approve", digest[7:15]).returncode == 0
    assert server.answers("h20.example.org") == []
    assert digest[7:19] in ocizone(server, "history").stdout
    which = ocizone(server, "which", "h3.example.org", "A").stdout
    assert digest in which
    assert "db.example.org:11" in which


def test_only_signed_artifacts(serve: Serve, repository: Repository, tmp_path: Path):
    """Pushed first, signed later: served then, and DNS tells what."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = tmp_path / "ops.key"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ops.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    corefile = repository.corefile(tmp_path, "provenance").replace(
        "insecure true", f"insecure true\n verify {{\n key {tmp_path}/ops.pub\n }}"
    )
    digest = repository.push(db_example_org=zone(1))
    server = serve(corefile)
    wait_until(lambda: server.source()["error"], "a reason")
    assert server.source()["error"]["reason"] == "WaitingForSignature"
    status, body = server.page("/ready")
    assert status == 503
    assert "WaitingForSignature" in body
    client = Client(Reference.parse(repository.reference), insecure=True)
    sign_artifact(client, digest, str(private))
    client.close()
    assert ocizone(server, "refresh", "--wait").returncode == 0
    server.wait_answer("version.example.org", "TXT", '"1"')
    assert server.source()["verified_by"] == "key ops.pub"


def test_zone_tests_in_the_artifact(serve: Serve, repository: Repository, tmp_path: Path):
    """One that fails refuses the version, with its place."""
    tests = b"- {name: www.example.org, type: A, rdata: [192.0.2.10]}\n"
    repository.push_files({"db.example.org": zone(1), "zone-tests.yaml": tests})
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"1"')
    repository.push_files({"db.example.org": zone(2, "192.0.2.99"), "zone-tests.yaml": tests})
    refused = ocizone(server, "refresh", "--wait")
    assert refused.returncode == 1
    assert "zone-tests.yaml:1" in refused.stdout + refused.stderr
    assert server.answers("www.example.org") == ["192.0.2.10"]


def test_the_api_over_tcp(serve: Serve, repository: Repository, tmp_path: Path):
    """Reading is free on loopback; what changes state needs the token."""
    port = free_port()
    (tmp_path / "token").write_text(CANARY)
    lines = (f"api 127.0.0.1:{port} {{", f"    token {tmp_path}/token", "}")
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path, *lines))
    server.wait_answer("version.example.org", "TXT", '"1"')
    status, body, _ = get(port, "/v1/status")
    assert status == 200
    assert json.loads(body)["schema"] == "ocizone.status/v1"
    assert post(port, "/v1/suspend", b"{}")[0] == 401
    assert post(port, "/v1/suspend", b"{}", Authorization=f"Bearer {CANARY}")[0] == 200
    assert server.source()["suspension"]
    assert CANARY not in server.log


def test_artifacts_are_given_on(serve: Serve, repository: Repository, tmp_path: Path):
    """By digest, with ranges; nothing is listed."""
    port = free_port()
    digest = repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path, f"artifacts 127.0.0.1:{port}"))
    server.wait_answer("version.example.org", "TXT", '"1"')
    status, body, headers = get(port, f"/artifacts/{digest}.tar.gz")
    assert status == 200
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(body))) as archive:
        assert archive.getnames() == ["db.example.org"]
    assert get(port, f"/artifacts/{digest}.tar.gz")[1] == body
    tag = headers["ETag"]
    assert get(port, f"/artifacts/{digest}.tar.gz", **{"If-None-Match": tag})[0] == 304
    assert get(port, "/artifacts/")[0] == 404


def test_no_secret_is_told(serve: Serve, tmp_path: Path):
    """Log, status, metrics, reports and process list know the user's name at most."""
    with LabRegistry(access=Access.BASIC, users={"alice": CANARY}) as registry:
        reference = f"127.0.0.1:{registry.port}/dns/zones:prod"
        client = Client(
            Reference.parse(reference), insecure=True, login=user("alice", lambda: CANARY)
        )
        push(client, [("db.example.org", zone(1), "text/dns")])
        docker = tmp_path / "docker.json"
        pair = f"alice:{CANARY}".encode()
        entry = {"auth": base64.b64encode(pair).decode()}
        docker.write_text(json.dumps({"auths": {f"127.0.0.1:{registry.port}": entry}}))
        server = serve(
            f". {{\n bind 127.0.0.1\n root {tmp_path}/served\n oci {reference} {{\n"
            f" interval 5\n insecure true\n docker_config {docker}\n }}\n errors\n debug\n}}\n"
        )
        server.wait_answer("version.example.org", "TXT", '"1"')
        docker.write_text("{}")
        push(client, [("db.example.org", zone(2), "text/dns")])
        failed = ocizone(server, "refresh", "--wait")
        assert failed.returncode == 3, failed.stderr
        docker.write_text(json.dumps({"auths": {f"127.0.0.1:{registry.port}": entry}}))
        assert ocizone(server, "refresh", "--wait").returncode == 0
        told = [server.log, failed.stdout, failed.stderr, *map(str, pages_of(server))]
        told.append(Path(f"/proc/{server.process.pid}/cmdline").read_text())
        told += [path.read_text(errors="replace") for path in server.state.rglob("*.json")]
        assert not [text for text in told if CANARY in text or entry["auth"] in text]


def pages_of(server: Server) -> list[Any]:
    return [server.page(path) for path in ("/v1/status", "/v1/history", "/metrics", "/ready")]
