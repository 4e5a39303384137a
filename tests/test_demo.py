"""The parts of the demo; as a whole it is shown by tests/e2e."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from ocizone import demo
from ocizone.demo import DemoError, NoAnswerError, Stage
from ocizone.lab import LabRegistry


def test_the_samples_are_there():
    """In a checkout; an installation has its own copy."""
    assert (demo.sample_zones() / "db.example.org").is_file()


def test_missing_samples_are_told(tmp_path, monkeypatch):
    """With what to do."""
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "a" / "demo.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(DemoError, match="--zones"):
        demo.sample_zones()
    installed = tmp_path / "share" / "ocizone" / "zones"
    installed.mkdir(parents=True)
    assert demo.sample_zones() == installed


@pytest.fixture
def where(tmp_path) -> Stage:
    (tmp_path / "zones").mkdir()
    return Stage("localhost:1", "localhost:1/x:y", "127.0.0.1", 1, tmp_path)


def test_a_change_raises_the_serial(where):
    """Of the first file that has one; the record is at the end."""
    (where.zones / "db.example.com").write_text("no serial")
    file = where.zones / "db.example.org"
    file.write_text("@ SOA a b 2026112101 1 1 1 1\nwww A 192.0.2.1\n")
    assert demo.make_change(where, "text") == "db.example.org"
    assert file.read_text() == (
        '@ SOA a b 2026112102 1 1 1 1\nwww A 192.0.2.1\n\nhello 60 IN TXT "text"\n'
    )


def test_zones_without_a_serial_cannot_change(where):
    """The operator's own directory may hold anything."""
    with pytest.raises(DemoError, match=r"no db\.example"):
        demo.make_change(where, "text")


def test_the_usual_port_or_another(monkeypatch):
    """Somebody may run a registry already."""
    with LabRegistry() as taken:
        monkeypatch.setattr(demo, "REGISTRY_PORT", taken.port)
        with demo._registry() as registry:
            assert registry.port != taken.port
    with demo._registry() as registry:
        assert registry.port == taken.port


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_an_answer_is_waited_for(tmp_path, running):
    """Silence, other records, then the one that is wanted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)

        def serve() -> None:
            for text in (None, "old", "new"):
                packet, client = sock.recvfrom(512)
                reply = dns.message.make_response(dns.message.from_wire(packet))
                if text:
                    record = dns.rrset.from_text("x.org.", 1, "IN", "TXT", text)
                    reply.answer.append(record)
                sock.sendto(reply.to_wire(), client)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        where = Stage("", "", "127.0.0.1", sock.getsockname()[1], tmp_path)
        answer = demo.wait_for(where, running, "x.org", "TXT", lambda text: "new" in text)
        assert answer == 'x.org. 1 IN TXT "new"'
        serving.join(10)


def test_a_server_that_ended_is_not_waited_for(where):
    """A taken port, say."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(10)
    with pytest.raises(NoAnswerError, match="the server ended"):
        demo.wait_for(where, ended, "x.org", "A", lambda _: True)


def test_patience_ends(where, running, monkeypatch):
    """With the last thing that was heard."""
    monkeypatch.setattr(demo, "PATIENCE_S", 0.0)
    with pytest.raises(NoAnswerError, match=r"x\.org A: nothing"):
        demo.wait_for(where, running, "x.org", "A", lambda _: True)


def test_the_last_lines_of_the_log_are_shown(tmp_path):
    """They say why there is no answer."""
    log = Path(tmp_path, "log")
    log.write_bytes(b"\n".join(b"%d" % number for number in range(9)) + b"\xff")
    assert demo._last(log).split() == ["4", "5", "6", "7", "8�"]
