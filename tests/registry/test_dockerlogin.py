"""Writing docker's config.json: what we do not know stays, and nobody else may read it."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from ocizone.errors import Permanent
from ocizone.registry.credentials import Login
from ocizone.registry.dockerconfig import DockerConfig
from ocizone.registry.dockerlogin import login_entry, logout_entry

ALICE = Login("alice", "canary-pw")


class Helper:
    def __init__(self, status: int = 0) -> None:
        self.status = status
        self.calls: list[tuple[str, str]] = []

    def __call__(self, name: str, action: str, given: bytes) -> tuple[int, bytes]:
        self.calls.append((name, action))
        return self.status, b""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "docker" / "config.json"


def read(path: Path) -> DockerConfig:
    return DockerConfig(path, Helper(), pytest.fail)


@pytest.mark.parametrize("registry", ["ghcr.io", "localhost:5000", "docker.io", "[::1]:5000"])
@pytest.mark.parametrize("login", [ALICE, Login("alice", identity_token="canary-idt")])
def test_what_is_written_is_read(path: Path, registry: str, login: Login) -> None:
    """A new file and its folder are for their owner alone."""
    assert login_entry(path, registry, login, Helper()) == str(path)
    assert read(path).login(registry, "a/b") == login
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]
    assert logout_entry(path, registry, Helper())
    assert read(path).login(registry, "a/b") is None
    assert not logout_entry(path, registry, Helper())


def test_the_rest_is_kept(path: Path) -> None:
    """Unknown keys, other registries, entries that make no sense, keys with a path."""
    path.parent.mkdir()
    before = {
        "HttpHeaders": {"X": "y"},
        "auths": {
            "https://ghcr.io/v1/": {"auth": "b2xkOm9sZA=="},
            "ghcr.io/org": {"auth": "b3JnOm9yZw=="},
            "quay.io": 7,
        },
        "zzz": [1, "ü"],
    }
    path.write_text(json.dumps(before))
    path.chmod(0o644)
    login_entry(path, "ghcr.io", ALICE, Helper())
    after = json.loads(path.read_text())
    assert list(after) == list(before)
    assert after["zzz"] == before["zzz"]
    assert after["auths"] == {
        "ghcr.io/org": {"auth": "b3JnOm9yZw=="},
        "quay.io": 7,
        "ghcr.io": {"auth": base64.b64encode(b"alice:canary-pw").decode()},
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    logout_entry(path, "ghcr.io", Helper())
    assert list(json.loads(path.read_text())["auths"]) == ["ghcr.io/org", "quay.io"]


def test_docker_hub_has_one_key(path: Path) -> None:
    login_entry(path, "docker.io", ALICE, Helper())
    login_entry(path, "registry-1.docker.io", ALICE, Helper())
    assert list(json.loads(path.read_text())["auths"]) == ["https://index.docker.io/v1/"]


@pytest.mark.parametrize(
    "config", [{"credsStore": "pass"}, {"credHelpers": {"https://ghcr.io": "pass"}}]
)
def test_a_helper_keeps_the_secret(path: Path, config: dict[str, object]) -> None:
    """Where docker would ask a helper, no secret goes into the file."""
    path.parent.mkdir()
    path.write_text(json.dumps(config))
    helper = Helper()
    assert login_entry(path, "ghcr.io", ALICE, helper) == "docker-credential-pass"
    assert json.loads(path.read_text())["auths"] == {"ghcr.io": {}}
    assert logout_entry(path, "ghcr.io", helper)
    assert helper.calls == [("pass", "store"), ("pass", "erase")]


def test_a_helper_that_fails(path: Path) -> None:
    """Nothing changed, and the password did not end in the file instead."""
    path.parent.mkdir()
    path.write_text('{"credsStore": "pass"}')
    with pytest.raises(Permanent, match="docker-credential-pass"):
        login_entry(path, "ghcr.io", ALICE, Helper(1))
    assert path.read_text() == '{"credsStore": "pass"}'


def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    """People keep such files in a repository of their own."""
    path.parent.mkdir()
    (tmp_path / "real.json").write_text("{}")
    path.symlink_to(tmp_path / "real.json")
    login_entry(path, "ghcr.io", ALICE, Helper())
    assert path.is_symlink()
    assert "ghcr.io" in (tmp_path / "real.json").read_text()


def test_a_broken_file_is_not_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not json")
    with pytest.raises(Permanent):
        login_entry(path, "ghcr.io", ALICE, Helper())
    assert path.read_text() == "not json"


def test_where_nothing_can_be_written(path: Path) -> None:
    path.parent.write_text("a file")
    with pytest.raises(Permanent, match="Not a directory") as caught:
        login_entry(path, "ghcr.io", ALICE, Helper())
    assert "canary" not in str(caught.value)


def test_failed_replacement_leaves_no_litter(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Permanent):
        logout_entry(path, "ghcr.io", Helper())
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written(path: Path) -> None:
    """Its name leaves no room for a temporary one: nothing changes, nothing is left."""
    long = path.with_name("c" * 250)
    with pytest.raises(Permanent, match="cannot be written") as caught:
        login_entry(long, "ghcr.io", ALICE, Helper())
    assert "canary" not in str(caught.value)
    assert list(path.parent.iterdir()) == []


def test_a_helper_for_another_registry(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"credHelpers": {"quay.io": "pass", "ghcr.io": 7}}')
    assert login_entry(path, "ghcr.io", ALICE, Helper()) == str(path)


def test_logout_without_a_file(path: Path) -> None:
    assert not logout_entry(path, "ghcr.io", Helper())
    assert not path.exists()
