"""Clients with ports of their own."""

from __future__ import annotations

import socket
import threading

import pytest

from bench import clients
from bench.clients import Clients

LINE = "x.test. A"


class Echo:
    """Sends back what comes, but for the first so many datagrams."""

    def __init__(self, deaf_to: int) -> None:
        self.deaf_to = deaf_to
        self.ports: list[int] = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.sock.close()

    def run(self):
        while (received := self.sock.recvfrom(4096))[0]:
            query, client = received
            self.ports.append(client[1])
            if len(self.ports) > self.deaf_to:
                self.sock.sendto(query, client)


def test_each_client_is_answered():
    """Every one asks once, again from the same port the next time."""
    with Echo(0) as server, Clients(server.port, 5, LINE) as found:
        assert found.answered_after(5) < 5
        assert found.answered_after(5) < 5
    first, second = server.ports[:5], server.ports[5:]
    assert len(set(first)) == 5
    assert set(first) == set(second)


def test_only_the_unanswered_ask_again(monkeypatch):
    """Time goes on until the last one has its answer."""
    monkeypatch.setattr(clients, "AGAIN_S", 0.05)
    with Echo(2) as server, Clients(server.port, 5, LINE) as found:
        assert found.answered_after(5) >= 0.05
    assert len(server.ports) == 7
    assert server.ports[5:] != server.ports[:5]
    assert set(server.ports[5:]) == set(server.ports[:2])


def test_no_answer(monkeypatch):
    """Who has none is counted."""
    monkeypatch.setattr(clients, "AGAIN_S", 0.02)
    with (
        Echo(10**6) as server,
        Clients(server.port, 3, LINE) as found,
        pytest.raises(TimeoutError, match="3 of 3"),
    ):
        found.answered_after(0.05)
