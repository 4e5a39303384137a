"""Fixtures that start the real program; see program.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ocizone.lab import LabRegistry
from tests.e2e.program import Repository, Server
from tests.ports import free_port

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(corefile, port=...)`` starts a server; everything started is ended."""
    running: list[Server] = []

    def start(corefile: str, *arguments: str, port: int = 0, name: str = "server") -> Server:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        server = Server(directory, corefile, port or free_port(), *arguments)
        running.append(server)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(10)


@pytest.fixture
def repository(lab_registry: LabRegistry) -> Repository:
    return Repository(lab_registry)
