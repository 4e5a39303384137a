"""Where the state directory is, and a control socket however deep it lies."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ocizone.state_dir import CONTROL_SOCKET, socket_path, state_dir

SYSTEMD = {"STATE_DIRECTORY": "/sd:/other"}
OWN = {"OCIZONE_STATE_DIR": "/own"}
USER = {"HOME": "/home/u"}


@pytest.mark.parametrize(
    ("given", "environ", "root", "expected"),
    [
        ("/given", OWN | SYSTEMD, True, "/given"),
        (None, OWN | SYSTEMD, True, "/own"),
        (None, SYSTEMD, False, "/sd"),
        (None, {}, True, "/var/lib/ocizone"),
        (None, USER, False, "/home/u/.local/state/ocizone"),
        (None, USER | {"XDG_STATE_HOME": "/x"}, False, "/x/ocizone"),
        (None, USER | {"OCIZONE_STATE_DIR": "", "STATE_DIRECTORY": ""}, True, "/var/lib/ocizone"),
        ("relative", {}, True, str(Path.cwd() / "relative")),
        (None, {}, False, str(Path.cwd() / ".local/state/ocizone")),
    ],
)
def test_the_first_that_is_set_counts(given, environ, root, expected):
    """Command line, own variable, systemd's, and the conventions of root and of users."""
    assert state_dir(given, environ, root=root) == Path(expected)


def test_a_deep_directory_still_has_a_socket(tmp_path):
    """unix(7): an address holds 108 octets, a path may be longer."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server, socket_path(deep) as path:
        server.bind(path)
        assert (deep / CONTROL_SOCKET).is_socket()


def test_a_missing_directory_is_an_error(tmp_path):
    """The caller says what to do."""
    with pytest.raises(FileNotFoundError), socket_path(tmp_path / "gone"):
        pass
