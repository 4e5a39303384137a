"""Ten ``oci`` blocks at interval 5 for a minute: the server's CPU, and what the registry saw.

PYTHONPATH=. python bench/show_idle.py [--blocks 10] [--seconds 60]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.show_swap import zone
from ocizone.lab.registry import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

PORT = 5392


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and its ended children (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, LabRegistry() as registry:
        directory = Path(name)
        blocks = []
        for number in range(arguments.blocks):
            reference = f"127.0.0.1:{registry.port}/dns/zone{number}:prod"
            text = zone(1).replace(b"example.org", b"example%d.org" % number)
            client = Client(Reference.parse(reference), insecure=True)
            push(client, [(f"db.example{number}.org", text, "text/dns")])
            blocks.append(
                f"example{number}.org:{PORT} {{\n bind 127.0.0.1\n root {directory}/{number}\n"
                f" oci {reference} {{\n  interval 5\n  insecure true\n }}\n}}\n"
            )
        (directory / "Corefile").write_text("".join(blocks))
        command = [sys.executable, "-m", "ocizone"]
        state = ["--state-dir", str(directory / "state")]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [*command, "serve", "-c", str(directory / "Corefile"), *state], stderr=log
            )
        try:
            while (directory / "log").read_text().count("activated") < arguments.blocks:
                time.sleep(0.1)
            time.sleep(3)
            registry.clear_requests()
            before, begun = cpu_seconds(server.pid), time.monotonic()
            time.sleep(arguments.seconds)
            used, wall = cpu_seconds(server.pid) - before, time.monotonic() - begun
            seen = Counter(f"{request.method} {request.kind}" for request in registry.requests)
            by_path = Counter(request.path for request in registry.requests)
        finally:
            server.terminate()
            server.wait(10)
    print(
        json.dumps(
            {
                "seconds": round(wall, 1),
                "cpu_seconds": used,
                "percent_of_a_core": round(100 * used / wall, 2),
                "goal_percent": 1,
                "requests": seen,
                "requests_per_block": sorted(set(by_path.values())),
                "ticks": int(arguments.seconds // 5),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
