"""Ask a running ocizone with dig and kdig, and print what they print.

    python bench/show_transcripts.py

Over UDP, TCP and TLS; with cookies, NSID, padding, a small buffer, an unknown EDNS version, a
signed zone transfer. Needs dig and kdig.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dns.message
import dns.query

from ocizone.lab.certificates import CertificateAuthority

PORT, TLS_PORT = 5395, 8953
SECRET = base64.b64encode(hashlib.sha256(b"not a secret").digest()).decode()
ZONE = """\
$ORIGIN example.org.
$TTL 300
@       IN SOA ns1 hostmaster 7 7200 3600 1209600 300
        IN NS ns1
ns1     IN A 192.0.2.1
        IN AAAA 2001:db8::1
www     IN A 192.0.2.10
@       IN HTTPS 1 www alpn=h2
""" + "".join(f'many IN TXT "{"x" * 60} {number}"\n' for number in range(30))
COREFILE = """\
example.org:{port} {{
    bind 127.0.0.1
    file db.example.org
    nsid ns1.lab
    tsig {{
        secret lab-key. {secret}
    }}
    transfer {{
        to 127.0.0.1 key lab-key.
    }}
}}
tls://example.org:{tls_port} {{
    bind 127.0.0.1
    tls {certificate} {key}
    file db.example.org
}}
"""
COMMANDS = (
    "dig @127.0.0.1 -p {port} www.example.org A +tcp +norec",
    "kdig @127.0.0.1 -p {tls_port} www.example.org A +tls-ca={ca} +tls-hostname=localhost +norec",
    "kdig @127.0.0.1 -p {tls_port} www.example.org A +tls +padding +norec",
    "kdig @127.0.0.1 -p {port} www.example.org A +cookie +norec",
    "kdig @127.0.0.1 -p {port} www.example.org A +nsid +norec",
    "kdig @127.0.0.1 -p {port} many.example.org TXT +bufsize=512 +ignore +norec",
    "dig @127.0.0.1 -p {port} example.org HTTPS +edns=1 +noednsnegotiation +norec",
    "dig @127.0.0.1 -p {port} example.net A +norec",
    "dig @127.0.0.1 -p {port} example.org AXFR +noall +answer",
    "dig @127.0.0.1 -p {port} example.org AXFR -y hmac-sha256:lab-key.:{secret} +noall +comments +stats",
    "dig @127.0.0.1 -p {port} example.org IXFR=6 -y hmac-sha256:lab-key.:{secret} +noall +comments +stats",
)


def wait_answering() -> None:
    """Wait until the server has the zone."""
    query = dns.message.make_query("example.org", "SOA")
    for _ in range(200):
        try:
            if dns.query.tcp(query, "127.0.0.1", 1.0, PORT).answer:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        authority = CertificateAuthority(directory)
        certificate, key = authority.issue("localhost", "127.0.0.1")
        (directory / "db.example.org").write_text(ZONE)
        facts = {
            "port": PORT,
            "tls_port": TLS_PORT,
            "secret": SECRET,
            "ca": authority.ca_file,
            "certificate": certificate,
            "key": key,
        }
        (directory / "Corefile").write_text(COREFILE.format(**facts))
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "ocizone", "serve", "--state-dir", "state"],
                cwd=directory,
                stderr=log,
            )
        try:
            wait_answering()
            for command in COMMANDS:
                words = shlex.split(command.format(**facts))
                print(f"$ {shlex.join(words).replace(SECRET, '...').replace(name, '.')}")
                run = subprocess.run(words, capture_output=True, text=True, check=False)
                print((run.stdout + run.stderr).replace(name, ".").strip() + "\n", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
