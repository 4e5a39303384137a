"""ocizone and its peers, each in the configuration a sensible operator would choose for speed.

One class a program: how it is found, its version, its configuration, and the command. All take
the same zone files, one worker each, answers without records nobody asked for, 1232 octets of
EDNS payload, no log of queries, no rate limit. Not here: processes (processes).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import dns.message

from bench.processes import Process, wait_until

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
READY_S = 180.0
TWISTED_NAMES = Path(__file__).with_name("twistednames.py")


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """One zone: absolute origin, a master file that begins with $ORIGIN, whether it is signed."""

    origin: str
    path: Path
    signed: bool = False


class Server:
    """A server that is started with zone files and answers on 127.0.0.1.

    Attributes:
        name: short, as in tables.
        program: what is looked for in PATH.
        remark: what a reader should know about how it was configured.
        loads: whether it takes part in load figures.
        reloads: whether SIGHUP makes it read a changed file.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    remark: ClassVar[str] = ""
    loads: ClassVar[bool] = True
    reloads: ClassVar[bool] = True

    def __init__(
        self, directory: Path, port: int, zones: Sequence[ZoneFile], core: int | None
    ) -> None:
        """Prepare its folder; ``start`` runs it there."""
        directory.mkdir(parents=True)
        self.directory, self.port, self.zones, self.core = directory, port, zones, core
        self.process: Process | None = None

    @classmethod
    def binary(cls) -> str | None:
        """Return the path of the program, None where it is missing."""
        return shutil.which(cls.program, path=PATH)

    @classmethod
    def version(cls) -> str:
        """Return what the program says about itself, shortened."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Write the configuration; return the command."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it; it may not answer yet."""
        self.process = Process(self.command(), self.directory, self.core)

    def running(self) -> Process:
        """Return its process.

        Raises:
            RuntimeError: it ended; with the end of its log.
        """
        if self.process is None or self.process.child.poll() is not None:
            log = self.process.log[-2000:] if self.process else "never started"
            raise RuntimeError(f"{self.name} does not run: {log}")
        return self.process

    def wait_ready(self) -> float:
        """Wait until the first and the last zone are answered; return the seconds.

        Raises:
            TimeoutError: they were not in time; with the end of its log.
        """
        try:
            seconds = wait_until(f"{self.name} answers", READY_S, self._answering(), 0.005)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.running().log[-2000:]}") from None
        if self.core is not None:
            self.running().pin(self.core)
        return seconds

    def _answering(self) -> Iterator[bool]:
        left = [self.zones[0].origin, self.zones[-1].origin]
        while True:
            self.running()
            while left and answers(self.port, left[-1]):
                left.pop()
            yield not left

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.stop()


def answers(port: int, origin: str) -> bool:
    """Tell whether a zone's SOA is answered with authority, at once or in 20 ms."""
    question = dns.message.make_query(origin, "SOA").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.02)
        sock.connect(("127.0.0.1", port))
        try:
            sock.send(question)
            reply = sock.recv(4096)
        except OSError:
            return False
    # NOERROR, QR and AA, an answer (RFC 1035 section 4.1.1).
    return reply[3] & 15 == 0 and reply[2] & 0x84 == 0x84 and reply[6:8] != b"\0\0"


def said(*command: str) -> str:
    """Return what a program writes, on either stream."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


class Ocizone(Server):
    name = "ocizone"
    program = sys.executable
    remark = "with `errors` and `prometheus`, as in its Corefile.example"

    @classmethod
    def binary(cls) -> str | None:
        return sys.executable

    @classmethod
    def version(cls) -> str:
        return said(sys.executable, "-m", "ocizone", "--version").split()[-1]

    def corefile(self) -> str:
        """Return the Corefile."""
        if len(self.zones) > 1:
            source = f"auto {{\n directory {self.zones[0].path.parent}\n}}"
        else:
            source = f"file {self.zones[0].path} {self.zones[0].origin}"
        return (
            f".:{self.port} {{\n bind 127.0.0.1\n {source}\n errors\n"
            f" prometheus 127.0.0.1:{self.port + 1}\n bufsize 1232\n minimal\n}}\n"
        )

    def command(self) -> list[str]:
        corefile = self.directory / "Corefile"
        corefile.write_text(self.corefile())
        state = ["--state-dir", str(self.directory / "state")]
        return [sys.executable, "-m", "ocizone", "serve", "-c", str(corefile), *state]


class Knot(Server):
    name = "Knot DNS"
    program = "knotd"

    @classmethod
    def version(cls) -> str:
        return said(str(cls.binary()), "-V").split()[-1]

    def command(self) -> list[str]:
        lines = [
            "server:", f'    rundir: "{self.directory}"', f"    listen: 127.0.0.1@{self.port}",
            "    udp-workers: 1", "    tcp-workers: 1", "    background-workers: 1",
            "    udp-max-payload: 1232", "log:", "  - target: stderr", "    any: error",
            "database:", f'    storage: "{self.directory}"', "template:", "  - id: default",
            "    zonefile-sync: -1", "    zonefile-load: whole", "    journal-content: none",
            "zone:",
        ]  # fmt: skip
        for zone in self.zones:
            lines += [f'  - domain: "{zone.origin}"', f'    file: "{zone.path}"']
        config = self.directory / "knot.conf"
        config.write_text("\n".join(lines) + "\n")
        return [str(self.binary()), "-c", str(config)]


class Nsd(Server):
    name = "NSD"
    program = "nsd"
    remark = "minimal-responses, rrl-ratelimit 0, server-count 1 (2 in (f))"
    count = 1

    @classmethod
    def version(cls) -> str:
        return said(str(cls.binary()), "-v").split()[2]

    def command(self) -> list[str]:
        own = self.directory
        lines = [
            "server:", f"  ip-address: 127.0.0.1@{self.port}", '  username: ""', '  chroot: ""',
            f'  zonesdir: "{own}"', f'  pidfile: "{own}/pid"', '  database: ""',
            f'  zonelistfile: "{own}/zone.list"', f'  xfrdfile: "{own}/xfrd.state"',
            f'  xfrdir: "{own}"', f"  server-count: {self.count}", "  ipv4-edns-size: 1232",
            "  minimal-responses: yes", "  rrl-ratelimit: 0", "  verbosity: 0",
            "  tcp-count: 250", "remote-control:", "  control-enable: no",
        ]  # fmt: skip
        for zone in self.zones:
            lines += ["zone:", f'  name: "{zone.origin}"', f'  zonefile: "{zone.path}"']
        config = own / "nsd.conf"
        config.write_text("\n".join(lines) + "\n")
        return [str(self.binary()), "-d", "-c", str(config)]
