"""Addresses of a network interface, for ``bind eth0`` (netdevice(7), proc_net(5))."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

_SIOCGIFADDR = 0x8915
_IF_INET6 = Path("/proc/net/if_inet6")


def addresses_of(name: str) -> tuple[str, ...]:
    """Return the addresses of an interface, or the address itself when ``name`` is one.

    Link-local IPv6 addresses carry their scope (``fe80::1%eth0``). Linux reports one IPv4
    address an interface here: the primary one.

    Raises:
        OSError: there is no such interface.
    """
    try:
        return (str(ipaddress.ip_address(name)),)
    except ValueError:
        socket.if_nametoindex(name)
    return (*_ipv4(name), *_ipv6(name))


def _ipv4(name: str) -> tuple[str, ...]:
    request = struct.pack("16s24x", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            found = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return ()
    return (socket.inet_ntoa(found[20:24]),)


def _ipv6(name: str) -> tuple[str, ...]:
    try:
        lines = _IF_INET6.read_text().splitlines()
    except OSError:
        return ()
    found = []
    for line in lines:
        packed, *_, interface = line.split()
        if interface == name:
            address = ipaddress.IPv6Address(bytes.fromhex(packed))
            found.append(f"{address}%{name}" if address.is_link_local else str(address))
    return tuple(found)
