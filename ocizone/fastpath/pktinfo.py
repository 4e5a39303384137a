"""Packet-info messages of a batch: made to say where each reply leaves from (ip(7), ipv6(7)).

What the kernel wrote beside a datagram, struct in_pktinfo or in6_pktinfo, goes back with the
reply: with the address that was asked, and without the interface, which routing chooses; except
for link-local addresses, which mean nothing without one (RFC 4007 6). All of a batch at once,
over strided views. Not here: the calls (fastpath.mmsg).
"""

from __future__ import annotations

import socket
from array import array
from typing import Final

from ocizone.limits import FAST_BATCH
from ocizone.serve.sockets import IP_PKTINFO

#: Room for an IPv6 and an IPv4 message, which a socket of both families gets both of.
OCTETS: Final = 96
_WORDS: Final = OCTETS // 4
#: struct cmsghdr: eight octets of length, then level and kind.
_LEVEL, _KIND, _DATA = 2, 3, 4
#: fe80::/10, as the first word of an address is read here.
_SCOPED_MASK: Final = int.from_bytes(b"\xff\xc0\0\0", "little")
_SCOPED: Final = int.from_bytes(b"\xfe\x80\0\0", "little")


class PacketInfo:
    """The packet-info messages of one socket's batch."""

    def __init__(self, controls: memoryview, lengths: memoryview, *, ipv6: bool) -> None:
        """Make it.

        Args:
            controls: OCTETS for each datagram, where the kernel writes.
            lengths: of the messages, one for each datagram; written for sending.
            ipv6: the socket's family.
        """
        words = controls.cast("B").cast("I")
        self._ipv6 = ipv6
        # struct in_pktinfo begins with the interface, in6_pktinfo ends with it.
        interface = _DATA + 4 if ipv6 else _DATA
        self._levels, self._kinds, self._places, self._interfaces = (
            words[at::_WORDS] for at in (_LEVEL, _KIND, _DATA, interface)
        )
        self._lengths = lengths
        self._level = socket.IPPROTO_IPV6 if ipv6 else socket.IPPROTO_IP
        self._kind = socket.IPV6_PKTINFO if ipv6 else IP_PKTINFO
        self._all_levels = [self._level] * FAST_BATCH
        self._all_kinds = [self._kind] * FAST_BATCH
        self._space = socket.CMSG_SPACE(20 if ipv6 else 12)
        self._spaces = memoryview(array("Q", [self._space] * FAST_BATCH))
        self._zeros = memoryview(array("I", [0] * FAST_BATCH))

    def turn(self, count: int) -> None:
        """Make of what was received with so many datagrams what is sent with the replies."""
        places = self._places[:count].tolist() if self._ipv6 else []
        if (
            self._levels[:count].tolist() == self._all_levels[:count]
            and self._kinds[:count].tolist() == self._all_kinds[:count]
            and not any(place & _SCOPED_MASK == _SCOPED for place in set(places))
        ):
            self._lengths[:count] = self._spaces[:count]
            self._interfaces[:count] = self._zeros[:count]
            return
        for number in range(count):
            if (self._levels[number], self._kinds[number]) != (self._level, self._kind):
                self._lengths[number] = 0
                continue
            self._lengths[number] = self._space
            if not (self._ipv6 and places[number] & _SCOPED_MASK == _SCOPED):
                self._interfaces[number] = 0
