"""Configurations of servers."""

from __future__ import annotations

import pytest

from bench.peers import SERVERS, CoreDns
from bench.servers import Nsd, Ocizone, ZoneFile


def zones(tmp_path, count):
    return [ZoneFile(f"z{n}.test.", tmp_path / "files" / f"db.z{n}.test") for n in range(count)]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.name)
def test_every_zone_is_configured(kind, count, tmp_path, monkeypatch):
    """Each configuration names the port and every zone file, or their folder."""
    monkeypatch.setattr(CoreDns, "given", "true")
    found = zones(tmp_path, count)
    server = kind(tmp_path / "server", 25300, found, None)
    command = server.command()
    written = [file.read_text() for file in (tmp_path / "server").iterdir() if file.is_file()]
    text = "\n".join([*written, *command])
    assert "25300" in text
    named = {str(zone.path) in text for zone in found}
    assert named == {True} or str(tmp_path / "files") in text or kind.name == "twisted.names"


def test_missing_program(monkeypatch):
    """A peer that is not there is None, not an error."""
    monkeypatch.setattr(Nsd, "program", "no-such-server")
    assert Nsd.binary() is None
    assert CoreDns.binary() is None


def test_end_of_a_server_is_told(tmp_path):
    """Waiting ends with the end of the process, and shows what it wrote."""

    class Broken(Ocizone):
        def command(self):
            return ["sh", "-c", "echo no such zone; exit 1"]

    server = Broken(tmp_path / "server", 25300, zones(tmp_path, 1), None)
    server.start()
    assert server.process is not None
    server.process.child.wait()
    with pytest.raises(RuntimeError, match="ocizone does not run: no such zone"):
        server.wait_ready()
