"""Start NSD, Knot, BIND and unbound unprivileged on loopback, and end them by their pid.

Each has its own folder and port and a configuration written here. Options that only make
answers shorter are off, so that what is compared is what the servers know. Not here: zones
(zonesets), questions and comparison (compare), secondaries (secondaries).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from tests.ports import free_port

#: Longest wait for a peer to load its zones; a busy machine takes seconds.
READY_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """One zone to load: absolute origin, and a master file without relative $ORIGIN."""

    origin: str
    path: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """One running server.

    Attributes:
        name: ``nsd``, ``knotd``, ``named`` or ``unbound``.
        port: of 127.0.0.1, UDP and TCP.
        directory: its own.
        process: ended by ``stop``.
    """

    name: str
    port: int
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return (self.directory / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it, by its pid: SIGTERM, and SIGKILL for who does not hear."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_S)


Config = Callable[[Path, int, Sequence[ZoneFile]], list[str]]


def nsd(directory: Path, port: int, zones: Sequence[ZoneFile]) -> list[str]:
    """Write nsd.conf; return the command."""
    lines = [
        "server:",
        f"  ip-address: 127.0.0.1@{port}",
        '  username: ""',
        '  chroot: ""',
        f'  zonesdir: "{directory}"',
        f'  pidfile: "{directory}/pid"',
        '  database: ""',
        f'  zonelistfile: "{directory}/zone.list"',
        f'  xfrdfile: "{directory}/xfrd.state"',
        f'  xfrdir: "{directory}"',
        "  server-count: 1",
        "  ipv4-edns-size: 1232",
        "  minimal-responses: no",
        "  refuse-any: no",
        "  rrl-ratelimit: 0",
        "  hide-version: yes",
        "remote-control:",
        "  control-enable: no",
    ]
    for zone in zones:
        lines += ["zone:", f'  name: "{zone.origin}"', f'  zonefile: "{zone.path}"']
    config = directory / "nsd.conf"
    config.write_text("\n".join(lines) + "\n")
    return ["nsd", "-d", "-c", str(config)]


def knotd(directory: Path, port: int, zones: Sequence[ZoneFile]) -> list[str]:
    """Write knot.conf; return the command."""
    lines = [
        "server:",
        f'    rundir: "{directory}"',
        f"    listen: 127.0.0.1@{port}",
        "    udp-workers: 1",
        "    tcp-workers: 1",
        "    background-workers: 1",
        "    udp-max-payload: 1232",
        "log:",
        "  - target: stderr",
        "    any: info",
        "database:",
        f'    storage: "{directory}"',
        "template:",
        "  - id: default",
        "    zonefile-sync: -1",
        "    zonefile-load: whole",
        "    journal-content: none",
        "    semantic-checks: off",
        "zone:",
    ]
    for zone in zones:
        lines += [f'  - domain: "{zone.origin}"', f'    file: "{zone.path}"']
    config = directory / "knot.conf"
    config.write_text("\n".join(lines) + "\n")
    return ["knotd", "-c", str(config)]


def named(directory: Path, port: int, zones: Sequence[ZoneFile]) -> list[str]:
    """Write named.conf; return the command."""
    lines = [
        "options {",
        f'  directory "{directory}";',
        f"  listen-on port {port} {{ 127.0.0.1; }};",
        "  listen-on-v6 { none; };",
        "  pid-file none;",
        f'  session-keyfile "{directory}/session.key";',
        "  recursion no;",
        "  allow-query { any; };",
        "  allow-transfer { none; };",
        "  minimal-responses no;",
        "  minimal-any no;",
        "  zero-no-soa-ttl no;",
        "  rrset-order { order none; };",
        "  answer-cookie no;",
        "  edns-udp-size 1232;",
        "  max-udp-size 1232;",
        "  dnssec-validation no;",
        "  empty-zones-enable no;",
        "  notify no;",
        "  max-records-per-type 0;",
        "  max-types-per-name 0;",
        "  check-names primary ignore;",
        "};",
        "controls {};",
    ]
    lines += [
        f'zone "{zone.origin}" {{ type primary; file "{zone.path}"; masterfile-format text;'
        " check-integrity no; check-mx ignore; check-srv-cname ignore; check-mx-cname ignore;"
        " check-wildcard no; check-sibling no; check-spf ignore; };"
        for zone in zones
    ]
    config = directory / "named.conf"
    config.write_text("\n".join(lines) + "\n")
    return ["named", "-g", "-n", "1", "-c", str(config)]


AUTHORITATIVE: dict[str, Config] = {"nsd": nsd, "knotd": knotd, "named": named}


@contextmanager
def running(name: str, directory: Path, zones: Sequence[ZoneFile]) -> Iterator[Peer]:
    """Start an authoritative peer, wait until it answers for every zone, and end it."""
    directory.mkdir(parents=True)
    port = free_port()
    peer = start(name, directory, port, AUTHORITATIVE[name](directory, port, zones))
    try:
        wait_serving(peer, [zone.origin for zone in zones])
        yield peer
    finally:
        peer.stop()


def start(name: str, directory: Path, port: int, command: list[str]) -> Peer:
    """Start a command whose output goes to ``log`` of its folder."""
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    return Peer(name, port, directory, process)


def wait_serving(peer: Peer, origins: Iterable[str]) -> None:
    """Wait until the SOA of each zone is answered with authority."""
    deadline = time.monotonic() + READY_S
    for origin in origins:
        while not is_served(peer.port, origin):
            assert peer.process.poll() is None, f"{peer.name} ended:\n{peer.log}"
            assert time.monotonic() < deadline, f"{peer.name} lacks {origin}:\n{peer.log}"
            time.sleep(0.02)


def is_served(port: int, origin: str) -> bool:
    """Tell whether a zone's SOA is answered with authority."""
    question = dns.message.make_query(origin, "SOA")
    try:
        reply = dns.query.udp(question, "127.0.0.1", 0.2, port)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.flags & dns.flags.AA)


@contextmanager
def validator(
    directory: Path, port: int, stubs: Sequence[str], anchors: Sequence[str]
) -> Iterator[Peer]:
    """Start unbound, which asks the server on ``port`` about ``stubs`` and validates.

    Args:
        directory: its own, to be made.
        port: of 127.0.0.1, where the zones are served.
        stubs: origins.
        anchors: DS or DNSKEY records in presentation form.
    """
    directory.mkdir(parents=True)
    own = free_port()
    lines = [
        "server:",
        f"  port: {own}",
        "  interface: 127.0.0.1",
        "  outgoing-interface: 127.0.0.1",
        "  do-ip6: no",
        "  do-daemonize: no",
        '  chroot: ""',
        '  username: ""',
        f'  directory: "{directory}"',
        '  pidfile: ""',
        "  use-syslog: no",
        '  logfile: ""',
        "  val-log-level: 2",
        "  ede: yes",
        '  module-config: "validator iterator"',
        '  val-nsec3-keysize-iterations: "1024 150 2048 150 4096 150"',
        "  do-not-query-localhost: no",
        # Delegations of the test zones point there; nothing may leave the machine.
        "  do-not-query-address: 192.0.2.0/24",
        "  do-not-query-address: 2001:db8::/32",
        "  unblock-lan-zones: yes",
        '  local-zone: "test." nodefault',
        '  local-zone: "." nodefault',
        "  qname-minimisation: no",
        # Every question is to reach the server whose answers are judged.
        "  aggressive-nsec: no",
        "  harden-below-nxdomain: no",
        "  harden-referral-path: no",
        "  infra-host-ttl: 1",
        "  unwanted-reply-threshold: 0",
        "  num-threads: 1",
        "  so-reuseport: no",
    ]
    lines += [f'  trust-anchor: "{anchor}"' for anchor in anchors]
    lines += ["remote-control:", "  control-enable: no"]
    for origin in (*stubs, *(["."] if "." not in stubs else [])):
        lines += ["stub-zone:", f'  name: "{origin}"', f"  stub-addr: 127.0.0.1@{port}"]
    config = directory / "unbound.conf"
    config.write_text("\n".join(lines) + "\n")
    peer = start("unbound", directory, own, ["unbound", "-d", "-c", str(config)])
    try:
        _wait_answering(peer)
        yield peer
    finally:
        peer.stop()


def _wait_answering(peer: Peer) -> None:
    deadline = time.monotonic() + READY_S
    question = dns.message.make_query("version.bind.", "TXT", "CH")
    while True:
        assert peer.process.poll() is None, f"{peer.name} ended:\n{peer.log}"
        assert time.monotonic() < deadline, f"{peer.name} does not answer:\n{peer.log}"
        try:
            dns.query.udp(question, "127.0.0.1", 0.2, peer.port)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.02)
        else:
            return
