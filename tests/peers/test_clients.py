"""dig and kdig ask the real program: they sign, show cookies, and verify what comes back."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from ocizone.lab.certificates import CertificateAuthority
from tests.e2e.program import Server, wait_until, zone
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.peers("dig", "kdig")]

SECRET = base64.b64encode(b"not a real secret, just for tests").decode()
WRONG = base64.b64encode(b"another one").decode()
COREFILE = """\
example.org {{
    bind 127.0.0.1
    file {directory}/db.example.org
    tsig {{
        secret k256. {secret}
        secret k384. {secret} hmac-sha384
        secret k512. {secret} hmac-sha512
    }}
    transfer {{
        to 127.0.0.1 key k256.
        to 127.0.0.1 key k512.
    }}
    nsid ns1.lab
    cookies {{
        require
    }}
    errors
}}
tls://example.org:{tls_port} {{
    bind 127.0.0.1
    tls {certificate} {private}
    file {directory}/db.example.org
}}
"""


@dataclass(frozen=True)
class Site:
    server: Server
    tls_port: int

    def run(self, program: str, *arguments: str) -> str:
        """Return what dig or kdig prints; ``+tls`` goes to the TLS port."""
        port = self.tls_port if "+tls" in arguments else self.server.port
        ended = subprocess.run(
            [program, "@127.0.0.1", "-p", str(port), "+retry=0", "+norec", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("clients")
    (directory / "db.example.org").write_bytes(zone())
    certificate, private = CertificateAuthority(directory).issue("localhost", "127.0.0.1")
    tls_port = free_port()
    corefile = COREFILE.format(
        directory=directory,
        secret=SECRET,
        tls_port=tls_port,
        certificate=certificate,
        private=private,
    )
    server = Server(directory, corefile, free_port())
    try:
        server.wait_answer("www.example.org", "A", "192.0.2.10")
        # Each block reads the zone for itself.
        wait_until(lambda: server.page("/ready")[0] == HTTPStatus.OK, "both blocks")
        yield Site(server, tls_port)
    finally:
        if server.process.poll() is None:
            server.kill()


@pytest.mark.parametrize(
    "algorithm", ["hmac-sha256:k256.", "hmac-sha384:k384.", "hmac-sha512:k512."]
)
@pytest.mark.parametrize("name", ["www.example.org", "nx.example.org", "elsewhere.test"])
@pytest.mark.parametrize(
    ("program", "way"), [("dig", "+notcp"), ("dig", "+tcp"), ("kdig", "+tcp"), ("kdig", "+tls")]
)
def test_signed(site: Site, program: str, way: str, name: str, algorithm: str) -> None:
    """RFC 8945: each verifies our MAC, on each transport, of errors too."""
    said = site.run(program, way, "-y", f"{algorithm}:{SECRET}", name, "A")
    assert "TSIG" in said
    assert "WARNING" not in said
    assert "rror" not in said.replace("NOERROR", "").replace("TSIG error", "")
    rcode = {"www.example.org": "NOERROR", "nx.example.org": "NXDOMAIN"}.get(name, "REFUSED")
    assert f"status: {rcode}" in said


@pytest.mark.parametrize("program", ["dig", "kdig"])
@pytest.mark.parametrize(
    ("key", "error"),
    [(f"hmac-sha256:k256.:{WRONG}", "BADSIG"), (f"hmac-sha256:other.:{SECRET}", "BADKEY"),
     (f"hmac-sha256:k512.:{SECRET}", "BADKEY")],
)  # fmt: skip
def test_signed_wrongly(site: Site, program: str, key: str, error: str) -> None:
    """RFC 8945 5.2.1, 5.2.2: NOTAUTH and the reason, which they show."""
    said = site.run(program, "-y", key, "www.example.org", "A")
    # kdig shows the TSIG's error instead of the rcode.
    assert "status: NOTAUTH" in said or program == "kdig"
    assert error in said
    assert "192.0.2.10" not in said


@pytest.mark.parametrize("program", ["dig", "kdig"])
@pytest.mark.parametrize(
    ("key", "allowed"), [("hmac-sha256:k256.", True), ("hmac-sha512:k512.", True), ("hmac-sha384:k384.", False)]
)  # fmt: skip
def test_transfers(site: Site, program: str, key: str, allowed: bool) -> None:
    """RFC 8945 5.3.1: the stream verifies; another key is no permission."""
    said = site.run(program, "-y", f"{key}:{SECRET}", "example.org", "AXFR")
    assert ("192.0.2.10" in said) == allowed
    assert "WARNING" not in said or not allowed
    assert ("REFUSED" in said or "ailed" in said) != allowed
    assert "192.0.2.10" not in site.run(program, "example.org", "AXFR")


def test_cookies(site: Site) -> None:
    """RFC 7873: BADCOOKIE, then an answer with the cookie that came; dig says (good)."""
    said = site.run("dig", "+cookie", "www.example.org", "A")
    assert "BADCOOKIE, retrying" in said
    assert "(good)" in said
    assert "192.0.2.10" in said
    assert "status: BADCOOKIE" in site.run("kdig", "+cookie", "www.example.org", "A")
    said = site.run("kdig", "+cookie", "+badcookie", "www.example.org", "A")
    assert "192.0.2.10" in said
    assert "status: NOERROR" in site.run("kdig", "+cookie", "+tcp", "www.example.org", "A")
    assert "status: NOERROR" in site.run("kdig", "+tls", "+cookie", "www.example.org", "A")


def test_a_malformed_cookie(site: Site) -> None:
    """RFC 7873 5.2.2."""
    assert "FORMERR" in site.run("dig", "+nocookie", "+ednsopt=10:0102", "www.example.org", "A")


def test_the_other_options(site: Site) -> None:
    """NSID, expire, keepalive, padding and zone version, as they show them."""
    assert '"ns1.lab"' in site.run("dig", "+nocookie", "+nsid", "www.example.org", "A")
    assert "EXPIRE: 1209600" in site.run("dig", "+nocookie", "+expire", "example.org", "SOA")
    said = site.run("dig", "+nocookie", "+tcp", "+keepalive", "www.example.org", "A")
    assert "TCP-KEEPALIVE: 10.0 secs" in said.replace("TCP KEEPALIVE", "TCP-KEEPALIVE")
    said = site.run("dig", "+nocookie", "+ednsopt=19", "www.example.org", "A")
    assert "OPT=19: 02 00 00 00 00 01" in said
    said = site.run("kdig", "+tls", "+padding", "www.example.org", "A")
    assert "PADDING" in said
    assert "468 B" in said


@pytest.mark.parametrize("program", ["dig", "kdig"])
def test_nobody_learns_a_secret(site: Site, program: str) -> None:
    """Not from the log, whatever was asked."""
    site.run(program, "-y", f"hmac-sha256:k256.:{WRONG}", "www.example.org", "A")
    assert SECRET not in site.server.log
    assert "not a real secret" not in site.server.log
