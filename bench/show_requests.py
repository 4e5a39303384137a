"""200 blocks over 20 repositories of one registry: how many requests it gets, and how fast.

    PYTHONPATH=. python bench/show_requests.py [--seconds 120] [--blocks 200] [--repositories 20]

Every block follows a tag with interval 5. The lab registry notes the time of each request; printed
are the requests by kind, and the most within any window of one second and of ten, beside what the
token bucket lets through (limits.REQUESTS_PER_S and limits.REQUESTS_BURST). Halfway all tags move.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ocizone import limits
from ocizone.lab.registry import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from tests.ports import free_port

ZONE = "@ 300 IN SOA ns1 hostmaster {serial} 7200 3600 1209600 300\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n"


def push_all(registry: LabRegistry, repositories: int, serial: int) -> None:
    """Move the tag of every repository."""
    for number in range(repositories):
        reference = Reference.parse(f"127.0.0.1:{registry.port}/zones/r{number}:prod")
        client = Client(reference, insecure=True)
        push(client, [(f"db.z{number}.test", ZONE.format(serial=serial).encode(), "text/dns")])
        client.close()


def corefile(directory: Path, registry: LabRegistry, blocks: int, repositories: int) -> str:
    """Return so many server blocks, each with a port of its own."""
    port = free_port()
    return "\n".join(
        f"z{block % repositories}.test:{port + block} {{\n  bind 127.0.0.1\n"
        f"  oci 127.0.0.1:{registry.port}/zones/r{block % repositories}:prod {directory}/p{block}"
        " {\n    interval 5\n    insecure true\n  }\n}"
        for block in range(blocks)
    )


def busiest(times: list[float], window: float) -> int:
    """Return the most requests within any window of so many seconds."""
    most, first = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--blocks", type=int, default=200)
    parser.add_argument("--repositories", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LabRegistry() as registry:
        directory = Path(name)
        push_all(registry, given.repositories, 1)
        text = corefile(directory, registry, given.blocks, given.repositories)
        (directory / "Corefile").write_text(text)
        registry.clear_requests()
        with (directory / "log").open("ab") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "ocizone", "serve", "-c", str(directory / "Corefile"),
                 "--state-dir", str(directory / "state")],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            begun = time.monotonic()
            time.sleep(given.seconds / 2)
            push_all(registry, given.repositories, 2)
            time.sleep(given.seconds / 2)
            elapsed = time.monotonic() - begun
        finally:
            server.terminate()
            server.wait(30)
        activated = (directory / "log").read_text().count("artifact activated")
        told(registry, elapsed, given.blocks, activated)


#: What a follower asks; a push asks for other things.
_ASKED = {("HEAD", "manifest"), ("GET", "manifest"), ("GET", "blob"), ("GET", "tags")}


def told(registry: LabRegistry, elapsed: float, blocks: int, activated: int) -> None:
    """Print what was counted."""
    asked = [one for one in registry.requests if (one.method, one.kind) in _ASKED]
    times = sorted(one.at for one in asked)
    kinds = Counter(f"{one.method} {one.kind}" for one in asked)
    allowed = limits.REQUESTS_PER_S
    lines = [
        f"{elapsed:.0f} s, {blocks} blocks, activations {activated}",
        f"requests {len(asked)}: {dict(kinds)}",
        f"HEADs without sharing: {int(elapsed // 5) * blocks}",
        f"most in 1 s: {busiest(times, 1)} (bucket: {limits.REQUESTS_BURST + allowed:g})",
        f"most in 10 s: {busiest(times, 10)} (bucket: {limits.REQUESTS_BURST + 10 * allowed:g})",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
