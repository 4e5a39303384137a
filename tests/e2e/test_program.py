"""The program as its surroundings see it: demo, twistd, containers, service managers, scrapers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e


def ocizone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "ocizone", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_demo_shows_a_change_being_served(tmp_path):
    """`make demo` without the waiting: registry, push, serve, change, served; nothing left."""
    done = ocizone("demo", "--once", "--port", str(free_port()), TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert [line[0] for line in lines] == [
        "registry", "push", "serve", "answer", "dig", "change", "push", "answer",
    ]  # fmt: skip
    assert '"pushed a moment ago"' in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_when_its_port_is_taken(serve, repository, tmp_path):
    """It ends at once, with the reason."""
    server = serve(repository.corefile(tmp_path))
    server.wait_answering()
    done = ocizone("demo", "--once", "--port", str(server.port))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr


def test_twistd_runs_it(repository, tmp_path):
    """`twistd ocizone` is the same server under Twisted's runner."""
    repository.push(db_example_org=zone(1))
    corefile = tmp_path / "Corefile"
    corefile.write_text(repository.corefile(tmp_path))
    log = tmp_path / "twistd.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", "from twisted.scripts.twistd import run; run()"),
                *("--nodaemon", "--pidfile=", "--logger", "ocizone.observe.log.twistd"),
                *("ocizone", "--corefile", str(corefile)),
                *("--state-dir", str(tmp_path / "state"), "--port", str(free_port())),
            ],
            cwd=Path(__file__).resolve().parent.parent.parent,
            stderr=stderr,
        )
    try:
        wait_until(lambda: "artifact activated" in log.read_text(), "a zone")
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "reloaded" in log.read_text(), "a reload")
        repository.push(db_example_org=zone(2))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "example.org.=2" in log.read_text(), "the second version")
        process.terminate()
        # twistd ends itself by the signal it got, after the services have stopped.
        assert process.wait(15) == -signal.SIGTERM
        assert "INFO  stopped" in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def test_healthcheck_status_and_pages(serve, repository, tmp_path):
    """Containers ask `healthcheck`, people `status`, probes and scrapers the pages."""
    repository.push(db_example_org=zone(9))
    admin = free_port()
    server = serve(
        repository.corefile(
            tmp_path,
            f"health 127.0.0.1:{admin}",
            f"ready 127.0.0.1:{admin}",
            f"prometheus 127.0.0.1:{admin}",
        )
    )
    state = ("--state-dir", str(server.state))
    server.wait_answer("version.example.org", "TXT", '"9"')
    assert ocizone("healthcheck", *state).returncode == 0
    assert ocizone("healthcheck", "--ready", *state).returncode == 0
    status = ocizone("status", OCIZONE_STATE_DIR=str(server.state))
    assert status.returncode == 0
    assert "example.org" in status.stdout
    assert json.loads(ocizone("status", "-o", "json", *state).stdout)["ready"] is True
    _, metrics = server.page("/metrics")
    assert 'ocizone_zone_serial{view="dns://.:' in metrics
    assert "coredns_dns_requests_total{" in metrics
    server.stop()
    dead = ocizone("healthcheck", *state)
    assert dead.returncode == 1
    assert "no server answers" in dead.stderr


def test_a_service_manager_is_told(repository, tmp_path):
    """sd_notify(3): READY once it answers, STOPPING when it ends."""
    repository.push(db_example_org=zone(1))
    corefile = tmp_path / "Corefile"
    corefile.write_text(repository.corefile(tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(45)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ocizone", "serve", "--corefile", str(corefile)),
                *("--state-dir", str(tmp_path / "state"), "--port", str(free_port())),
            ],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert manager.recv(4096).startswith(b"READY=1")
            process.send_signal(signal.SIGTERM)
            assert manager.recv(4096) == b"STOPPING=1"
            assert process.wait(15) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)


def test_the_lame_duck_answers_to_the_end(serve, repository, tmp_path):
    """`health { lameduck }`: not ready at once, still answering, then gone."""
    repository.push(db_example_org=zone(1))
    admin = free_port()
    server = serve(
        repository.corefile(tmp_path, f"health 127.0.0.1:{admin} {{", "lameduck 2s", "}")
    )
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.process.terminate()
    wait_until(lambda: server.page("/ready") == (503, "Shutting down"), "not ready")
    assert server.answers("version.example.org", "TXT") == ['"1"']
    assert server.process.wait(15) == 0


@pytest.mark.peers("dig")
def test_dig_reads_every_answer(serve, repository, tmp_path):
    """The reference client parses what we say, over UDP and TCP, without a warning."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"1"')
    for arguments in (["www.example.org"], ["+tcp", "example.org", "SOA"], ["nope.example.org"]):
        done = subprocess.run(
            ["dig", "@127.0.0.1", "-p", str(server.port), "+norec", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert "status: N" in done.stdout
        assert "WARNING" not in done.stdout
        assert "malformed" not in done.stdout.lower()
