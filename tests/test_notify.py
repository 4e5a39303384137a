"""sd_notify(3), against a real datagram socket."""

from __future__ import annotations

import os
import socket

import pytest

from ocizone.notify import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told(tmp_path, abstract):
    """One datagram, an assignment a line; @ is the abstract namespace (unix(7))."""
    name = f"ocizone-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if abstract else name)
        environ = {"NOTIFY_SOCKET": ("@" if abstract else "") + name}
        assert notify(environ, "READY=1", "STATUS=answering")
        assert manager.recv(512) == b"READY=1\nSTATUS=answering"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_a_service_manager_nobody_is_told(environ):
    """In a terminal or a container."""
    assert not notify(environ, "READY=1")


def test_a_manager_that_is_gone_is_no_error(tmp_path):
    """No reason to stop serving; nor is a path no address can hold."""
    assert not notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, "READY=1")
    assert not notify({"NOTIFY_SOCKET": f"/{'x' * 200}"}, "READY=1")


def test_a_manager_that_does_not_read_does_not_block(tmp_path):
    """A full queue is given up, not waited for."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        told = [notify({"NOTIFY_SOCKET": name}, "STATUS=x") for _ in range(2000)]
    assert told[0]
    assert not told[-1]
