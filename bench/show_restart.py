"""kill -9 with the registry gone, and a registry that accepts and never answers.

    PYTHONPATH=. python bench/show_restart.py

Prints: seconds from starting the killed server again to its first answer, whether the zones are
the same; then, with a silent registry, answers while it hangs and seconds from SIGTERM to the end.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dns.message

from bench.show_swap import zone
from ocizone.lab.registry import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

PORT = 5393
QUERY = dns.message.make_query("www.example.org", "TXT").to_wire()


def answer() -> str | None:
    """Return the answer's text, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.02)
        try:
            sock.connect(("127.0.0.1", PORT))
            sock.send(QUERY)
            reply = dns.message.from_wire(sock.recv(4096))
        except OSError:
            return None
    return reply.answer[0][0].to_text() if reply.answer else f"rcode {reply.rcode()}"


def wait_for_answer() -> tuple[str, float]:
    """Return the first answer of any kind, and the seconds until it came."""
    begun = time.monotonic()
    while (found := answer()) is None:
        time.sleep(0.005)
    return found, round(time.monotonic() - begun, 3)


def serve(directory: Path) -> subprocess.Popen[bytes]:
    """Start the server."""
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ocizone", "serve", "-c", str(directory / "Corefile"),
             "--state-dir", str(directory / "state")],
            stderr=log,
        )  # fmt: skip


def main() -> None:
    """Run and print."""
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name, LabRegistry() as registry:
        directory = Path(name)
        reference = f"127.0.0.1:{registry.port}/dns/zones:prod"
        client = Client(Reference.parse(reference), insecure=True)
        push(client, [("db.example.org", zone(7), "text/dns")])
        (directory / "Corefile").write_text(
            f".:{PORT} {{\n bind 127.0.0.1\n root {directory}/served\n"
            f" oci {reference} {{\n  interval 5\n  insecure true\n }}\n}}\n"
        )
        server = serve(directory)
        while answer() != '"7"':
            time.sleep(0.05)
        registry.faults.hang()
        time.sleep(6)
        result["answer_while_the_registry_hangs"] = answer()
        begun = time.monotonic()
        server.terminate()
        result["sigterm_status"] = server.wait(30)
        result["sigterm_to_end_s"] = round(time.monotonic() - begun, 3)
        registry.faults.clear()
        runs = []
        for _ in range(5):
            server = serve(directory)
            while answer() != '"7"':
                time.sleep(0.01)
            server.kill()
            server.wait()
            registry.stop()
            server = serve(directory)
            runs.append(wait_for_answer())
            server.terminate()
            server.wait(10)
        result["restart_after_kill_first_answer"] = runs
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
