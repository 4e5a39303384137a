"""Credential helpers: real programs, run with bounds; and their protocol."""

from __future__ import annotations

import json
import os
import stat
import time
import traceback
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.registry import keychain
from ocizone.registry.credentials import Login


@pytest.fixture
def bin_path(tmp_path: Path) -> Path:
    return tmp_path


def program(directory: Path, name: str, script: str) -> None:
    file = directory / f"docker-credential-{name}"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def run(directory: Path, **environ: str) -> keychain.Run:
    return keychain.runner({"PATH": f"{directory}:{os.environ['PATH']}", **environ})


def test_ask(bin_path: Path) -> None:
    """Its input is the server, its answer JSON."""
    program(
        bin_path,
        "x",
        'test "$1" = get && read -r server; '
        'printf \'{"ServerURL":"%s","Username":"u","Secret":"s-%s"}\' "$server" "$server"',
    )
    assert keychain.ask(run(bin_path), "x", "ghcr.io") == Login("u", "s-ghcr.io")


def test_identity_token(bin_path: Path) -> None:
    """The user name ``<token>`` says that the secret is an identity token."""
    answer = json.dumps({"Username": "<token>", "Secret": "idt"})
    program(bin_path, "x", f"echo '{answer}'")
    assert keychain.ask(run(bin_path), "x", "ghcr.io") == Login(identity_token="idt")


def test_not_found(bin_path: Path) -> None:
    program(bin_path, "x", "echo credentials not found in native keychain; exit 1")
    assert keychain.ask(run(bin_path), "x", "ghcr.io") is None


@pytest.mark.parametrize(
    "script",
    [
        "echo canary; exit 1",
        "echo canary >&2; exit 3",
        "echo canary",
        "echo '[\"canary\"]'",
        'echo \'{"Username": "u"}\'',
        'echo \'{"Username": "u", "Secret": ""}\'',
        'echo \'{"Username": 7, "Secret": "canary"}\'',
        'echo \'{"Username": "u", "Secret": "canary\'',
        "head -c 100000 /dev/zero",
    ],
)
def test_failures_show_nothing(bin_path: Path, script: str) -> None:
    """What a helper prints may be a secret, or half of one."""
    program(bin_path, "x", script)
    with pytest.raises(Permanent, match="docker-credential-x") as caught:
        keychain.ask(run(bin_path), "x", "ghcr.io")
    assert caught.value.reason is FetchReason.AUTH
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["", "X", "../x", "x y", "x;y", "x\n"])
def test_names_are_checked(bin_path: Path, name: str) -> None:
    """The name comes from a file and becomes a program."""
    with pytest.raises(Permanent, match="not a name"):
        keychain.ask(run(bin_path), name, "ghcr.io")


def test_absent_program(bin_path: Path) -> None:
    with pytest.raises(Permanent, match="cannot run docker-credential-absent"):
        keychain.ask(run(bin_path), "absent", "ghcr.io")


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "echo '{}'; exec >&-; sleep 60",
        "sleep 60 & sleep 60",
        "while :; do echo; sleep 0.1; done",
    ],
)
def test_time_is_bounded(bin_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oras waits for ever. What the helper started ends with it."""
    monkeypatch.setattr(limits, "CREDENTIAL_HELPER_S", 0.3)
    program(bin_path, "x", f"echo $$ > {bin_path}/pid; {script}")
    start = time.monotonic()
    with pytest.raises(Transient, match="no answer") as caught:
        keychain.ask(run(bin_path), "x", "ghcr.io")
    assert time.monotonic() - start < 3
    assert caught.value.reason is FetchReason.AUTH
    group = int((bin_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        _until_gone(group)


def _until_gone(group: int) -> None:
    # Its children were killed with it; init needs a moment to reap them.
    for _ in range(200):
        os.killpg(group, 0)
        time.sleep(0.01)


def test_environment_is_minimal(bin_path: Path) -> None:
    """Helpers need their home and their cloud's settings, not our passwords."""
    program(bin_path, "x", f"env > {bin_path}/env; exit 2")
    passed = run(bin_path, HOME="/home/x", AWS_PROFILE="p", OCIZONE_PASSWORD="canary", SECRET="s")
    with pytest.raises(Permanent):
        keychain.ask(passed, "x", "ghcr.io")
    names = {line.partition("=")[0] for line in (bin_path / "env").read_text().splitlines()}
    assert {"PATH", "HOME", "AWS_PROFILE"} <= names
    assert not {"OCIZONE_PASSWORD", "SECRET"} & names


def test_the_server_is_no_argument(bin_path: Path) -> None:
    """Arguments are for everybody on the machine to see."""
    program(bin_path, "x", f'echo "$@" > {bin_path}/arguments; exit 2')
    with pytest.raises(Permanent):
        keychain.store(run(bin_path), "x", "ghcr.io", Login("u", "canary"))
    assert (bin_path / "arguments").read_text() == "store\n"


def test_a_helper_that_reads_nothing(bin_path: Path) -> None:
    program(bin_path, "x", 'exec <&-; echo \'{"Username": "u", "Secret": "s"}\'')
    assert keychain.ask(run(bin_path), "x", "g" * 60_000) == Login("u", "s")


def test_store_and_erase(bin_path: Path) -> None:
    program(bin_path, "x", f"cat > {bin_path}/$1")
    keychain.store(run(bin_path), "x", "ghcr.io", Login("u", "p"))
    given = json.loads((bin_path / "store").read_text())
    assert given == {"ServerURL": "ghcr.io", "Username": "u", "Secret": "p"}
    keychain.store(run(bin_path), "x", "ghcr.io", Login("u", "p", identity_token="idt"))
    given = json.loads((bin_path / "store").read_text())
    assert given == {"ServerURL": "ghcr.io", "Username": "<token>", "Secret": "idt"}
    keychain.erase(run(bin_path), "x", "ghcr.io")
    assert (bin_path / "erase").read_text() == "ghcr.io"


def test_erase_what_is_not_there(bin_path: Path) -> None:
    program(bin_path, "x", "echo credentials not found in native keychain; exit 1")
    keychain.erase(run(bin_path), "x", "ghcr.io")
    program(bin_path, "x", "exit 1")
    with pytest.raises(RegistryError):
        keychain.erase(run(bin_path), "x", "ghcr.io")
