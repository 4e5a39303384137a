"""Groups of sockets: each client has one member, and nobody else gets the port."""

from __future__ import annotations

import select
import socket

import pytest

from ocizone.endpoint import Endpoint
from ocizone.serve.groups import Groups, SocketGroups
from ocizone.serve.sockets import BindError, bind_endpoint
from tests.ports import free_port

CLIENTS = 64


@pytest.fixture
def groups():
    made = SocketGroups()
    yield made
    made.move_to({})


def dns(port: int, host: str = "127.0.0.1") -> Endpoint:
    return Endpoint("dns", host, port)


def opened(groups: SocketGroups, *endpoints: Endpoint, count: int = 2) -> Groups:
    found = groups.prepare(endpoints, count)
    groups.move_to(found)
    return found


def shares(members, port: int, kind: socket.SocketKind) -> list[int]:
    """Return how many of some clients fall on each member."""
    clients = [socket.socket(socket.AF_INET, kind) for _ in range(CLIENTS)]
    try:
        for client in clients:
            client.connect(("127.0.0.1", port))
            if kind == socket.SOCK_DGRAM:
                client.send(b"x")
        return [taken(one.datagram if kind == socket.SOCK_DGRAM else one.stream) for one in members]
    finally:
        for client in clients:
            client.close()


def taken(sock: socket.socket) -> int:
    count = 0
    while select.select([sock], [], [], 0.05)[0]:
        count += 1
        if sock.type == socket.SOCK_DGRAM:
            sock.recv(10)
        else:
            sock.accept()[0].close()
    return count


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_kernel_gives_every_member_a_share(groups, kind):
    """By the client's address and port (SO_REUSEPORT, socket(7))."""
    port = free_port()
    (members,) = opened(groups, dns(port), count=3).values()
    found = shares(members, port, kind)
    assert sum(found) == CLIENTS
    assert min(found) > CLIENTS // 12


def test_a_group_of_a_port_the_system_chose_is_on_that_port(groups):
    """Every member on the first one's."""
    (members,) = opened(groups, dns(0), count=3).values()
    assert len({bound.port for bound in members}) == 1


def test_a_second_server_is_refused_the_port(groups):
    """Whether it shares its own port or not."""
    port = free_port()
    opened(groups, dns(port))
    with pytest.raises(BindError, match="another server holds it"):
        bind_endpoint(dns(port))
    second = SocketGroups()
    with pytest.raises(BindError, match="another server holds it"):
        second.prepare([dns(port)], 2)


def test_nothing_stays_bound_when_one_address_is_taken(groups):
    """A reload that is refused leaves everything as it was."""
    taken_port, free = free_port(), free_port()
    other = bind_endpoint(dns(taken_port))
    with pytest.raises(BindError):
        groups.prepare([dns(free), dns(taken_port)], 2)
    other.close()
    bind_endpoint(dns(free)).close()


def test_members_that_stay_are_the_same_sockets(groups):
    """What the kernel queued in them is not lost by a reload."""
    port = free_port()
    before = opened(groups, dns(port), count=2)
    after = opened(groups, dns(port), dns(free_port()), count=3)
    assert after[dns(port)][:2] == before[dns(port)]


def test_fewer_members_close_the_last_ones(groups):
    """The first ones stay."""
    port = free_port()
    before = opened(groups, dns(port), count=3)[dns(port)]
    after = opened(groups, dns(port), count=2)[dns(port)]
    assert after == before[:2]
    assert before[2].stream.fileno() == -1
    assert sum(shares(after, port, socket.SOCK_DGRAM)) == CLIENTS


def test_every_address_gives_way_to_one_and_members_go_on_sharing(groups):
    """An address that is about to be closed holds the port until then."""
    port = free_port()
    before = opened(groups, dns(port, ""))
    prepared = groups.prepare([dns(port)], 2)
    for bound in before[dns(port, "")]:
        assert bound.stream.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
    groups.discard(prepared)
    (members,) = before.values()
    assert min(shares(members, port, socket.SOCK_DGRAM)) > CLIENTS // 12


def test_a_socket_that_was_alone_becomes_the_first_member(groups):
    """A server of one process gets workers without a query lost."""
    port = free_port()
    alone = bind_endpoint(dns(port))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"early", ("127.0.0.1", port))
    prepared = groups.prepare([dns(port)], 2, {dns(port): alone})
    groups.move_to(prepared)
    alone.close()
    assert taken(prepared[dns(port)][0].datagram) == 1
    assert min(shares(prepared[dns(port)], port, socket.SOCK_DGRAM)) > CLIENTS // 12
    client.close()


def test_tls_has_no_datagrams(groups):
    """DNS over TLS is TCP (RFC 7858)."""
    (members,) = opened(groups, Endpoint("tls", "127.0.0.1", free_port())).values()
    assert [bound.datagram for bound in members] == [None, None]
