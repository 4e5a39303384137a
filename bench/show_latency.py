"""Push to served with a webhook, and rollback to served: medians of twenty.

    PYTHONPATH=. python bench/show_latency.py [--rounds 20]

docker-registry notifies the webhook by itself. "Served" is the first UDP answer with the new
content, asked for every 2 ms. The registry is stopped before the rollbacks: `ocizone rollback`
runs as an operator types it, and as one request to the control socket (without the interpreter's
start). Loopback only.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message

from ocizone.control import tell
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference
from tests.conftest import docker_registry_config, wait_until_listening
from tests.ports import free_port

ZONE = """\
$ORIGIN example.org.
$TTL 300
@ IN SOA ns1 hostmaster {serial} 7200 3600 1209600 300
  IN NS ns1
ns1 IN A 192.0.2.1
www IN TXT "{serial}"
"""
COREFILE = """\
example.org:{port} {{
    bind 127.0.0.1
    root {directory}/served
    oci {reference} {{
        interval 3600
        insecure true
    }}
    webhook 127.0.0.1:{hook} {{
        secret {directory}/secret
    }}
}}
"""


class Asking:
    """Asks one question until the answer is the wanted one."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(0.2)
        self._query = dns.message.make_query("www.example.org", "TXT").to_wire()

    def text(self) -> str:
        """Return the answer, "" for none."""
        try:
            self._socket.send(self._query)
            reply = dns.message.from_wire(self._socket.recv(4096))
        except OSError:
            return ""
        return reply.answer[0][0].to_text().strip('"') if reply.answer else ""

    def until(self, serial: int) -> float:
        """Return when the answer is this serial, on the monotonic clock."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.text() == str(serial):
                return time.monotonic()
            time.sleep(0.002)
        raise AssertionError(f"serial {serial} was not served within 30 s")


@contextmanager
def docker(directory: Path, hook: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run docker-registry with notifications; yield its host and what stops it."""
    host = f"127.0.0.1:{free_port()}"
    config: dict[str, object] = dict(docker_registry_config(directory, host, login=False))
    config["notifications"] = {
        "endpoints": [
            {
                "name": "ocizone",
                "url": f"http://127.0.0.1:{hook}/hook",
                "headers": {"Authorization": ["Bearer lab-only"]},
                "timeout": "1s",
                "threshold": 3,
                "backoff": "1s",
            }
        ]
    }
    (directory / "config.yml").write_text(json.dumps(config))
    with (directory / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(directory / "config.yml")], stdout=log, stderr=log
        )
    try:
        wait_until_listening(host, process)
        yield host, process.terminate
    finally:
        process.terminate()
        process.wait(20)


def serve(directory: Path) -> subprocess.Popen[bytes]:
    """Start the server."""
    with (directory / "serve.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ocizone", "serve", "-c", str(directory / "Corefile"),
             "--state-dir", str(directory / "state")],
            stdout=log, stderr=log,
        )  # fmt: skip


def pushes(client: Client, asking: Asking, rounds: int, versions: dict[int, str]) -> list[float]:
    """Push so many versions; return the seconds from the end of each push to its answer."""
    found = []
    for serial in range(2, rounds + 2):
        text = ZONE.format(serial=serial).encode()
        versions[serial] = push(client, [("db.example.org", text, "text/dns")])
        begun = time.monotonic()
        found.append(asking.until(serial) - begun)
        # The webhook lets a repository have so many looks at once; more come later.
        time.sleep(1.5)
    return found


def rollbacks(
    rounds: int, asking: Asking, versions: dict[int, str], go: Callable[[str], None]
) -> list[float]:
    """Roll back and forth between two versions; return the seconds from asking to the answer."""
    newest = max(versions)
    found = []
    for number in range(rounds):
        serial = newest - 1 if number % 2 == 0 else newest
        begun = time.monotonic()
        go(versions[serial])
        found.append(asking.until(serial) - begun)
    return found


def told(name: str, seconds: list[float]) -> None:
    """Print one row."""
    sys.stdout.write(
        f"| {name} | {len(seconds)} | {statistics.median(seconds):.3f} | {max(seconds):.3f} |\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        hook, port = free_port(), free_port()
        (directory / "secret").write_text("lab-only\n")
        with docker(directory, hook) as (host, stop_registry):
            reference = f"{host}/dns/zones:prod"
            client = Client(Reference.parse(reference), insecure=True)
            push(client, [("db.example.org", ZONE.format(serial=1).encode(), "text/dns")])
            (directory / "Corefile").write_text(
                COREFILE.format(port=port, directory=directory, reference=reference, hook=hook)
            )
            server = serve(directory)
            try:
                asking = Asking(port)
                asking.until(1)
                sys.stdout.write("| what | times | median s | max s |\n|---|---|---|---|\n")
                versions: dict[int, str] = {}
                told("push ended to served (webhook)", pushes(client, asking, rounds, versions))
                stop_registry()
                state = directory / "state"
                environment = {**os.environ, "OCIZONE_STATE_DIR": str(state)}
                command = [sys.executable, "-m", "ocizone", "rollback"]

                def typed(digest: str) -> None:
                    words = [*command, "--to", digest]
                    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)

                def asked(digest: str) -> None:
                    tell(state, "/v1/rollback", {"to": digest})

                row = rollbacks(rounds, asking, versions, typed)
                told("`ocizone rollback --to DIGEST` typed to served", row)
                told("control socket to served", rollbacks(rounds, asking, versions, asked))
            finally:
                server.terminate()
                server.wait(20)


if __name__ == "__main__":
    main()
