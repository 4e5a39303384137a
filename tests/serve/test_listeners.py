"""Moving from one set of addresses to another: new before old, all or nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from twisted.internet.interfaces import IListeningPort
from twisted.internet.tcp import Port

from ocizone.answer.blocks import Transport
from ocizone.endpoint import Endpoint
from ocizone.serve.certificate import read_identity
from ocizone.serve.identities import Cell
from ocizone.serve.listeners import Certificates, Listeners
from ocizone.serve.sockets import BindError
from tests.certificates import self_signed
from tests.polling import PolledReactor
from tests.ports import free_port


class TcpReactor(PolledReactor):
    """Adopts bound sockets as the real reactor does."""

    def adoptStreamPort(
        self,
        fileDescriptor: int,
        addressFamily: int,
        factory: object,
    ) -> IListeningPort:
        port = Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, factory)
        port.startListening()
        found: IListeningPort = port
        return found


class Site:
    """Listeners that answer in upper case."""

    def __init__(self, certificate: Certificates = lambda _: pytest.fail("no TLS here")) -> None:
        self.reactor = TcpReactor()
        self.seen: list[Transport] = []
        self.errors: list[OSError] = []
        self.dropped: list[str] = []
        self.listeners = Listeners(
            self.reactor,
            self._answer,
            self.errors.append,
            wall=lambda: 0.0,
            dropped=self.dropped.append,
            certificate=certificate,
        )

    def _answer(self, packet: bytes, transport: Transport) -> bytes:
        self.seen.append(transport)
        return packet.upper()

    def move_to(self, *wanted: Endpoint) -> None:
        self.listeners.move_to(wanted, self.listeners.prepare(wanted))

    def port(self, endpoint: Endpoint) -> int:
        return self.listeners.open[endpoint].port


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.listeners.close()
    # A port closes its socket in the next turn, a connection when it may write.
    made.reactor.settle()


ONE, TWO = Endpoint("dns", "127.0.0.1", 0), Endpoint("dns", "127.0.0.2", 0)


def is_free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True


def test_an_endpoint_answers_on_udp_and_tcp(site):
    """One port, both transports, and the listener's name for routing."""
    site.move_to(ONE)
    address = ("127.0.0.1", site.port(ONE))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"udp", address)
        site.reactor.turn()
        assert client.recv(512) == b"UDP"
    with socket.create_connection(address, 5) as stream:
        stream.sendall(b"\x00\x03tcp")
        site.reactor.turn()
        assert site.listeners.tcp_connections == 1
        site.reactor.turn()
        site.reactor.turn()
        assert stream.recv(512) == b"\x00\x03TCP"
    assert [(one.protocol, one.listener) for one in site.seen] == [
        ("udp", "dns://127.0.0.1:0"),
        ("tcp", "dns://127.0.0.1:0"),
    ]


def test_a_reload_keeps_what_did_not_change(site):
    """The same sockets: a datagram in their queues is not lost."""
    site.move_to(ONE)
    before = site.listeners.open[ONE]
    site.move_to(ONE, TWO)
    assert site.listeners.open[ONE] is before
    assert set(site.listeners.open) == {ONE, TWO}


def test_what_is_not_wanted_is_closed(site):
    """Both transports; the port is free for somebody else."""
    site.move_to(ONE, TWO)
    port = site.port(TWO)
    assert not is_free("127.0.0.2", port)
    site.move_to(ONE)
    site.reactor.advance(0)
    assert is_free("127.0.0.2", port)
    assert set(site.listeners.open) == {ONE}


def test_an_address_in_use_changes_nothing(site):
    """What ran goes on, what was bound beside the taken one is closed again."""
    site.move_to(ONE)
    before = site.listeners.open
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.3", 0))
        taken = Endpoint("dns", "127.0.0.3", holder.getsockname()[1])
        free = Endpoint("dns", "127.0.0.4", taken.port)
        with pytest.raises(BindError, match=r"127\.0\.0\.3"):
            site.listeners.prepare([ONE, free, taken])
    assert is_free("127.0.0.4", free.port)
    assert site.listeners.open == before


def test_what_was_prepared_can_be_dropped(site):
    """Another part of the reload failed."""
    bound = site.listeners.prepare([ONE, ONE])
    (sockets,) = bound.values()
    port = sockets.stream.getsockname()[1]
    assert not is_free("127.0.0.1", port)
    site.listeners.discard(bound)
    assert is_free("127.0.0.1", port)
    assert site.listeners.open == {}
    assert site.reactor.readers == []


def test_close_ends_listeners_and_connections(site):
    """A stopped server holds nothing."""
    site.move_to(ONE)
    port = site.port(ONE)
    with socket.create_connection(("127.0.0.1", port), 5) as stream:
        site.reactor.turn()
        assert site.listeners.tcp_connections == 1
        site.listeners.close()
        site.reactor.settle()
        assert site.listeners.tcp_connections == 0
        # Reset or closed: it is over either way.
        stream.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert stream.recv(1) == b""
    assert site.reactor.readers == []
    assert site.listeners.open == {}


def test_the_wildcard_is_every_address_of_both_families(site):
    """An endpoint without a host is one pair of sockets."""
    wild = Endpoint("dns", "", 0)
    site.move_to(wild)
    for host, family in (("127.0.0.9", socket.AF_INET), ("::1", socket.AF_INET6)):
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(b"x", (host, site.port(wild)))
            site.reactor.turn()
            assert client.recvfrom(512)[0] == b"X"
    assert [one.client for one in site.seen] == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("to_one", [True, False], ids=["to one address", "to every address"])
def test_every_address_and_one_of_them_may_follow_one_another(site, to_one):
    """A reload adds or drops `bind` on one port; who asked just before is answered."""
    every = Endpoint("dns", "", free_port())
    one = Endpoint("dns", "127.0.0.1", every.port)
    before, after = (every, one) if to_one else (one, every)
    site.move_to(before)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"asked before", ("127.0.0.1", every.port))
        site.move_to(after)
        assert client.recv(512) == b"ASKED BEFORE"
        client.sendto(b"asked after", ("127.0.0.1", every.port))
        site.reactor.turn()
        assert client.recv(512) == b"ASKED AFTER"
    assert set(site.listeners.open) == {after}
    # Sharing was for a moment: a second server is refused the port.
    with pytest.raises(BindError):
        Site().listeners.prepare([after])


def test_a_tls_address_has_no_datagrams(tmp_path):
    """RFC 7858 is TCP alone; UDP on the port is free for others."""
    identity = read_identity(self_signed(tmp_path))
    assert identity is not None
    cells = {Endpoint("tls", "127.0.0.1", 0): Cell(identity)}
    site = Site(cells.__getitem__)
    (secure,) = cells
    site.move_to(secure)
    assert site.listeners.open[secure].udp is None
    address = ("127.0.0.1", site.port(secure))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(address)
    with socket.create_connection(address, 5) as stream:
        # Plain DNS, to which TLS says alert.
        stream.sendall(b"\x00\x03udp")
        for _ in range(3):
            site.reactor.turn(0.1)
        assert stream.recv(512)[:1] == b"\x15"
    site.move_to()
    site.reactor.settle()
    assert (site.seen, site.dropped) == ([], ["tls: no handshake"])
    assert (site.listeners.open, site.reactor.readers) == ({}, [])
