"""The main job in one terminal: registry, push, serve, a change, served.

Everything is on loopback and in one temporary directory, which is gone at the end. The server
is the real program (``python -m ocizone serve``), the registry the lab's. Blocking.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from ocizone.errors import OcizoneError
from ocizone.lab.registry import LabRegistry
from ocizone.publish import collect
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from ocizone.serve.sockets import BindError, bind_pair

REPOSITORY = "dns/zones"
#: The usual port of a lab registry; another one is taken when somebody has it.
REGISTRY_PORT = 5000
INTERVAL_S = 5
#: Longest wait for an answer: a start on a slow machine, or an interval and some.
PATIENCE_S = 60.0
_SERIAL = re.compile(r"\b(\d{10})\b")

Say = Callable[[str], None]
Server = subprocess.Popen[bytes]


class DemoError(OcizoneError):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs, for whoever wants to try things."""

    registry: str
    reference: str
    address: str
    port: int
    directory: Path

    @property
    def zones(self) -> Path:
        """The zone files, a copy to play with."""
        return self.directory / "zones"

    @property
    def state(self) -> Path:
        """The server's state directory."""
        return self.directory / "state"


def sample_zones() -> Path:
    """Return the sample zones: of a checkout, or as installed.

    Raises:
        DemoError: neither is there.
    """
    for place in (
        Path(__file__).resolve().parent.parent / "zones",
        Path(sys.prefix) / "share" / "ocizone" / "zones",
    ):
        if place.is_dir():
            return place
    raise DemoError("the sample zones are not installed; give a directory with --zones")


@contextmanager
def stage(zones: Path, port: int, say: Say) -> Iterator[tuple[Stage, Server]]:
    """Run a registry with the zones pushed and a server that follows it.

    Args:
        zones: directory of zone files; copied.
        port: for DNS on 127.0.0.1.
        say: shows a line.

    Raises:
        DemoError: the port is taken, or the server does not start.
        OcizoneError: the push fails.
    """
    try:
        # An answer from somebody else's server on this port would look like ours.
        for sock in bind_pair("127.0.0.1", port):
            sock.close()
    except BindError as error:
        raise DemoError(f"{error.strerror}; choose another port with --port") from error
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ocizone-demo-")))
        shutil.copytree(zones, directory / "zones")
        registry = stack.enter_context(_registry())
        host = f"localhost:{registry.port}"
        where = Stage(host, f"{host}/{REPOSITORY}:prod", "127.0.0.1", port, directory)
        say(f"registry  {host} (in memory, loopback only)")
        say(f"push      {where.reference}@{push_zones(where)}")
        server = stack.enter_context(_server(where))
        say(f"serve     {where.address}:{port}, looking every {INTERVAL_S} s")
        yield where, server


@contextmanager
def _registry() -> Iterator[LabRegistry]:
    try:
        registry = LabRegistry(port=REGISTRY_PORT).start()
    except OSError:
        registry = LabRegistry(port=0).start()
    try:
        yield registry
    finally:
        registry.stop()


def push_zones(where: Stage) -> str:
    """Push the stage's zone files; return the digest.

    Raises:
        OcizoneError: it failed.
    """
    client = Client(Reference.parse(where.reference), insecure=True)
    files = [(file.title, file.path, file.media_type) for file in collect([where.zones])]
    with closing(client):
        return push(client, files)


@contextmanager
def _server(where: Stage) -> Iterator[Server]:
    corefile = where.directory / "Corefile"
    corefile.write_text(
        f". {{\n"
        f"    bind {where.address}\n"
        f"    root {where.directory}/served\n"
        f"    oci {where.reference} {{\n"
        f"        interval {INTERVAL_S}\n"
        f"        insecure true\n"
        f"    }}\n"
        f"    errors\n"
        f"}}\n",
        encoding="utf-8",
    )
    command = [
        *(sys.executable, "-m", "ocizone", "serve", "--corefile", str(corefile)),
        *("--state-dir", str(where.state), "--port", str(where.port)),
    ]
    log = where.directory / "server.log"
    with log.open("wb") as stderr:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)  # noqa: S603 - our own program
        try:
            yield server
        except NoAnswerError as error:
            raise DemoError(f"no answer: {error}; the server said: {_last(log)}") from error
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _last(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])


class NoAnswerError(Exception):
    """What was waited for did not come."""


def wait_for(
    where: Stage, server: Server, name: str, rrtype: str, wanted: Callable[[str], bool]
) -> str:
    """Ask until an answer is as wanted; return its first record as text.

    Raises:
        NoAnswerError: it was not within PATIENCE_S, or the server ended.
    """
    last = "nothing"
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if server.poll() is not None:
            raise NoAnswerError("the server ended")
        query = dns.message.make_query(name, rrtype)
        try:
            reply = dns.query.udp(query, where.address, 1.0, where.port)
        except (OSError, dns.exception.DNSException) as error:
            last = str(error) or type(error).__name__
        else:
            last = reply.answer[0].to_text() if reply.answer else "no records"
            if reply.answer and wanted(last):
                return last
        time.sleep(0.05)
    raise NoAnswerError(f"{name} {rrtype}: {last}")


def make_change(where: Stage, text: str) -> str:
    """Add ``hello TXT`` to the first master file and raise its serial; return the file's name.

    Raises:
        DemoError: no file has a SOA with a ten-digit serial.
    """
    for path in sorted(where.zones.glob("db.example.*")):
        before = path.read_text(encoding="utf-8")
        after, count = _SERIAL.subn(lambda found: str(int(found[1]) + 1), before, count=1)
        if count:
            path.write_text(f'{after}\nhello 60 IN TXT "{text}"\n', encoding="utf-8")
            return path.name
    raise DemoError(f"no db.example.* with a SOA in {where.zones}")
