"""The commands against the real server: when one returns, the answer is what it said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocizone.lab import LabRegistry
from tests.cli.test_main import run
from tests.e2e.program import Server

pytestmark = pytest.mark.e2e

HEAD = """\
$ORIGIN example.org.
@ 300 IN SOA ns hostmaster {serial} 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
version 300 IN TXT "{serial}"
"""


class Operator:
    """Somebody at a terminal of the machine: zones in a directory, a server, a registry."""

    def __init__(self, directory: Path, server: Server, registry: LabRegistry, capsys: Any) -> None:
        self.zones = directory / "zones"
        self.zones.mkdir()
        self.server = server
        self.target = f"localhost:{registry.port}/dns/zones:prod"
        self._capsys = capsys

    def write(self, serial: int, hosts: int) -> None:
        lines = "".join(f"h{number} 300 IN A 192.0.2.{number}\n" for number in range(hosts))
        (self.zones / "db.example.org").write_text(HEAD.format(serial=serial) + lines)

    def push(self, *options: str) -> int:
        return run("push", self.target, str(self.zones), "--wait", *options)

    def serves(self, serial: int) -> bool:
        """Tell whether a version is served now, without waiting."""
        return self.server.answers("version.example.org", "TXT") == [f'"{serial}"']

    def said(self) -> tuple[str, str]:
        out, err = self._capsys.readouterr()
        return out, err

    def json(self, *arguments: str) -> Any:
        self.said()
        run(*arguments, "-o", "json")
        return json.loads(self.said()[0])


@pytest.fixture
def operator(serve, lab_registry, tmp_path, monkeypatch, capsys) -> Operator:
    """A server with a guard, that looks once an hour; nothing is pushed yet."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nobody"))
    server = serve(
        f"example.org {{\n  bind 127.0.0.1\n  oci localhost:{lab_registry.port}/dns/zones:prod "
        f"{tmp_path / 'mat'} {{\n    interval 3600\n    insecure true\n    retries 3 1s\n"
        "    guard {\n      deletes 30%\n    }\n  }\n}\n"
    )
    server.wait_answering()
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(server.state))
    return Operator(tmp_path, server, lab_registry, capsys)


def test_push_hold_approve_and_back_without_the_registry(operator, lab_registry):
    """Each verb returns when it is so, or says why it is not; the served data agrees."""
    operator.write(1, 40)
    assert operator.push() == 0
    assert operator.serves(1)
    operator.write(2, 41)
    assert operator.push() == 0
    assert operator.serves(2)
    # Two thirds are gone: held, and served is what was.
    operator.write(3, 13)
    assert operator.push("--timeout", "20s") == 6
    assert operator.serves(2)
    assert run("refresh", "--wait") == 6
    (source,) = operator.json("status")["sources"]
    assert run("approve", source["held"]["digest"].removeprefix("sha256:")[:8]) == 0
    assert operator.serves(3)
    lab_registry.stop()
    assert run("rollback", "--reason", "typo") == 0
    assert operator.serves(2)
    assert run("refresh", "--wait") == 4
    assert operator.serves(2)
    first = operator.json("history")["deployments"][-1]
    assert run("pin", first["digest"]) == 0
    assert operator.serves(1)
    assert run("rollback", "--to", "999") == 1
    assert operator.serves(1)
    operator.said()
    assert run("status") == 0
    out, _ = operator.said()
    assert f"pinned to {first['digest']}" in out
    assert run("verify") == 0
    assert run("gc") == 0


def test_what_is_served_and_where_it_is_written(operator):
    """Which finds the line; diff compares with the tag."""
    operator.write(1, 2)
    assert operator.push() == 0
    operator.said()
    assert run("which", "version.example.org", "TXT") == 0
    out, _ = operator.said()
    assert out.splitlines()[-1] == "  db.example.org:5 TXT"
    assert run("diff", "prod", "@served") == 0
    operator.write(2, 2)
    assert run("diff", "@served", str(operator.zones)) == 1
    out, _ = operator.said()
    assert out.splitlines() == [
        "example.org  serial 1 -> 2",
        '- version.example.org. 300 IN TXT "1"',
        '+ version.example.org. 300 IN TXT "2"',
        "1 zone changed, +1 -1 (exit 1)",
    ]


def test_suspend_and_resume(operator):
    """A suspended source is not waited for; resume looks at once."""
    operator.write(1, 2)
    assert operator.push() == 0
    assert run("suspend", "--for", "2h") == 0
    operator.write(2, 2)
    assert operator.push("--timeout", "5s") == 1
    assert "not served: suspended" in operator.said()[1]
    assert operator.serves(1)
    assert run("resume") == 0
    assert run("refresh", "--wait") == 0
    assert operator.serves(2)
