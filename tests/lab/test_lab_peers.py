"""Real clients against the lab registry: skopeo, the oras CLI, and oras-py as shipped."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import oras.client
import pytest

from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.registry.client import Client
from ocizone.registry.credentials import anonymous, user
from ocizone.registry.manifest import TITLE
from ocizone.registry.reference import Reference

ZONE = b"$ORIGIN example.org.\n@ 300 IN SOA ns hostmaster 1 2 3 4 5\n"
NAME = "zones/example.org"


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.peers("skopeo")
@pytest.mark.parametrize("access", list(Access))
def test_skopeo_copies_there_and_back(tmp_path: Path, access: Access) -> None:
    """inspect, copy out, copy in (PATCH uploads)."""
    with LabRegistry(access=access, users={"alice": "s3cret"}) as lab:
        lab.push_files(NAME, "v1", {"db.example.org": ZONE})
        login = "" if access is Access.OPEN else "alice:s3cret"
        source_login = ["--src-creds", login] if login else []
        target_login = ["--dest-creds", login] if login else []
        source = f"docker://{lab.host}/{NAME}:v1"
        raw = run(
            "skopeo",
            "inspect",
            "--raw",
            "--tls-verify=false",
            *(["--creds", login] if login else []),
            source,
        )
        assert json.loads(raw)["layers"][0]["size"] == len(ZONE)
        run(
            "skopeo",
            "copy",
            "--src-tls-verify=false",
            *source_login,
            source,
            f"dir:{tmp_path}/image",
        )
        run(
            "skopeo",
            "copy",
            "--dest-tls-verify=false",
            *target_login,
            f"dir:{tmp_path}/image",
            f"docker://{lab.host}/copy:v2",
        )
        copied = lab.storage.manifest("copy", "v2")
        assert copied is not None
        assert (
            json.loads(copied.raw)["layers"][0]["digest"] == json.loads(raw)["layers"][0]["digest"]
        )


@pytest.mark.peers("skopeo")
def test_skopeo_over_tls(tmp_path: Path, certificate_authority: CertificateAuthority) -> None:
    """--cert-dir with our CA: the certificate is one a strict Go client takes."""
    (tmp_path / "ca.crt").write_bytes(certificate_authority.ca_file.read_bytes())
    context = certificate_authority.server_context("127.0.0.1")
    with LabRegistry(ssl_context=context) as lab:
        lab.push_files(NAME, "v1", {"db.example.org": ZONE})
        run("skopeo", "inspect", "--raw", "--cert-dir", tmp_path, f"docker://{lab.host}/{NAME}:v1")


@pytest.mark.peers("oras")
@pytest.mark.parametrize("access", list(Access))
def test_oras_cli(tmp_path: Path, access: Access) -> None:
    """push, attach, discover, repo tags, pull; and our client reads what it pushed."""
    (tmp_path / "db.example.org").write_bytes(ZONE)
    with LabRegistry(access=access, users={"alice": "s3cret"}) as lab:
        login = [] if access is Access.OPEN else ["-u", "alice", "-p", "s3cret"]
        plain = ["--plain-http", *login]
        reference = f"{lab.host}/{NAME}:v1"
        run("oras", "push", *plain, reference, "db.example.org:text/dns", cwd=tmp_path)
        run(
            "oras",
            "attach",
            *plain,
            "--artifact-type",
            "a/b",
            reference,
            "db.example.org",
            cwd=tmp_path,
        )
        assert "a/b" in run("oras", "discover", *plain, "--format", "json", reference)
        assert run("oras", "repo", "tags", *plain, f"{lab.host}/{NAME}").split() == ["v1"]
        run("oras", "pull", *plain, "-o", tmp_path / "out", reference)
        assert (tmp_path / "out" / "db.example.org").read_bytes() == ZONE
        client = Client(
            Reference(lab.host, NAME, "v1", None),
            insecure=True,
            login=user("alice", lambda: "s3cret") if login else anonymous,
        )
        manifest = client.manifest(client.resolve().digest)
        assert [layer.annotations[TITLE] for layer in manifest.layers] == ["db.example.org"]


def test_oras_py_as_shipped(
    lab_registry: LabRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pushes here, we read it; and the other way round."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "db.example.org").write_bytes(ZONE)
    shipped = oras.client.OrasClient(hostname=lab_registry.host, insecure=True)
    shipped.push(f"{lab_registry.host}/{NAME}:v1", files=["db.example.org:text/dns"])
    client = Client(Reference(lab_registry.host, NAME, "v1", None), insecure=True)
    layer = client.manifest(client.resolve().digest).layers[0]
    client.fetch(layer, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == ZONE
    assert shipped.get_tags(f"{lab_registry.host}/{NAME}") == ["v1"]
    pulled = shipped.pull(f"{lab_registry.host}/{NAME}:v1", outdir=str(tmp_path / "out"))
    assert Path(pulled[0]).read_bytes() == ZONE
