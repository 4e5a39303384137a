"""The slower peers: BIND, PowerDNS, twisted.names, and CoreDNS where a binary is given."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from typing import ClassVar

from bench.servers import PATH, TWISTED_NAMES, Knot, Nsd, Ocizone, Server, said


class Bind(Server):
    name = "BIND"
    program = "named"
    remark = "minimal-responses yes, -n 1"

    @classmethod
    def version(cls) -> str:
        return said(str(cls.binary()), "-v").split()[1].removesuffix("-Debian")

    def command(self) -> list[str]:
        own = self.directory
        lines = [
            "options {", f'  directory "{own}";', f"  listen-on port {self.port} {{ 127.0.0.1; }};",
            "  listen-on-v6 { none; };", "  pid-file none;", f'  session-keyfile "{own}/session";',
            "  recursion no;", "  allow-query { any; };", "  allow-transfer { none; };",
            "  minimal-responses yes;", "  answer-cookie no;", "  edns-udp-size 1232;",
            "  max-udp-size 1232;", "  dnssec-validation no;", "  empty-zones-enable no;",
            "  notify no;", "  querylog no;", "};", "controls {};",
            "logging { category default { null; }; };",
        ]  # fmt: skip
        lines += [
            f'zone "{zone.origin}" {{ type primary; file "{zone.path}"; }};' for zone in self.zones
        ]
        config = own / "named.conf"
        config.write_text("\n".join(lines) + "\n")
        return [str(self.binary()), "-f", "-n", "1", "-c", str(config)]


class PowerDns(Server):
    name = "PowerDNS"
    program = "pdns_server"
    remark = "bind backend, its packet and query caches as by default"
    reloads = False

    @classmethod
    def version(cls) -> str:
        text = said(str(cls.binary()), "--version")
        return text.partition("Authoritative Server ")[2].split()[0]

    def command(self) -> list[str]:
        own = self.directory
        zones = own / "zones.conf"
        zones.write_text(
            "".join(
                f'zone "{zone.origin.rstrip(".") or "."}" {{ type native; file "{zone.path}"; }};\n'
                for zone in self.zones
            )
        )
        lines = [
            "launch=bind", f"bind-config={zones}", "local-address=127.0.0.1",
            f"local-port={self.port}", f"socket-dir={own}", "receiver-threads=1",
            "distributor-threads=1", "retrieval-threads=1", "signing-threads=1", "loglevel=0",
            "log-dns-queries=no", "udp-truncation-threshold=1232", "security-poll-suffix=",
            "daemon=no", "guardian=no", "setgid=", "setuid=", "write-pid=no",
        ]  # fmt: skip
        signed = [zone.origin for zone in self.zones if zone.signed]
        if signed:
            lines.append(f"bind-dnssec-db={own}/dnssec.db")
        (own / "pdns.conf").write_text("\n".join(lines) + "\n")
        tool = [shutil.which("pdnsutil", path=PATH) or "pdnsutil", f"--config-dir={own}"]
        if signed:
            subprocess.run(
                [*tool, "create-bind-db", f"{own}/dnssec.db"], check=True, capture_output=True
            )
        for origin in signed:
            subprocess.run([*tool, "set-presigned", origin], check=True, capture_output=True)
        return [str(self.binary()), f"--config-dir={own}"]


class TwistedNames(Server):
    name = "twisted.names"
    program = sys.executable
    remark = "its answers lack RD, EDNS and, when negative, the SOA"
    loads = False

    @classmethod
    def binary(cls) -> str | None:
        return sys.executable

    @classmethod
    def version(cls) -> str:
        return importlib.metadata.version("twisted")

    def command(self) -> list[str]:
        zone = self.zones[0]
        return [sys.executable, str(TWISTED_NAMES), str(self.port), str(zone.path)]


class CoreDns(Server):
    """Only where ``--coredns PATH`` names a binary."""

    name = "CoreDNS"
    program = "coredns"
    reloads = False
    given: ClassVar[str | None] = None

    @classmethod
    def binary(cls) -> str | None:
        return shutil.which(cls.given, path=PATH) if cls.given else None

    @classmethod
    def version(cls) -> str:
        return said(str(cls.binary()), "-version").split()[0].removeprefix("CoreDNS-")

    def command(self) -> list[str]:
        if len(self.zones) > 1:
            source = f"auto {{\n directory {self.zones[0].path.parent}\n}}"
        else:
            source = f"file {self.zones[0].path} {self.zones[0].origin}"
        corefile = self.directory / "Corefile"
        corefile.write_text(
            f".:{self.port} {{\n bind 127.0.0.1\n {source}\n errors\n bufsize 1232\n minimal\n"
            f" prometheus 127.0.0.1:{self.port + 1}\n}}\n"
        )
        return ["env", "GOMAXPROCS=1", str(self.binary()), "-quiet", "-conf", str(corefile)]


#: In the order of tables; the first is compared with each of the others.
SERVERS: tuple[type[Server], ...] = (
    Ocizone, Knot, Nsd, Bind, PowerDns, CoreDns, TwistedNames,
)  # fmt: skip
