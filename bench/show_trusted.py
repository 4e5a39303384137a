"""A transcript against docker-registry with htpasswd and TLS: push to offline restart.

    PYTHONPATH=. python bench/show_trusted.py

Runs the commands an operator types, and prints them with what they said and their exit status:
push, plan, sign, verify, hold, approve, rollback, pin, offline restart.
Loopback only; everything lives in a temporary directory.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ocizone.lab.certificates import CertificateAuthority
from tests.conftest import docker_registry_config, wait_until_listening
from tests.ports import free_port

COREFILE = """\
example.org:{port} {{
    bind 127.0.0.1
    root {directory}/served
    oci {reference} {{
        interval 3600
        username alice
        password_file {directory}/password
        ca_file {ca}
        verify {{
            key {directory}/ops.pub
        }}
        guard {{
            deletes 30%
            ns
            zones
        }}
    }}
    provenance
    errors
}}
"""
HEAD = "$ORIGIN example.org.\n$TTL 300\n@ IN SOA ns1 hostmaster {} 7200 3600 1209600 300\n"
NAMES = "  IN NS ns1\nns1 IN A 192.0.2.1\nwww IN A {}\n"
TESTS = "- {name: www.example.org, type: A, rdata: [%s]}\n"


class Terminal:
    """Runs commands and shows them."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = {**os.environ, **environment}

    def say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def run(self, line: str, *, given: str = "") -> str:
        """Run a command line, print it and what it says, return its standard output."""
        self.say(f"$ {line}")
        words = shlex.split(line)
        if words[0] == "ocizone":
            words[:1] = [sys.executable, "-m", "ocizone"]
        done = subprocess.run(
            words, cwd=self.directory, env=self.environment, input=given,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        self.say(done.stdout.rstrip())
        self.say(f"[exit {done.returncode}]")
        return done.stdout


def write_zone(directory: Path, serial: int, address: str, hosts: int) -> None:
    """Write the zone and its test."""
    zones = directory / "zones"
    zones.mkdir(exist_ok=True)
    text = HEAD.format(serial) + NAMES.format(address)
    text += "".join(f"h{number} IN A 192.0.2.{number + 20}\n" for number in range(hosts))
    (zones / "db.example.org").write_text(text)
    (zones / "zone-tests.yaml").write_text(TESTS % address)


def prepare(directory: Path) -> tuple[subprocess.Popen[bytes], str, Path]:
    """Start docker-registry with a login and TLS; make keys."""
    authority = CertificateAuthority(directory)
    certificate, key = authority.issue("127.0.0.1", "localhost")
    host = f"127.0.0.1:{free_port()}"
    config = docker_registry_config(directory, host, login=True)
    config["http"]["tls"] = {"certificate": str(certificate), "key": str(key)}
    (directory / "config.yml").write_text(json.dumps(config))
    with (directory / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(directory / "config.yml")], stdout=log, stderr=log
        )
    wait_until_listening(host, process)
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "ops.key").write_bytes(pem)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / "ops.pub").write_bytes(public)
    (directory / "password").write_text("s3cret\n")
    return process, host, authority.ca_file


def serve(terminal: Terminal) -> subprocess.Popen[bytes]:
    """Start the server, and wait until it answers."""
    terminal.say("$ ocizone serve &")
    with (terminal.directory / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ocizone", "serve"],
            cwd=terminal.directory, env=terminal.environment, stdout=log, stderr=log,
        )  # fmt: skip
    while b"answering" not in (terminal.directory / "serve.log").read_bytes():
        time.sleep(0.02)
    return process


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        registry, host, ca = prepare(directory)
        reference = f"{host}/dns/zones:prod"
        port = free_port()
        environment = {
            "OCIZONE_STATE_DIR": str(directory / "state"),
            "DOCKER_CONFIG": str(directory / "docker"),
            "COLUMNS": "160",
        }
        terminal = Terminal(directory, environment)
        (directory / "Corefile").write_text(
            COREFILE.format(port=port, directory=directory, reference=reference, ca=ca)
        )
        served = None
        try:
            served = transcript(terminal, reference, ca, port, registry)
        finally:
            for process in (served, registry):
                if process is not None and process.poll() is None:
                    process.terminate()
                    process.wait(20)
            terminal.say("$ grep -c s3cret serve.log   # no secret in the log")
            terminal.say(str((directory / "serve.log").read_text().count("s3cret")))


def transcript(
    terminal: Terminal,
    reference: str,
    ca: Path,
    port: int,
    registry: subprocess.Popen[bytes],
) -> subprocess.Popen[bytes]:
    """Type the commands."""
    directory, run = terminal.directory, terminal.run
    repository = reference.rpartition(":")[0]
    dig = f"dig +short @127.0.0.1 -p {port}"
    run(f"ocizone login {reference.partition('/')[0]} -u alice --password-stdin --ca-file {ca}",
        given="s3cret\n")  # fmt: skip
    write_zone(directory, 1, "192.0.2.10", 30)
    run("ocizone check zones")
    run(f"ocizone push {reference} zones --ca-file {ca}")
    served = serve(terminal)
    run("ocizone refresh --wait")
    run("ocizone status")
    terminal.say("# signed now: the same digest is served")
    run(f"ocizone push {reference} zones --ca-file {ca} --sign-key ops.key --wait")
    run(f"{dig} www.example.org")
    run(f"{dig} CH TXT artifact.example.org")
    write_zone(directory, 2, "192.0.2.11", 30)
    run(f"ocizone push {reference} zones --ca-file {ca} --dry-run")
    run(f"ocizone push {reference} zones --ca-file {ca} --sign-key ops.key --wait")
    run(f"{dig} www.example.org")
    run(f"ocizone verify {reference} --ca-file {ca} --key ops.pub")
    terminal.say("# a test in the artifact that fails: refused, and not pushed by us either")
    (directory / "zones" / "zone-tests.yaml").write_text(TESTS % "192.0.2.99")
    run("ocizone check zones")
    terminal.say("# twenty of thirty hosts gone: held")
    write_zone(directory, 3, "192.0.2.11", 10)
    run(f"ocizone push {reference} zones --ca-file {ca} --sign-key ops.key --wait")
    run("ocizone status")
    held = json.loads(run("ocizone status -o json"))["sources"][0]["held"]["digest"]
    run(f"{dig} h20.example.org")
    run(f"ocizone approve {held[7:19]}")
    run(f"{dig} h20.example.org")
    run("ocizone history")
    run("ocizone rollback --reason 'h20 was needed'")
    run(f"{dig} h20.example.org")
    run("ocizone refresh --wait")
    run(f"{dig} h20.example.org")
    run("ocizone which h20.example.org")
    run("ocizone diff @served zones")
    run(f"ocizone pin {held[7:19]} --reason 'we live without it'")
    run(f"{dig} h20.example.org")
    run(f"ocizone tags {repository} --ca-file {ca}")
    terminal.say("# the registry is gone; kill -9, and start again")
    registry.terminate()
    registry.wait(20)
    served.kill()
    served.wait(10)
    (directory / "serve.log").rename(directory / "serve.log.1")
    begun = time.monotonic()
    served = serve(terminal)
    terminal.say(f"[answering after {time.monotonic() - begun:.2f} s]")
    run(f"{dig} h20.example.org")
    run(f"{dig} www.example.org")
    run(f"{dig} CH TXT artifact.example.org")
    run("ocizone unpin")
    run("ocizone rollback")
    run(f"{dig} h20.example.org")
    run("ocizone status")
    run("ocizone verify")
    return served


if __name__ == "__main__":
    main()
