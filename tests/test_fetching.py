"""Pulling into a directory: nothing in the way is written over, and nothing half is left."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from ocizone.errors import ArtifactError, Permanent, StoreError
from ocizone.fetching import fetch_into
from ocizone.lab import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

FILES = [("db.a.org", b"one", "text/dns"), ("sub/db.b.org", b"two", "text/dns")]


@pytest.fixture
def client(lab_registry: LabRegistry):
    reference = Reference(f"localhost:{lab_registry.port}", "zones", "prod", None)
    with closing(Client(reference, insecure=True)) as made:
        yield made


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def test_files_land_with_their_paths(client, tmp_path):
    """Readable as the umask has it; nothing else is left."""
    digest = push(client, FILES)
    target = tmp_path / "new" / "zones"
    before = os.umask(0o027)
    try:
        fetched = fetch_into(client, digest, target, force=False)
    finally:
        os.umask(before)
    assert [file.path for file in fetched.files] == ["db.a.org", "sub/db.b.org"]
    assert contents(target) == {"db.a.org": b"one", "sub/db.b.org": b"two"}
    assert (target / "db.a.org").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in target.iterdir()) == ["db.a.org", "sub"]


def test_a_directory_in_use_is_left_alone(client, tmp_path):
    """Unless it is forced; then other files stay."""
    digest = push(client, FILES)
    (tmp_path / "db.a.org").write_bytes(b"mine")
    (tmp_path / "other").write_bytes(b"mine")
    with pytest.raises(StoreError, match="is not empty"):
        fetch_into(client, digest, tmp_path, force=False)
    assert contents(tmp_path) == {"db.a.org": b"mine", "other": b"mine"}
    fetch_into(client, digest, tmp_path, force=True)
    assert contents(tmp_path) == {"db.a.org": b"one", "other": b"mine", "sub/db.b.org": b"two"}


@pytest.mark.parametrize("name", ["db.a.org", "sub"])
def test_links_are_not_followed(client, tmp_path, name):
    """Neither at a file's place nor on the way to it (CVE-2021-43816's class); nothing is moved."""
    digest = push(client, FILES)
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is in the way"):
        fetch_into(client, digest, target, force=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert [path.name for path in target.iterdir()] == [name]


def test_what_the_server_refuses_is_refused(client, tmp_path):
    """And leaves nothing behind."""
    digest = push(client, [("db.a.org", b"-----BEGIN PRIVATE KEY-----\n", "text/dns")])
    with pytest.raises(ArtifactError, match="private key"):
        fetch_into(client, digest, tmp_path / "zones", force=False)
    assert list((tmp_path / "zones").iterdir()) == []
    with pytest.raises(Permanent):
        fetch_into(client, f"sha256:{'0' * 64}", tmp_path / "zones", force=False)
    assert list((tmp_path / "zones").iterdir()) == []


def test_a_place_that_cannot_be_written(client, tmp_path):
    """One line with the path."""
    digest = push(client, FILES)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"cannot write .*/file"):
        fetch_into(client, digest, tmp_path / "file", force=False)
