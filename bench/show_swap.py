"""Push-to-served time and losses under load: versions never mix, nothing is lost.

    python bench/show_swap.py [--pushes 5] [--rate 1000] [--hosts 0]

Starts the lab registry and ``ocizone serve`` with interval 5, asks 1,000 queries a second (A and
TXT of one name in turn, both carrying the version), pushes new versions, and reports: time from
the end of a push to the first new answer, queries lost, SERVFAIL, and answers that went back to
an older version.
"""

from __future__ import annotations

import argparse
import itertools
import json
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import dns.message

from ocizone.lab.registry import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

PORT = 5391
ZONE = """\
$ORIGIN example.org.
$TTL 60
@ IN SOA ns1 hostmaster {version} 7200 3600 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.1
www IN A 10.0.{high}.{low}
www IN TXT "{version}"
"""


def zone(version: int, hosts: int = 0) -> bytes:
    """Return the zone of a version; it shows in the serial, an A and a TXT record.

    Args:
        version: of the zone.
        hosts: so many A records more, which take time to compile.
    """
    text = ZONE.format(version=version, high=version >> 8, low=version & 255)
    lines = (f"h{n} A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(hosts))
    return "\n".join([text, *lines, ""]).encode()


class Load:
    """Asks at a steady rate from one socket and keeps what came back."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.sent: dict[int, float] = {}
        self.sent_count = 0
        self.seen: list[tuple[float, int, int]] = []
        self.servfail = 0
        self.latencies: list[float] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Send and receive until stopped, then half a second more."""
        templates = [
            dns.message.make_query("www.example.org", rrtype).to_wire()[2:]
            for rrtype in ("A", "TXT")
        ]
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.connect(("127.0.0.1", PORT))
        sock.setblocking(False)
        number = 0
        begun = time.monotonic()
        end = None
        while end is None or time.monotonic() < end:
            now = time.monotonic()
            while end is None and number < (now - begun) * self.rate:
                ident = number & 0xFFFF
                self.sent[ident] = now
                sock.send(ident.to_bytes(2, "big") + templates[number & 1])
                number += 1
            select.select([sock], [], [], 0.0005)
            try:
                while True:
                    self.reply(sock.recv(4096))
            except BlockingIOError:
                pass
            if end is None and self.stopping.is_set():
                end = time.monotonic() + 0.5
        self.sent_count = number

    def reply(self, wire: bytes) -> None:
        """Note one reply."""
        now = time.monotonic()
        asked = self.sent.pop(int.from_bytes(wire[:2], "big"), None)
        if asked is None:
            return
        self.latencies.append(now - asked)
        if wire[3] & 15:
            self.servfail += 1
            return
        (rrset,) = dns.message.from_wire(wire).answer
        text = rrset[0].to_text()
        parts = text.split(".")
        version = int(text.strip('"')) if len(parts) == 1 else int(parts[2]) << 8 | int(parts[3])
        self.seen.append((now, version, int.from_bytes(wire[:2], "big")))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=5)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=0, help="records more, to compile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LabRegistry() as registry:
        directory = Path(name)
        reference = f"127.0.0.1:{registry.port}/dns/zones:prod"
        client = Client(Reference.parse(reference), insecure=True)
        push(client, [("db.example.org", zone(1, arguments.hosts), "text/dns")])
        (directory / "Corefile").write_text(
            f".:{PORT} {{\n bind 127.0.0.1\n root {directory}/served\n"
            f" oci {reference} {{\n  interval 5\n  insecure true\n }}\n}}\n"
        )
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "ocizone", "serve", "-c", str(directory / "Corefile"),
                 "--state-dir", str(directory / "state")],
                stderr=log,
            )  # fmt: skip
        try:
            measure(client, arguments.pushes, arguments.rate, directory, arguments.hosts)
        finally:
            server.terminate()
            server.wait(10)


def measure(client: Client, pushes: int, rate: int, directory: Path, hosts: int) -> None:
    """Push under load and print one JSON document."""
    wait_for_first()
    load = Load(rate)
    load.thread.start()
    time.sleep(2)
    served = []
    for version in range(2, pushes + 2):
        push(client, [("db.example.org", zone(version, hosts), "text/dns")])
        pushed = time.monotonic()
        while not any(found == version for _, found, _ in load.seen[-200:]):
            time.sleep(0.002)
        first = next(when for when, found, _ in load.seen if found == version)
        served.append(round(first - pushed, 3))
    time.sleep(1)
    load.stopping.set()
    load.thread.join()
    versions = [version for _, version, _ in load.seen]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(versions))
    latencies = sorted(load.latencies)
    print(
        json.dumps(
            {
                "push_to_served_s": served,
                "goal_s": 5.5,
                "sent": load.sent_count,
                "lost": load.sent_count - len(load.latencies),
                "servfail": load.servfail,
                "older_after_newer": backwards,
                "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
                "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
                "max_ms": round(latencies[-1] * 1000, 2),
                "log_errors": [
                    line for line in (directory / "log").read_text().splitlines() if "ERROR" in line
                ],
            },
            indent=1,
        )
    )


def wait_for_first() -> None:
    """Wait until the first version is answered."""
    query = dns.message.make_query("www.example.org", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        for _ in range(200):
            try:
                sock.sendto(query, ("127.0.0.1", PORT))
                if not sock.recv(4096)[3] & 15:
                    return
            except OSError:
                pass
            time.sleep(0.05)
    raise SystemExit("no first answer")


if __name__ == "__main__":
    main()
