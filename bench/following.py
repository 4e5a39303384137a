"""ocizone following a tag of a registry, and waiting for a version to be served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ask import version_of
from bench.processes import tree, wait_until
from bench.servers import Ocizone, Server, ZoneFile
from ocizone.control import tell

SERVED_S = 120.0
WORKERS = 2
MULTISOCKET = f" multisocket {WORKERS}\n"
WORKER = b"ocizone.workers"


class FollowingOcizone(Ocizone):
    """ocizone with an ``oci`` block instead of files of the disk."""

    name = "ocizone"
    reference = ""
    extra = ""

    def corefile(self) -> str:
        return (
            f".:{self.port} {{\n bind 127.0.0.1\n root {self.directory}/served\n"
            f" oci {self.reference} {{\n  interval 3600\n  insecure true\n }}\n errors\n"
            f" prometheus 127.0.0.1:{self.port + 1}\n bufsize 1232\n minimal\n{self.extra}}}\n"
        )

    def refresh(self) -> None:
        """Say that something was pushed.

        Raises:
            ControlError: nobody listens.
            RuntimeError: the server does not take it.
        """
        body = {"source": "", "wait": False, "hard": False}
        status, answer = tell(self.directory / "state", "/v1/refresh", body)
        if status >= 300:
            raise RuntimeError(f"refresh: {status} {answer}")


def until_version(server: Server, zone: ZoneFile, version: int) -> float:
    """Wait until a version is served; return the seconds.

    Raises:
        TimeoutError: it was not in time; with the end of the server's log.
    """

    def served() -> Iterator[bool]:
        while True:
            server.running()
            yield version_of(server.port, zone.origin) == version

    try:
        return wait_until(f"{server.name} serves version {version}", SERVED_S, served(), 0.001)
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{server.running().log[-2000:]}") from None


def workers_below(pid: int) -> list[int]:
    """Return the workers of a supervisor."""
    return [member for member in tree(pid)[1:] if WORKER in _command(member)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def ended(server: Server) -> Iterator[Server]:
    """End a server however the block ends."""
    try:
        yield server
    finally:
        server.stop()
