"""DNS over TLS by the real program, asked by Python's ssl and by kdig."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import pytest

from ocizone.lab.certificates import CertificateAuthority
from tests.e2e.conftest import Serve
from tests.e2e.program import PATIENCE_S, Server, wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e

NAME = "ns1.example.org"


class Site:
    """One server with one zone on a plain and on a TLS port."""

    def __init__(self, serve: Serve, directory: Path, *lines: str) -> None:
        self.directory = directory
        self.authority = CertificateAuthority(directory)
        self.port = free_port()
        (directory / "db.example.org").write_bytes(zone())
        self.renew()
        self.corefile = "\n".join(
            [
                f"example.org, tls://example.org:{self.port} {{",
                "    bind 127.0.0.1",
                f"    root {directory}",
                "    tls tls.crt tls.key",
                "    file db.example.org",
                *(f"    {line}" for line in lines),
                "}\n",
            ]
        )
        self.server: Server = serve(self.corefile)
        self.server.wait_answer("www.example.org", "A", "192.0.2.10")

    def renew(self) -> str:
        """Put a new certificate in place; return its serial number."""
        certificate, key = self.authority.issue(NAME, "127.0.0.1")
        for new, name in ((key, "tls.key"), (certificate, "tls.crt")):
            (self.directory / name).write_bytes(new.read_bytes())
        return certificate.stem.upper()

    def kdig(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                *("kdig", "@127.0.0.1", "-p", str(self.port), "+retry=0", "+time=5"),
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.stdout + done.stderr

    @contextmanager
    def connected(self) -> Iterator[ssl.SSLSocket]:
        context = ssl.create_default_context(cafile=str(self.authority.ca_file))
        context.set_alpn_protocols(["dot"])
        with (
            socket.create_connection(("127.0.0.1", self.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            yield secure

    def shown(self) -> str:
        """Return the serial number of the certificate a new connection is shown."""
        with self.connected() as secure:
            return serial(secure)


def serial(secure: ssl.SSLSocket) -> str:
    found = secure.getpeercert()
    assert found is not None
    return str(found["serialNumber"]).lstrip("0")


def ask(stream: socket.socket, *names: str) -> list[str]:
    """Ask on a connection, all at once; return the rcode and answers of each reply."""
    queries = [dns.message.make_query(name, "A", id=number) for number, name in enumerate(names)]
    stream.sendall(b"".join(len(q.to_wire()).to_bytes(2, "big") + q.to_wire() for q in queries))
    found = {}
    for _ in names:
        size = int.from_bytes(exactly(stream, 2), "big")
        reply = dns.message.from_wire(exactly(stream, size))
        found[reply.id] = " ".join(rrset[0].to_text() for rrset in reply.answer)
    return [found[number] for number in range(len(names))]


def exactly(stream: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = stream.recv(size - len(found))
        assert more, "closed"
        found += more
    return found


@pytest.fixture
def site(serve: Serve, tmp_path: Path) -> Site:
    return Site(serve, tmp_path)


def test_a_zone_over_tls_and_in_plain(site):
    """One block, two keys, the same answers; the operator sees both addresses."""
    with site.connected() as secure:
        assert secure.selected_alpn_protocol() == "dot"
        assert ask(secure, "www.example.org", "ns1.example.org") == ["192.0.2.10", "192.0.2.1"]
    assert site.server.answers("www.example.org") == ["192.0.2.10"]
    address = f"tls://127.0.0.1:{site.port}"
    assert f"endpoint={address}" in site.server.log
    listeners = {one["endpoint"]: one for one in site.server.status()["listeners"]}
    assert listeners[address]["port"] == site.port
    assert "certificate_until" in listeners[address]
    assert f'not_after_timestamp_seconds{{server="{address}"}}' in site.server.page("/metrics")[1]


def test_a_thousand_queries_on_one_connection(site):
    """RFC 7766 6.2.1.1, over TLS and with the real reactor."""
    with site.connected() as secure:
        names = ["www.example.org", "ns1.example.org"] * 500
        assert ask(secure, *names) == ["192.0.2.10", "192.0.2.1"] * 500


def test_a_renewed_certificate_drops_no_connection(site):
    """The old connection goes on, a new one is shown the new certificate."""
    with site.connected() as old:
        before = serial(old)
        assert ask(old, "www.example.org") == ["192.0.2.10"]
        renewed = site.renew()
        site.server.process.send_signal(signal.SIGHUP)
        site.server.wait_log("certificate taken up")
        assert site.shown() == renewed != before
        assert ask(old, "www.example.org") == ["192.0.2.10"]
    (site.directory / "tls.key").write_text("half a ke")
    site.server.process.send_signal(signal.SIGHUP)
    site.server.wait_log("certificate not taken up, the old one stays")
    assert site.shown() == renewed


def test_a_reload_takes_the_certificate_along(site):
    """SIGUSR1: changed files in a changed Corefile; a missing one changes nothing."""
    renewed = site.renew()
    site.server.reload(site.corefile.replace("root ", "any\n    root "))
    site.server.wait_log("reloaded")
    assert site.shown() == renewed
    site.server.reload(site.corefile.replace("tls.key", "no.key"))
    site.server.wait_log("reload failed")
    assert f"{site.directory}/no.key: No such file" in site.server.log
    assert site.shown() == renewed


def test_a_reload_opens_and_closes_the_tls_address(site):
    """From TLS to plain TCP on the same port, and back."""
    plain = site.corefile.replace("tls://", "dns://").replace("    tls tls.crt tls.key\n", "")
    site.server.reload(plain)
    site.server.wait_log("reloaded")
    # Another key line is another block: its zones are compiled for it.
    site.server.wait_answer("www.example.org", "A", "192.0.2.10")
    with socket.create_connection(("127.0.0.1", site.port), 10) as stream:
        assert ask(stream, "www.example.org") == ["192.0.2.10"]
    site.server.reload(site.corefile)
    site.server.wait_log("reloaded", 2)
    site.server.wait_answer("www.example.org", "A", "192.0.2.10")
    with site.connected() as secure:
        assert ask(secure, "www.example.org") == ["192.0.2.10"]


def test_no_certificate_no_start(serve, tmp_path):
    """The Corefile's line and the file's name."""
    server = serve("tls://example.org {\n    tls a.crt a.key\n    whoami\n}\n")
    assert server.process.wait(PATIENCE_S) != 0
    assert "Corefile:2" in server.log
    assert "a.crt: No such file or directory" in server.log
    assert "Traceback" not in server.log


def test_strangers_leave_no_trace_but_a_count(site):
    """HTTP, plain DNS, half a handshake, a reset: nothing in the log, everybody else is served."""
    query = dns.message.make_query("www.example.org", "A").to_wire()
    for octets in (b"GET / HTTP/1.0\r\n\r\n", len(query).to_bytes(2, "big") + query, b"\x16\x03"):
        with socket.create_connection(("127.0.0.1", site.port), 10) as stream:
            stream.sendall(octets)
            if octets[:1] == b"\x16":
                # RST instead of FIN.
                linger = b"\1\0\0\0\0\0\0\0"
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                assert b"192.0.2.10" not in stream.recv(100)
    with site.connected() as secure:
        assert ask(secure, "www.example.org") == ["192.0.2.10"]
    counted = 'ocizone_dns_dropped_total{reason="tls: no handshake"} 3.0'
    wait_until(lambda: counted in site.server.page("/metrics")[1], counted)
    assert "Traceback" not in site.server.log
    assert " ERROR " not in site.server.log


@pytest.mark.peers("kdig")
def test_kdig(site):
    """A client others wrote: encrypted, verified by name, and with a name that is wrong."""
    question = ("www.example.org", "A")
    assert "192.0.2.10" in site.kdig("+tls", *question)
    verified = [f"+tls-ca={site.authority.ca_file}", f"+tls-hostname={NAME}"]
    shown = site.kdig("-d", *verified, *question)
    assert "DEBUG: TLS, The certificate is trusted." in shown
    assert ";; TLS session (TLS1.3)" in shown
    assert "192.0.2.10" in shown
    wrong = site.kdig(verified[0], "+tls-hostname=ns1.example.net", *question)
    assert "192.0.2.10" not in wrong
