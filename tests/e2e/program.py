"""The real program on loopback: start it, ask it, push to it, kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode

from ocizone.control import ControlError, ask
from ocizone.lab import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.push import push
from ocizone.registry.reference import Reference

#: Longest wait for anything; a slow machine takes seconds, a hang takes for ever.
PATIENCE_S = 45.0

ZONE = """\
$ORIGIN example.org.
$TTL 300
@       IN SOA ns1 hostmaster {serial} 7200 3600 1209600 300
        IN NS ns1
ns1     IN A 192.0.2.1
www     IN A {address}
version IN TXT "{serial}"
"""


def zone(serial: int = 1, address: str = "192.0.2.10") -> bytes:
    """Return a master file of example.org."""
    return ZONE.format(serial=serial, address=address).encode()


def wait_until(probe: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Return the first truthy result of ``probe``."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s:g} s in vain for {what}")


class Server:
    """One running ``ocizone serve``."""

    def __init__(self, directory: Path, corefile: str, port: int, *arguments: str) -> None:
        self.directory = directory
        self.port = port
        self.state = directory / "state"
        self.corefile = directory / "Corefile"
        self.corefile.write_text(corefile)
        self.log_file = directory / "server.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ocizone", "serve", "--corefile", str(self.corefile)),
                    *("--state-dir", str(self.state), "--port", str(port), *arguments),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "default"},
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def query(
        self,
        name: str,
        rrtype: str = "A",
        *,
        tcp: bool = False,
        host: str = "127.0.0.1",
        timeout_s: float = 2.0,
    ) -> dns.message.Message:
        """Ask once; raises when nothing comes back."""
        question = dns.message.make_query(name, rrtype, use_edns=0)
        send = dns.query.tcp if tcp else dns.query.udp
        reply: dns.message.Message = send(question, host, timeout_s, self.port)
        return reply

    def answers(self, name: str, rrtype: str = "A", timeout_s: float = 2.0) -> list[str]:
        """Return the rdatas of the answer, sorted; empty when nothing comes back."""
        try:
            reply = self.query(name, rrtype, timeout_s=timeout_s)
        except (OSError, dns.exception.DNSException):
            return []
        return sorted(rdata.to_text() for rrset in reply.answer for rdata in rrset)

    def wait_answer(self, name: str, rrtype: str, *rdatas: str) -> None:
        """Wait until the answer is this one."""
        wanted = sorted(rdatas)
        last: list[str] = []

        def come() -> bool:
            self.alive()
            # Asked again soon: while the server starts, a question is lost and never answered.
            last[:] = self.answers(name, rrtype, 0.2)
            return last == wanted

        try:
            wait_until(come, f"{name} {rrtype} {wanted}")
        except AssertionError as error:
            raise AssertionError(f"{error}, last {last}; log:\n{self.log}") from error

    def wait_log(self, text: str, times: int = 1) -> None:
        """Wait until the log says something so many times."""
        wait_until(
            lambda: self.alive() and self.log.count(text) >= times, f"{text!r} in\n{self.log}"
        )

    def alive(self) -> bool:
        assert self.process.poll() is None, f"the server ended:\n{self.log}"
        return True

    def wait_answering(self) -> None:
        """Wait until it answers anything at all."""
        self.wait_log("answering")

    def page(self, path: str) -> tuple[int, str]:
        status, body = ask(self.state, path)
        return status, body.decode()

    def status(self) -> dict[str, Any]:
        """Return the status document, once there is one."""

        def read() -> dict[str, Any] | None:
            try:
                document: dict[str, Any] = json.loads(ask(self.state, "/v1/status")[1])
            except ControlError:
                return None
            return document

        found: dict[str, Any] = wait_until(read, f"a status; log:\n{self.log}")
        return found

    def source(self) -> dict[str, Any]:
        """Return the status of the only source."""
        (source,) = self.status()["sources"]
        assert isinstance(source, dict)
        return source

    def refresh(self) -> None:
        """Make it look now; a look under way may have begun before a push, so not during one."""
        idle = {"idle", "waiting"}
        wait_until(
            lambda: all(source["state"] in idle for source in self.status()["sources"]),
            "every source to be idle",
        )
        self.process.send_signal(signal.SIGHUP)

    def reload(self, corefile: str) -> None:
        """Change the Corefile, whole as editors do, and say so."""
        draft = self.corefile.with_suffix(".draft")
        draft.write_text(corefile)
        draft.replace(self.corefile)
        self.process.send_signal(signal.SIGUSR1)

    def stop(self) -> int:
        """End it as a service manager does; the exit status."""
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(10)


class Repository:
    """A repository that tests push to."""

    def __init__(self, registry: LabRegistry, name: str = "dns/zones") -> None:
        self.registry = registry
        self.reference = f"127.0.0.1:{registry.port}/{name}:prod"

    def push(self, **files: bytes) -> str:
        """Push files (``db_example_org`` is titled ``db.example.org``); return the digest."""
        return self.push_files({name.replace("_", "."): data for name, data in files.items()})

    def push_files(self, files: dict[str, bytes]) -> str:
        client = Client(Reference.parse(self.reference), insecure=True)
        try:
            return push(client, [(title, data, "text/dns") for title, data in files.items()])
        finally:
            client.close()

    def corefile(self, directory: Path, *lines: str, key: str = ".", interval: int = 5) -> str:
        """Return a Corefile that follows it."""
        return "\n".join(
            [
                f"{key} {{",
                "    bind 127.0.0.1",
                f"    root {directory}/served",
                f"    oci {self.reference} {{",
                f"        interval {interval}",
                "        insecure true",
                "    }",
                "    errors",
                *(f"    {line}" for line in lines),
                "}\n",
            ]
        )
