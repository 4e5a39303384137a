"""Fixtures for every test: real peers by mark, registries, and a certificate authority."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ocizone.lab import LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from tests.ports import free_port

# bcrypt of "s3cret": docker-registry takes no other kind of line.
HTPASSWD = "alice:$2b$04$MKfuKSSf95QnI83BE2Hkue1aU4nb7lF3svlHfPo4WTgX4Lisc0Ffy\n"
LISTENING_S = 10.0


def pytest_configure() -> None:
    """Find servers where Debian keeps them, which only root's PATH names."""
    os.environ["PATH"] += f"{os.pathsep}/usr/sbin"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``peers("dig", "skopeo")``: skip without the programs.

    Those that OCIZONE_REQUIRE_PEERS names (separated by spaces) fail the test instead.
    """
    required = os.environ.get("OCIZONE_REQUIRE_PEERS", "").split()
    for mark in item.iter_markers("peers"):
        missing = [name for name in mark.args if shutil.which(name) is None]
        if set(missing) & set(required):
            pytest.fail(f"peers missing: {', '.join(missing)}", pytrace=False)
        if missing:
            pytest.skip(f"peers missing: {', '.join(missing)}")


@pytest.fixture
def lab_registry() -> Iterator[LabRegistry]:
    """A fresh open registry on loopback."""
    with LabRegistry() as registry:
        yield registry


@pytest.fixture(scope="session")
def certificate_authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """One CA for the run; ``ca_file`` is what clients trust."""
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def docker_registry(
    tmp_path_factory: pytest.TempPathFactory, certificate_authority: CertificateAuthority
) -> Iterator[Callable[..., str]]:
    """Start docker-registry processes: ``docker_registry(login=False, tls=False) -> "host:port"``.

    ``login=True`` wants alice / s3cret. Mark the test ``peers("docker-registry")``.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(*, login: bool = False, tls: bool = False) -> str:
        directory = tmp_path_factory.mktemp("docker-registry")
        host = f"127.0.0.1:{free_port()}"
        config = docker_registry_config(directory, host, login=login)
        if tls:
            certificate, key = certificate_authority.issue("127.0.0.1", "localhost")
            config["http"]["tls"] = {"certificate": str(certificate), "key": str(key)}
        file = directory / "config.yml"
        # JSON is YAML.
        file.write_text(json.dumps(config))
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                ["docker-registry", "serve", str(file)], stdout=log, stderr=subprocess.STDOUT
            )
        running.append(process)
        wait_until_listening(host, process)
        return host

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(10)


def docker_registry_config(
    directory: Path, host: str, *, login: bool
) -> dict[str, dict[str, object]]:
    config: dict[str, dict[str, object]] = {
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(directory / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": host},
    }
    if login:
        htpasswd = directory / "htpasswd"
        htpasswd.write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "basic-realm", "path": str(htpasswd)}}
    return {"version": 0.1, **config}  # type: ignore[dict-item]  # the one scalar of the file


def wait_until_listening(host: str, process: subprocess.Popen[bytes]) -> None:
    address, _, port = host.rpartition(":")
    deadline = time.monotonic() + LISTENING_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the process on {host} ended at once"
        try:
            socket.create_connection((address, int(port)), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(f"nothing listens on {host}")
