"""`multisocket 2`, the real program: both answer, one may die, and nobody notices."""

from __future__ import annotations

import os
import select
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import dns.message
import dns.query
import pytest

from ocizone.lab.certificates import CertificateAuthority
from tests.e2e.program import Server, wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e

Serve = Callable[..., Server]
QUESTION = dns.message.make_query("www.example.org", "A").to_wire()
#: Clients that two workers share: that all fall on one has a chance of 1 in 2**39.
CLIENTS = 40


def corefile(directory: Path, *lines: str, keys: str = "example.org") -> str:
    return "\n".join(
        [
            f"{keys} {{",
            "    bind 127.0.0.1",
            f"    root {directory}",
            "    file db.example.org",
            *(f"    {line}" for line in lines),
            "}\n",
        ]
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "db.example.org").write_bytes(zone())
    return tmp_path


def started(serve: Serve, text: str, **more: Any) -> Server:
    server = serve(text, **more)
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    # One that has never served may take a minute before it is given up.
    wait_until(lambda: all_up(server), "every worker to serve")
    return server


def is_replaced(server: Server, pid: int) -> bool:
    return all_up(server) and pid not in pids(server)


def all_up(server: Server) -> bool:
    return all(worker["up"] for worker in workers(server))


def workers(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.status().get("workers", [])
    return found


def pids(server: Server) -> list[int]:
    return [worker["pid"] for worker in workers(server)]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def metric(server: Server, name: str) -> float:
    """Return the sum of a metric's samples."""
    lines = server.page("/metrics")[1].splitlines()
    samples = [line.rpartition(" ") for line in lines]
    return sum(float(value) for named, _, value in samples if named.partition("{")[0] == name)


# --- Clients ---------------------------------------------------------------------------------


def address(number: int) -> tuple[str, int]:
    """Return a client's own address: one client may not have many connections."""
    return (f"127.0.0.{10 + number}", 0)


def udp_clients(port: int) -> list[socket.socket]:
    clients = []
    for number in range(CLIENTS):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.bind(address(number))
        client.connect(("127.0.0.1", port))
        clients.append(client)
    return clients


def tcp_clients(port: int) -> list[socket.socket]:
    target = ("127.0.0.1", port)
    return [
        socket.create_connection(target, 5, source_address=address(number))
        for number in range(CLIENTS)
    ]


def tls_clients(port: int) -> list[socket.socket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return [context.wrap_socket(client) for client in tcp_clients(port)]


def answered(clients: list[socket.socket], patience_s: float) -> set[int]:
    """Ask once by every client; return who got an answer in time."""
    for client in clients:
        framed = client.type == socket.SOCK_STREAM
        client.sendall(len(QUESTION).to_bytes(2, "big") + QUESTION if framed else QUESTION)
    got: set[int] = set()
    end = time.monotonic() + patience_s
    while len(got) < len(clients) and time.monotonic() < end:
        for client in select.select(clients, [], [], max(0.0, end - time.monotonic()))[0]:
            client.recv(4096)
            got.add(clients.index(client))
    return got


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("connect", [udp_clients, tcp_clients, tls_clients])
def test_both_workers_answer(serve, site, connect):
    """Each its own clients: who gets no answer of one, gets it of the other."""
    port, tls = free_port(), free_port()
    CertificateAuthority(site).issue("ns1.example.org", "127.0.0.1")
    certificate, key = CertificateAuthority(site).issue("127.0.0.1")
    text = corefile(
        site,
        f"tls {certificate} {key}",
        "multisocket 2",
        keys=f"example.org:{port}, tls://example.org:{tls}",
    )
    server = started(serve, text, port=port)
    one, other = pids(server)
    clients = connect(tls if connect is tls_clients else port)
    assert answered(clients, 10) == set(range(CLIENTS))
    with stopped(one):
        of_other = answered(clients, 0.7)
    assert 0 < len(of_other) < CLIENTS
    # What the kernel kept for the one that was stopped comes now.
    wait_until(lambda: answered(clients, 1) == set(range(CLIENTS)), "everybody to be answered")
    drained(clients)
    with stopped(other):
        assert answered(clients, 0.7) == set(range(CLIENTS)) - of_other
    for client in clients:
        client.close()


def drained(clients: list[socket.socket]) -> None:
    while ready := select.select(clients, [], [], 0.3)[0]:
        for client in ready:
            client.recv(4096)


class Load:
    """A few hundred queries a second from many ports, and which are not answered yet."""

    def __init__(self, port: int) -> None:
        self._clients = udp_clients(port)
        self._asked: set[int] = set()
        self.answered = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._take(5.0)
        for client in self._clients:
            client.close()

    @property
    def lost(self) -> int:
        return len(self._asked)

    def has_answered(self, count: int) -> bool:
        return self.answered >= count

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            for client in self._clients:
                number += 1
                query = number.to_bytes(2, "big") + QUESTION[2:]
                self._asked.add(number)
                client.send(query)
                self._take(0.0025)

    def _take(self, patience_s: float) -> None:
        """Take answers for so long; at the end of all only until the last one is there."""
        end = time.monotonic() + patience_s
        while (left := end - time.monotonic()) > 0 and (self._asked or not self._over.is_set()):
            for client in select.select(self._clients, [], [], left)[0]:
                number = int.from_bytes(client.recv(4096)[:2], "big")
                self._asked.remove(number)
                self.answered += 1


def test_a_killed_worker_is_back_and_loses_nothing(serve, site):
    """What was queued for it waits; only what it had taken off its socket could be lost.

    How long it waits is measured by the benchmark (f).
    """
    server = started(serve, corefile(site, "multisocket 2"))
    for pid in pids(server):
        with Load(server.port) as load:
            wait_until(partial(load.has_answered, 100), "some to be answered")
            os.kill(pid, signal.SIGKILL)
            wait_until(partial(is_replaced, server, pid), "a new worker")
            wait_until(partial(load.has_answered, load.answered + 100), "more answers")
        assert load.lost <= 1
    server.wait_log("a worker ended", 2)
    assert "killed by SIGKILL" in server.log
    assert [worker["restarts"] for worker in workers(server)] == [1, 1]


def test_a_push_reaches_both_workers(serve, site, repository):
    """When it is told to be served, every client gets it; the zone's metrics agree."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(site, "multisocket 2", interval=3600))
    server.wait_answer("version.example.org", "TXT", '"1"')
    repository.push(db_example_org=zone(2))
    server.refresh()
    server.wait_log("artifact activated", 2)

    def all_serve() -> bool:
        document = server.status()
        generations = {worker["generation"] for worker in document["workers"]}
        return generations == {document["generation"]}

    wait_until(all_serve, "both workers to serve it")
    assert {server.answers("version.example.org", "TXT")[0] for _ in range(CLIENTS)} == {'"2"'}
    assert metric(server, "ocizone_worker_generation") == 2 * metric(server, "ocizone_generation")


def test_a_stopped_worker_is_reported_and_replaced(serve, site):
    """Nobody waits for it for ever: it is killed, and its successor answers its clients."""
    server = started(serve, corefile(site, "multisocket 2"))
    one, other = pids(server)
    os.kill(one, signal.SIGSTOP)
    server.wait_log("a worker is killed")
    assert "gave no sign of life" in server.log
    server.wait_log("a worker ended")
    wait_until(lambda: all_up(server), "both to be up")
    assert pids(server)[1] == other
    assert pids(server)[0] != one
    clients = udp_clients(server.port)
    assert answered(clients, 5) == set(range(CLIENTS))
    for client in clients:
        client.close()


def test_metrics_are_of_all_workers_and_never_go_back(serve, site):
    """Queries, drops and what a killed worker counted."""
    name = "ocizone_dns_requests_total"
    server = started(serve, corefile(site, "multisocket 2", "log"))
    before = metric(server, name)
    clients = udp_clients(server.port)
    assert answered(clients, 5) == set(range(CLIENTS))
    wait_until(lambda: metric(server, name) >= before + CLIENTS, "all queries to be counted")
    counted = metric(server, name)
    assert counted == server.log.count("[INFO] 127.")
    os.kill(pids(server)[0], signal.SIGKILL)
    server.wait_log("a worker ended")
    assert metric(server, name) == counted
    answered(clients, 5)
    wait_until(lambda: metric(server, name) == counted + CLIENTS, "those of the new one, too")
    assert metric(server, "ocizone_worker_restarts_total") == 1

    def told() -> bool:
        return bool(server.status()["dns"]["rcodes"]["NOERROR"] == counted + CLIENTS)

    # One status is shown for a while to all who ask.
    wait_until(told, "the status to tell of them, too")
    for client in clients:
        client.close()


def test_a_renewed_certificate_reaches_both_workers(serve, site):
    """They read no file: the supervisor sends what it read."""
    tls, authority = free_port(), CertificateAuthority(site)

    def renew() -> bytes:
        certificate, key = authority.issue("127.0.0.1")
        for new, name in ((key, "tls.key"), (certificate, "tls.crt")):
            (site / name).write_bytes(new.read_bytes())
        return ssl.PEM_cert_to_DER_cert((site / "tls.crt").read_text().partition("\n\n")[0])

    def served() -> set[bytes]:
        clients = tls_clients(tls)
        found = {client.getpeercert(binary_form=True) for client in clients}  # type: ignore[attr-defined]  # of TLS
        for client in clients:
            client.close()
        return found

    first = renew()
    text = corefile(
        site, "tls tls.crt tls.key", "multisocket 2", keys=f"example.org, tls://example.org:{tls}"
    )
    server = started(serve, text)
    server.wait_answering()
    assert served() == {first}
    second = renew()
    server.process.send_signal(signal.SIGHUP)
    server.wait_log("certificate taken up")
    wait_until(lambda: served() == {second}, "both to serve the new one")


def test_a_second_server_is_refused_the_port(serve, site):
    """Also one that would share it."""
    server = started(serve, corefile(site, "multisocket 2"))
    second = serve(corefile(site, "multisocket 2"), port=server.port, name="second")
    assert second.process.wait(20) == 1
    assert f"cannot listen on udp 127.0.0.1:{server.port}" in second.log
    assert "another server holds it" in second.log
    server.alive()


def test_a_reload_moves_addresses(serve, site):
    """New ones answer, old ones do not, those that stay lose nothing."""
    old, kept, new = free_port(), free_port(), free_port()
    lines = ("multisocket 2",)
    server = started(
        serve,
        corefile(site, *lines, keys=f"example.org:{old}, example.org:{kept}"),
        port=old,
    )
    before = pids(server)
    with Load(kept) as load:
        server.reload(corefile(site, *lines, keys=f"example.org:{new}, example.org:{kept}"))
        server.wait_log("reloaded")
        server.port = new
        server.wait_answer("www.example.org", "A", "192.0.2.10")
        time.sleep(0.3)
    assert load.lost == 0
    assert pids(server) == before
    with pytest.raises(OSError, match="refused"):
        dns.query.tcp(dns.message.make_query("www.example.org", "A"), "127.0.0.1", 2, old)


def test_a_reload_changes_how_many_there_are(serve, site):
    """From one process to workers, more, fewer, and back; no client notices."""
    server = started(serve, corefile(site))
    assert workers(server) == []
    with Load(server.port) as load:
        for times, (line, count) in enumerate(
            [("multisocket 2", 2), ("multisocket 3", 3), ("multisocket 2", 2), ("", 0)], start=1
        ):
            server.reload(corefile(site, line))
            server.wait_log("reloaded", times)
            all_up = [True] * count
            while [one["up"] for one in workers(server)] != all_up:
                server.alive()
                time.sleep(0.02)
            time.sleep(0.5)
    # Whoever is let go has its socket drained; what comes in between that and its end is lost.
    assert load.lost <= 2
    server.wait_answer("www.example.org", "A", "192.0.2.10")


def test_sigterm_ends_all_and_answers_until_then(serve, site):
    """Through the lame-duck time of `health`; workers themselves ignore the signal."""
    health = free_port()
    server = started(
        serve, corefile(site, "multisocket 2", f"health 127.0.0.1:{health} {{\nlameduck 1s\n}}")
    )
    children = pids(server)
    clients = udp_clients(server.port)
    for pid in (*children, server.process.pid):
        os.kill(pid, signal.SIGTERM)
    server.wait_log("stopping")
    assert answered(clients, 0.8) == set(range(CLIENTS))
    assert server.process.wait(20) == 0
    assert not [pid for pid in children if lives(pid)]
    assert "a worker ended" not in server.log
    for client in clients:
        client.close()


def test_workers_end_with_a_supervisor_that_is_killed(serve, site):
    """A next server finds the ports free."""
    server = started(serve, corefile(site, "multisocket 2"))
    children = pids(server)
    server.kill()
    wait_until(lambda: not [pid for pid in children if lives(pid)], "the workers to end", 5)
    again = serve(corefile(site, "multisocket 2"), port=server.port)
    again.wait_answer("www.example.org", "A", "192.0.2.10")


def test_a_service_manager_is_told_when_all_answer(serve, site, monkeypatch):
    """READY=1 of sd_notify(3)."""
    path = site / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        server = serve(corefile(site, "multisocket 2"))
        assert manager.recv(1024).startswith(b"READY=1")
        clients = udp_clients(server.port)
        assert answered(clients, 5) == set(range(CLIENTS))
        for client in clients:
            client.close()
