"""Transfers by the real program: beside queries, beside clients that do not read, at the end."""

from __future__ import annotations

import socket
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

from ocizone import limits
from tests.e2e.conftest import Serve
from tests.e2e.program import Server, wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e

RECORDS = 20_000
#: 127.0.0.1 is allowed whole zones, 127.0.0.2 is not.
ALLOWED, STRANGER = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def server(serve: Serve, tmp_path: Path) -> Server:
    hosts = b"".join(b"host%d IN A 10.0.%d.%d\n" % (n, n >> 8, n & 255) for n in range(RECORDS))
    (tmp_path / "db.example.org").write_bytes(zone() + hosts)
    server = serve(
        "\n".join(
            [
                "example.org {",
                "    bind 127.0.0.1",
                f"    file {tmp_path}/db.example.org",
                "    transfer {",
                f"        to {ALLOWED}:{free_port()}",
                "    }",
                "}\n",
            ]
        )
    )
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    return server


class Asking(socket.socket):
    """A TCP connection from one loopback address."""

    def __init__(self, server: Server, host: str = ALLOWED) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.settimeout(30)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.bind((host, 0))
        self.connect(("127.0.0.1", server.port))

    def ask(self, *types: str) -> None:
        for number, rrtype in enumerate(types):
            query = dns.message.make_query("example.org", rrtype, id=number).to_wire()
            self.sendall(len(query).to_bytes(2, "big") + query)

    def reply(self) -> dns.message.Message:
        return dns.message.from_wire(self._exactly(int.from_bytes(self._exactly(2), "big")))

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = self.recv(size - len(found))
            assert more, "closed"
            found += more
        return found


def transferred(server: Server) -> int:
    """Return how many records a transfer gives."""
    messages = dns.query.xfr("127.0.0.1", "example.org", port=server.port, lifetime=30)
    return sum(len(rrset) for message in messages for rrset in message.answer)


def test_a_whole_zone_and_queries_in_between(server):
    """RFC 7766 6.2.1.1: the reply to a query comes before the end of a transfer."""
    with Asking(server) as client:
        client.ask("AXFR", "SOA")
        seen: list[int] = []
        while seen.count(0) < 3 or 1 not in seen:
            seen.append(client.reply().id)
    # The SOA twice.
    assert transferred(server) == RECORDS + 5 + 1
    assert 'ocizone_xfr_total{result="done",zone="example.org."} 1.0' in server.page("/metrics")[1]


def test_clients_that_do_not_read_cost_little(server):
    """100 transfers asked for on each connection, none of them read."""
    with Asking(server) as one, Asking(server) as two:
        for client in (one, two):
            client.ask(*["AXFR"] * 100)
        assert server.answers("www.example.org") == ["192.0.2.10"]
        # Two of the five places of this client are theirs, each.
        assert transferred(server) == RECORDS + 6


def test_strangers_take_no_place(server):
    """Who may not have the zone is refused, however many they are."""
    strangers = [Asking(server, STRANGER) for _ in range(limits.TRANSFERS + 5)]
    for stranger in strangers:
        stranger.ask(*["AXFR"] * 10)
        assert stranger.reply().rcode() == dns.rcode.REFUSED
    assert transferred(server) == RECORDS + 6
    for stranger in strangers:
        stranger.close()


def test_a_place_is_free_again_when_its_client_is_gone(server):
    """Too many are told so; a client that leaves in the middle leaves its place."""
    held = [Asking(server) for _ in range(limits.TRANSFERS_PER_CLIENT)]
    for client in held:
        client.ask("AXFR")
        assert client.reply().rcode() == dns.rcode.NOERROR
    with Asking(server) as late:
        late.ask("AXFR")
        assert late.reply().rcode() == dns.rcode.SERVFAIL
    for client in held:
        client.close()
    aborted = f'ocizone_xfr_total{{result="aborted",zone="example.org."}} {len(held):.1f}'
    wait_until(lambda: aborted in server.page("/metrics")[1], aborted)
    assert transferred(server) == RECORDS + 6


def test_the_server_stops_in_the_middle_of_a_transfer(server):
    """Nothing waits for a client that does not read, and nothing is left of it."""
    with Asking(server) as client:
        client.ask("AXFR")
        assert client.reply().rcode() == dns.rcode.NOERROR
        assert server.stop() == 0
    assert "Traceback" not in server.log
