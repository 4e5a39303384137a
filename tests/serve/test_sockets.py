"""Binding: what is asked of the kernel, and what an operator reads when it refuses."""

from __future__ import annotations

import socket

import pytest

from ocizone.serve.interfaces import addresses_of
from ocizone.serve.sockets import BindError, bind, bind_pair


def test_a_pair_shares_its_port():
    """RFC 7766 5: TCP answers where UDP does, also on a port the system chose."""
    datagram, stream = bind_pair("127.0.0.1", 0)
    with datagram, stream:
        assert datagram.getsockname() == stream.getsockname()
        assert not datagram.getblocking()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", ""])
def test_an_address_in_use_is_said_with_its_likely_holder(host):
    """Two servers on one UDP port would share its queries silently: the second one fails."""
    with bind(socket.SOCK_DGRAM, host, 0) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(
            BindError, match=rf"udp .*:{port}: Address already in use .*another server"
        ):
            bind(socket.SOCK_DGRAM, host, port)


def test_an_address_of_nobody_is_said():
    """RFC 5737: 192.0.2.1 is on no interface."""
    with pytest.raises(BindError, match=r"192\.0\.2\.1:0: .*no interface has this address"):
        bind(socket.SOCK_DGRAM, "192.0.2.1", 0)


def test_nothing_is_left_open_when_half_a_pair_fails():
    """The UDP half is closed when the TCP half is taken."""
    with bind(socket.SOCK_STREAM, "127.0.0.1", 0) as holder:
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(BindError):
            bind_pair("127.0.0.1", port)
        bind(socket.SOCK_DGRAM, "127.0.0.1", port).close()


@pytest.mark.parametrize(
    ("name", "addresses"),
    [("127.0.0.1", ("127.0.0.1",)), ("::1", ("::1",)), ("2001:DB8::1", ("2001:db8::1",))],
)
def test_an_address_is_its_own_interface(name, addresses):
    """`bind` takes literals and interface names."""
    assert addresses_of(name) == addresses


def test_the_loopback_interface_has_both_addresses():
    """Every address of an interface is bound."""
    assert "127.0.0.1" in addresses_of("lo")


def test_an_unknown_interface_is_an_error():
    """The caller names the directive."""
    with pytest.raises(OSError, match="no interface"):
        addresses_of("nosuch0")
