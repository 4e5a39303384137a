"""Files the operator names: nothing that stands in their place holds a thread up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ocizone.errors import FetchReason, InputError, RegistryError
from ocizone.plugins.artifact import Credentials
from ocizone.registry.credentials import of_block
from ocizone.registry.dockerconfig import DockerConfig
from ocizone.registry.keychain import runner
from ocizone.registry.keys import read_public_keys
from ocizone.registry.operatorfile import check_file, read_file
from ocizone.registry.route import Route
from ocizone.registry.sign import read_private_key


def test_content_and_its_bound(tmp_path: Path) -> None:
    """So many octets and not one more; a link is followed, as secrets are mounted."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    link = tmp_path / "link"
    link.symlink_to(file)
    check_file(file)
    assert read_file(file, 5) == read_file(str(link), 6) == b"12345"
    with pytest.raises(OSError, match="more than 4 octets") as caught:
        read_file(file, 4)
    assert caught.value.filename == str(file)
    with pytest.raises(FileNotFoundError):
        check_file(tmp_path / "absent")


@pytest.mark.parametrize("what", ["pipe", "directory", "device"])
def test_only_regular_files(tmp_path: Path, what: str) -> None:
    """A pipe nobody writes into would wait for ever, a device might never end."""
    file = Path("/dev/zero") if what == "device" else tmp_path / what
    if what == "pipe":
        os.mkfifo(file)
    elif what == "directory":
        file.mkdir()
    for read in (lambda: read_file(file, 5), lambda: check_file(file)):
        with pytest.raises(OSError, match="not a regular file"):
            read()


def descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def test_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"1")
    before = descriptors()
    for name in ("pipe", "file"):
        try:
            read_file(tmp_path / name, 5)
        except OSError:
            assert name == "pipe"
    assert descriptors() == before


USES: dict[str, Callable[[str], object]] = {
    "verify": lambda pipe: read_public_keys((pipe,)),
    "password_file": lambda pipe: of_block(Credentials("u", password_file=pipe))(),
    "docker_config": lambda pipe: DockerConfig(Path(pipe), runner({}), print).login("r", "x"),
    "ca_file": lambda pipe: Route(ca_file=pipe).context("r/x", at_home=True),
    "client_cert": lambda pipe: Route(client_cert=(pipe, pipe)).context("r/x", at_home=True),
    "signing key": lambda pipe: read_private_key(pipe, None),
}


@pytest.mark.parametrize("use", USES)
def test_a_pipe_in_place_of_each_file(tmp_path: Path, use: str) -> None:
    """The attack: each attempt lost a pool thread to ``open``, until none was left."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises((RegistryError, InputError), match="not a regular file") as caught:
        USES[use](str(pipe))
    assert str(pipe) in str(caught.value)
    if isinstance(caught.value, RegistryError):
        assert caught.value.reason is FetchReason.CONFIG
