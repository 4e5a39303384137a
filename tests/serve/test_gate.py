"""Shares of what a whole server may have."""

from __future__ import annotations

import pytest

from ocizone import limits
from ocizone.serve.gate import TcpGate, share
from ocizone.serve.outgoing import TransferSlots


class Client:
    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("limit", "processes", "mine"),
    [(1000, 1, 1000), (1000, 2, 500), (1000, 3, 334), (20, 16, 4), (5, 2, 4), (3, 8, 3)],
)
def test_a_share_of_a_limit(limit, processes, mine):
    """All shares together are the limit, and each has room for what falls on it by chance."""
    assert share(limit, processes) == mine


def admitted(gate: TcpGate, clients: int) -> int:
    return sum(gate.admit(Client(), "192.0.2.1") for _ in range(clients))


def test_one_client_has_its_share_of_each_process():
    """Also of a gate that is open already; who is in may stay."""
    gate = TcpGate(processes=2)
    assert admitted(gate, 100) == limits.TCP_CONNECTIONS_PER_CLIENT // 2
    gate.share_among(1)
    assert admitted(gate, 100) == limits.TCP_CONNECTIONS_PER_CLIENT // 2
    gate.share_among(2)
    assert len(gate) == limits.TCP_CONNECTIONS_PER_CLIENT
    assert admitted(gate, 1) == 0


def test_all_clients_together_have_their_share():
    """The one idle longest makes room."""
    gate = TcpGate(processes=2)
    for number in range(limits.TCP_CONNECTIONS):
        gate.admit(Client(), f"192.0.{number // 200}.{number % 200}")
    assert len(gate) == limits.TCP_CONNECTIONS // 2


def test_transfers_are_shared_too():
    """In all, and to one client."""
    slots = TransferSlots()
    slots.share_among(2)
    assert [slots.take("192.0.2.1") for _ in range(5)] == [True] * 4 + [False]
    assert [slots.take("192.0.2.2") for _ in range(2)] == [True, False]
