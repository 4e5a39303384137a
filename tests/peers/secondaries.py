"""NSD, Knot, BIND and PowerDNS as secondaries of ocizone: started, read, ended by their pid.

Each takes zones from one primary on 127.0.0.1, is told by NOTIFY, asks for IXFR first, and
gives its zones to anybody, so that they can be compared. Not here: peers as servers of zone
files (servers).
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.tsig
import dns.versioned
import dns.xfr

from tests.e2e.program import wait_until
from tests.peers.servers import Peer, start

PRIMARY = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key, and how it stands in Corefiles and configurations."""

    name: str = "transfer.test"
    secret: str = base64.b64encode(b"an obvious fake, of 32 octets !!").decode()
    algorithm: str = "hmac-sha256"

    @property
    def ring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """The key as dnspython takes it."""
        key = dns.tsig.Key(self.name, self.secret, self.algorithm)
        return {key.name: key}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a secondary is to take, and from where.

    Attributes:
        primary: port of 127.0.0.1.
        zones: origins configured one by one.
        catalog: a catalog to be followed, or "".
        key: signs everything between the two, or None.
    """

    primary: int
    zones: Sequence[str] = ()
    catalog: str = ""
    key: Key | None = None


def nsd(directory: Path, port: int, asked: Asked) -> list[str]:
    """Write nsd.conf; return the command. 4.6 follows no catalogs."""
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
        "  verbosity: 3",
        "  xfrd-reload-timeout: 0",
        "remote-control:",
        "  control-enable: no",
    ]
    key = "NOKEY"
    if asked.key is not None:
        key = asked.key.name
        lines += ["key:", f"  name: {key}", f"  algorithm: {asked.key.algorithm}"]
        lines += [f'  secret: "{asked.key.secret}"']
    for zone in asked.zones:
        lines += ["zone:", f'  name: "{zone}"', f'  zonefile: "{zone}zone"']
        lines += [f"  request-xfr: {PRIMARY}@{asked.primary} {key}"]
        lines += [f"  allow-notify: {PRIMARY} {key}", "  provide-xfr: 127.0.0.1 NOKEY"]
        lines += ["  max-retry-time: 5"]
    config = directory / "nsd.conf"
    config.write_text("\n".join(lines) + "\n")
    return ["nsd", "-d", "-c", str(config)]


def knotd(directory: Path, port: int, asked: Asked) -> list[str]:
    """Write knot.conf; return the command."""
    lines = [
        "server:",
        f'    rundir: "{directory}"',
        f"    listen: 127.0.0.1@{port}",
        "    udp-workers: 1",
        "    tcp-workers: 1",
        "    background-workers: 2",
        # Who compares reads more slowly than Knot's half second allows.
        "    tcp-io-timeout: 10000",
        "log:",
        "  - target: stderr",
        "    any: info",
        "database:",
        f'    storage: "{directory}"',
    ]
    if asked.key is not None:
        lines += ["key:", f"  - id: {asked.key.name}", f"    algorithm: {asked.key.algorithm}"]
        lines += [f"    secret: {asked.key.secret}"]
    lines += ["remote:", "  - id: primary", f"    address: {PRIMARY}@{asked.primary}"]
    lines += [f"    key: {asked.key.name}"] if asked.key else []
    lines += ["acl:", "  - id: told", f"    address: {PRIMARY}", "    action: notify"]
    lines += [f"    key: {asked.key.name}"] if asked.key else []
    lines += ["  - id: read", "    address: 127.0.0.1", "    action: transfer"]
    lines += [
        "template:",
        *("  - id: default", "    master: primary", "    acl: [told, read]"),
        *("    zonefile-sync: -1", "    zonefile-load: none", "    journal-content: all"),
        *("    semantic-checks: off", "    refresh-max-interval: 5m", "    retry-max-interval: 5"),
    ]
    lines += ["zone:"]
    lines += [f'  - domain: "{zone}"' for zone in asked.zones]
    if asked.catalog:
        lines += [f'  - domain: "{asked.catalog}"', "    catalog-role: interpret"]
        lines += ["    catalog-template: default"]
    config = directory / "knot.conf"
    config.write_text("\n".join(lines) + "\n")
    return ["knotd", "-c", str(config)]


def named(directory: Path, port: int, asked: Asked) -> list[str]:
    """Write named.conf; return the command."""
    key = f" key {asked.key.name}" if asked.key else ""
    primaries = f"{PRIMARY} port {asked.primary}{key};"
    notify = f"key {asked.key.name};" if asked.key else f"{PRIMARY};"
    lines = []
    if asked.key is not None:
        lines += [f'key "{asked.key.name}" {{ algorithm {asked.key.algorithm};']
        lines += [f'  secret "{asked.key.secret}"; }};']
    lines += [
        "options {",
        f'  directory "{directory}";',
        f"  listen-on port {port} {{ 127.0.0.1; }};",
        "  listen-on-v6 { none; };",
        "  pid-file none;",
        f'  session-keyfile "{directory}/session.key";',
        "  recursion no;",
        "  allow-query { any; };",
        "  allow-transfer { any; };",
        f"  allow-notify {{ {notify} }};",
        "  dnssec-validation no;",
        "  empty-zones-enable no;",
        "  notify no;",
        "  max-retry-time 5;",
        "  min-retry-time 1;",
        "  check-names secondary ignore;",
        "  max-records-per-type 0;",
        "  max-types-per-name 0;",
    ]
    if asked.catalog:
        lines += [f'  catalog-zones {{ zone "{asked.catalog}" default-primaries {{ {primaries} }}']
        lines += ["    min-update-interval 1; };"]
    lines += ["};", "controls {};"]
    lines += [
        f'zone "{zone}" {{ type secondary; primaries {{ {primaries} }}; file "{number}.zone"; }};'
        for number, zone in enumerate((*asked.zones, *([asked.catalog] if asked.catalog else [])))
    ]
    config = directory / "named.conf"
    config.write_text("\n".join(lines) + "\n")
    # Debug level 3 tells IXFR from AXFR.
    return ["named", "-g", "-d", "3", "-n", "1", "-c", str(config)]


def pdns_server(directory: Path, port: int, asked: Asked) -> list[str]:
    """Write pdns.conf and an LMDB database; return the command."""
    config = directory / "pdns.conf"
    config.write_text(
        "\n".join(
            (
                "launch=lmdb",
                f"lmdb-filename={directory}/pdns.lmdb",
                f"socket-dir={directory}",
                "local-address=127.0.0.1",
                f"local-port={port}",
                "daemon=no",
                "guardian=no",
                "secondary=yes",
                "xfr-cycle-interval=2",
                "disable-axfr=no",
                "allow-axfr-ips=127.0.0.1",
                "allow-notify-from=127.0.0.1",
                "log-dns-details=no",
                "zone-cache-refresh-interval=1",
                "query-cache-ttl=0",
                "negquery-cache-ttl=0",
                "cache-ttl=0",
            )
        )
        + "\n"
    )

    def control(*words: str) -> None:
        command = ["pdnsutil", f"--config-dir={directory}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, (words, done.stdout, done.stderr)

    if asked.key is not None:
        control("import-tsig-key", asked.key.name, asked.key.algorithm, asked.key.secret)
    for zone in (*asked.zones, *([asked.catalog] if asked.catalog else [])):
        control("create-secondary-zone", zone, f"{PRIMARY}:{asked.primary}")
        if asked.key is not None:
            control("activate-tsig-key", zone, asked.key.name, "secondary")
    if asked.catalog:
        control("set-kind", asked.catalog, "consumer")
    return ["pdns_server", f"--config-dir={directory}"]


Config = Callable[[Path, int, Asked], list[str]]
SECONDARIES: dict[str, Config] = {
    "nsd": nsd,
    "knotd": knotd,
    "named": named,
    "pdns_server": pdns_server,
}


@contextmanager
def following(name: str, directory: Path, port: int, asked: Asked) -> Iterator[Peer]:
    """Start a secondary on a port of 127.0.0.1, and end it."""
    directory.mkdir(parents=True)
    peer = start(name, directory, port, SECONDARIES[name](directory, port, asked))
    try:
        yield peer
    finally:
        peer.stop()


def soa_of(port: int, zone: str) -> int | None:
    """Return the serial a server answers with authority; None without one."""
    try:
        reply = dns.query.udp(dns.message.make_query(zone, "SOA"), "127.0.0.1", 0.5, port)
    except (OSError, dns.exception.DNSException):
        return None
    if reply.rcode() != dns.rcode.NOERROR or not reply.flags & dns.flags.AA or not reply.answer:
        return None
    soa = reply.answer[0][0]
    assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
    return soa.serial


def wait_serial(peer: Peer, zone: str, serial: int, patience_s: float = 30.0) -> None:
    """Wait until a secondary has a version."""
    wait_until(
        lambda: soa_of(peer.port, zone) == serial,
        f"{peer.name} to have {zone} {serial}; it has {soa_of(peer.port, zone)}\n{peer.log[-3000:]}",
        patience_s,
    )


def dump(port: int, zone: str, key: Key | None = None) -> list[str]:
    """Return a zone by AXFR, one line a record, in a form that is equal for equal zones."""
    copy = dns.versioned.Zone(dns.name.from_text(zone))
    query, _ = dns.xfr.make_query(copy, keyring=key and key.ring)
    dns.query.inbound_xfr("127.0.0.1", copy, query, port=port, timeout=5, lifetime=30)
    origin = copy.origin
    assert origin is not None
    return sorted(
        f"{name.derelativize(origin).to_text().lower()} {ttl}"
        f" {dns.rdatatype.to_text(rdata.rdtype)} {rdata.to_digestable(origin).hex()}"
        for name, ttl, rdata in copy.iterate_rdatas()
    )


def differences(peer: Peer, zone_octets: int = 2000) -> int:
    """Return how many updates a secondary took as differences, by what it logged.

    Args:
        peer: which.
        zone_octets: what the zone takes at least: NSD does not tell how a shorter one came.
    """
    match peer.name:
        case "nsd":
            sizes = re.findall(r"received update to serial .* of (\d+) bytes", peer.log)
            return sum(int(size) < zone_octets for size in sizes)
        case "knotd":
            return len(re.findall(r"IXFR, incoming, .* finished", peer.log))
        case _:
            return len(re.findall(r"got incremental response", peer.log))
