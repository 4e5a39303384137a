"""NSD, Knot and BIND follow ocizone through random pushes: equal copies, by IXFR, in time.

    PYTHONPATH=. python bench/show_secondaries.py [--pushes 200] [--registry lab|docker]

Starts a registry, ``ocizone serve`` and the three secondaries, each with a TSIG key. Each push
edits a zone of 300 names by chance, and is followed by SIGHUP, as a webhook would. After each,
waits until every secondary has the serial, transfers the zone from all four, and compares the
copies record by record. Reports how long that took, and what the secondaries' logs say of how
they got it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ocizone.lab import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from tests.conftest import docker_registry_config, wait_until_listening
from tests.e2e.program import Server
from tests.peers.secondaries import Asked, Key, differences, dump, following, soa_of
from tests.ports import free_port

ZONE = "example.org."
KEY = Key()
HEAD = (
    "$ORIGIN example.org.\n$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 1 1209600 300\n@ NS ns1\n"
)
#: "Within 5 s of each push."
LIMIT_S = 5.0


class RandomZone:
    """A zone that is edited by chance; the same seed makes the same edits."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._records: set[tuple[str, str]] = {("ns1", "A 192.0.2.1")}
        for number in range(300):
            self._records.add((f"h{number}", f"A 10.0.{number >> 8}.{number & 255}"))
        self._ttls: dict[tuple[str, str], int] = {}

    def edit(self) -> None:
        """Add, remove and change one to thirty records, and some TTLs."""
        chance = self._chance
        for _ in range(chance.choice((1, 2, 5, 30))):
            name = chance.choice(
                (f"h{chance.randrange(400)}", "@", "*.w", f"MiX{chance.randrange(9)}")
            )
            match chance.randrange(5):
                case 0 | 1:
                    owned = sorted(record for record in self._records if record[0] == name)
                    self._records -= {chance.choice(owned)} if owned and name != "ns1" else set()
                case 2:
                    self._records.add(
                        (name, f"A 10.9.{chance.randrange(256)}.{chance.randrange(9)}")
                    )
                case 3:
                    self._records.add((name, f'TXT "{chance.randrange(99)}" "text"'))
                case _:
                    self._records.add((name, f"MX {chance.randrange(9)} Mail{chance.randrange(9)}"))
            if chance.random() < 0.2:
                self._ttls[name, chance.choice(("A", "TXT", "MX"))] = chance.choice((60, 300, 900))

    def text(self, serial: int) -> bytes:
        """Return the master file."""
        lines = [HEAD.format(serial=serial)]
        for name, rdata in sorted(self._records):
            ttl = self._ttls.get((name, rdata.split()[0]), 300)
            lines.append(f"{name} {ttl} {rdata}\n")
        return "".join(lines).encode()


@contextmanager
def docker_registry(directory: Path) -> Iterator[int]:
    """Start docker-registry without a login; yield its port."""
    directory.mkdir()
    port = free_port()
    host = f"127.0.0.1:{port}"
    config = directory / "config.yml"
    config.write_text(json.dumps(docker_registry_config(directory, host, login=False)))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=log, stderr=log
        )
    try:
        wait_until_listening(host, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def corefile(reference: str, directory: Path, ports: list[int]) -> str:
    """Return the Corefile: one artifact, three secondaries, and whoever compares."""
    told = "\n".join(f"to 127.0.0.1:{port} key {KEY.name}" for port in ports)
    return (
        f". {{\nbind 127.0.0.1\noci {reference} {directory}/served {{\ninterval 3600\n"
        f"insecure true\n}}\ntsig {{\nsecret {KEY.name} {KEY.secret}\n}}\n"
        f"transfer {{\n{told}\nto 127.0.0.1/32\n}}\nerrors\n}}\n"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--registry", choices=("lab", "docker"), default="lab")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    names = [name for name in ("nsd", "knotd", "named") if shutil.which(name)]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if arguments.registry == "docker":
            registry = stack.enter_context(docker_registry(directory / "registry"))
        else:
            registry = stack.enter_context(LabRegistry()).port
        reference = f"127.0.0.1:{registry}/dns/zones:prod"
        client = Client(Reference.parse(reference), insecure=True)
        stack.callback(client.close)
        zone = RandomZone(arguments.seed)
        push(client, [("db.example.org", zone.text(1), "text/dns")])
        (directory / "ocizone").mkdir()
        ports = [free_port() for _ in names]
        server = Server(directory / "ocizone", corefile(reference, directory, ports), free_port())
        stack.callback(server.kill)
        server.wait_answer("ns1.example.org", "A", "192.0.2.1")
        peers = [
            stack.enter_context(
                following(name, directory / name, port, Asked(server.port, [ZONE], key=KEY))
            )
            for name, port in zip(names, ports, strict=True)
        ]
        wait_all(ports, 1, time.monotonic() + 30)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        unequal = late = 0
        for serial in range(2, arguments.pushes + 2):
            zone.edit()
            push(client, [("db.example.org", zone.text(serial), "text/dns")])
            begun = time.monotonic()
            server.refresh()
            found = wait_all(ports, serial, begun + 30)
            for name, port in zip(names, ports, strict=True):
                seconds[name].append(found[port] - begun)
                late += found[port] - begun > LIMIT_S
            wanted = dump(server.port, ZONE)
            unequal += sum(dump(port, ZONE) != wanted for port in ports)
        print(
            f"{arguments.pushes} pushes to {arguments.registry}, {len(wanted)} records at the end"
        )
        print("| secondary | copies compared | by IXFR | push to served p50 | max |")
        print("|---|---|---|---|---|")
        for peer in peers:
            taken = seconds[peer.name]
            print(
                f"| {peer.name} | {len(taken)} | {differences(peer, 5000)} |"
                f" {statistics.median(taken):.2f} s | {max(taken):.2f} s |"
            )
        print(f"unequal: {unequal}; later than {LIMIT_S:g} s: {late}")
        sys.exit(bool(unequal or late))


def wait_all(ports: list[int], serial: int, deadline: float) -> dict[int, float]:
    """Return when each port had a serial."""
    found: dict[int, float] = {}
    while len(found) < len(ports):
        if time.monotonic() > deadline:
            sys.exit(f"serial {serial} not on every secondary: {sorted(set(ports) - set(found))}")
        for port in ports:
            if port not in found and soa_of(port, ZONE) == serial:
                found[port] = time.monotonic()
        time.sleep(0.01)
    return found


if __name__ == "__main__":
    main()
