"""``verify`` and ``gc`` on a state directory that no server owns."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.store.deployments import Deployment
from ocizone.store.store import Store
from tests.cli.test_main import run


@pytest.fixture
def state(tmp_path, monkeypatch) -> Path:
    """A state directory with two blobs nobody refers to."""
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path))
    with closing(Store(tmp_path)) as store:
        for content in (b"one", b"two"):
            temporary = store.disk.temporary()
            temporary.write_bytes(content)
            store.blobs.ingest(temporary, f"sha256:{hashlib.sha256(content).hexdigest()}")
    return Path(tmp_path)


def test_what_is_whole(state, capsys):
    """0, and how much was looked at."""
    assert run("verify") == 0
    assert capsys.readouterr().out == "2 files are whole\n"


def test_what_is_damaged(state, capsys):
    """5, and which file; it is taken away, so that it is fetched again."""
    blob = min((state / "blobs" / "sha256").iterdir())
    blob.chmod(0o600)
    blob.write_bytes(b"flipped")
    (state / "images" / f"{'a' * 64}.mdb").write_bytes(b"x")
    assert run("verify") == 5
    said = capsys.readouterr().err
    assert said.startswith("2 damaged, 1 files are whole\n")
    assert f"{blob}: removed; it is fetched again" in said
    assert not blob.exists()


def test_garbage_is_collected(state, capsys):
    """As the server does it."""
    assert run("gc") == 0
    assert capsys.readouterr().out == "removed 2 blobs, 0 images\n"


def test_a_directory_in_use_is_left_alone(state, capsys):
    """Its lock is held: by a server that hangs, say."""
    with closing(Store(state)):
        assert run("gc") == 1
        assert run("verify") == 1
    assert capsys.readouterr().err.count("is in use by process") == 2


@pytest.mark.parametrize("verb", ["verify", "gc"])
def test_no_directory_is_made(verb, tmp_path, capsys):
    """A wrong --state-dir is told, not filled."""
    assert run(verb, "--state-dir", str(tmp_path / "gone")) == 1
    assert "no server answers" in capsys.readouterr().err
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("verb", ["verify", "gc"])
def test_an_empty_directory_is_no_state_directory(verb, tmp_path, capsys):
    """1: "0 files are whole" would pass for good news; nothing is made there."""
    assert run(verb, "--state-dir", str(tmp_path)) == 1
    assert capsys.readouterr() == ("", f"{tmp_path} is no state directory: it keeps nothing\n")
    assert list(tmp_path.iterdir()) == []


def test_a_state_directory_that_keeps_nothing(tmp_path, capsys):
    """1: a server was started there once, and never got a version."""
    Store(tmp_path).close()
    assert run("verify", "--state-dir", str(tmp_path)) == 1
    assert capsys.readouterr() == ("", f"{tmp_path} keeps nothing\n")


def test_forgotten_needs_the_server(state, capsys):
    """Only it knows the Corefile."""
    assert run("gc", "--forgotten") == 1
    assert "no server runs" in capsys.readouterr().err


def test_no_history_is_forgotten(state, capsys):
    """How much is kept only the Corefile says, and nobody has read it."""
    with closing(Store(state)) as store:
        records = store.source("x")
        for number in range(limits.KEEP_DEPLOYMENTS + 3):
            records.commit_next(replace(DEPLOYMENT, digest=f"sha256:{number:064x}"))
    assert run("gc") == 0
    with closing(Store(state)) as store:
        assert len(store.source("x").history()) == limits.KEEP_DEPLOYMENTS + 3


DEPLOYMENT = Deployment("x", "r.test/z:prod", f"sha256:{'a' * 64}", (), "b" * 64, (), (), 1, 0)
