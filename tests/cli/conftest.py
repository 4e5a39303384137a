"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.controlserver import Server


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Server]:
    """A server in a state directory that the environment names."""
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path))
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    made = Server(tmp_path)
    yield made
    made.close()
