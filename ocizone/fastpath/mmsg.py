"""Datagrams in batches: recvmmsg(2) and sendmmsg(2) by ctypes, over arrays made once.

A reply goes back to where its query came from, with the head the query came with. The
layouts are those of the C library's headers; ctypes computes offsets and sizes. Linux. Not here:
what is answered (fastpath.port).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from array import array
from itertools import accumulate
from typing import Final

from ocizone.fastpath import pktinfo
from ocizone.fastpath.pktinfo import PacketInfo
from ocizone.limits import FAST_BATCH, TCP_MESSAGE_OCTETS

#: Octets of a datagram that stand together with those of the others: what nearly every query has.
FRONT: Final = 256
#: struct sockaddr_in6 takes 28.
_NAME_OCTETS: Final = 32
#: ::ffff:0:0/96, as words of 64 and 32 bits are read here.
_MAPPED: Final = (0, int.from_bytes(b"\0\0\xff\xff", "little"))


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_size_t), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_size_t),
        ("name_octets", ctypes.c_uint32),
        ("iovec", ctypes.c_size_t),
        ("iovecs", ctypes.c_size_t),
        ("control", ctypes.c_size_t),
        ("control_octets", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Messages(ctypes.Structure):
    _fields_ = (("message", _Message), ("octets", ctypes.c_uint32))


_SIZE: Final = ctypes.sizeof(_Messages)
_ID_OCTETS: Final = 2
#: So many words in the order of the machine.
_WORDS: Final = [struct.Struct(f"={count}H") for count in range(FAST_BATCH + 1)]
#: What a datagram has behind its front. Memory nobody writes to is not taken.
_BACK: Final = TCP_MESSAGE_OCTETS - FRONT
#: Replies begin at a multiple of it, so that the low word of a place is the offset.
_ALIGNED: Final = 1 << 16
#: Of each datagram: front, back, reply, sender, packet info, two vectors, head.
_OCTETS: Final = (
    FRONT,
    _BACK,
    TCP_MESSAGE_OCTETS + 2 + _ALIGNED // FAST_BATCH,
    _NAME_OCTETS,
    pktinfo.OCTETS,
    2 * ctypes.sizeof(_Iovec),
    _SIZE,
)


def _mapped(octets: int) -> ctypes.Array[ctypes.c_char]:
    """Return fresh memory that begins at a multiple of _ALIGNED."""
    memory = mmap.mmap(-1, octets + _ALIGNED)
    skipped = -ctypes.addressof(ctypes.c_char.from_buffer(memory)) % _ALIGNED
    return (ctypes.c_char * octets).from_buffer(memory, skipped)


def is_possible() -> bool:
    """Tell whether this system has both calls and the layouts above."""
    libc = ctypes.CDLL(None)
    known = hasattr(libc, "recvmmsg") and hasattr(libc, "sendmmsg")
    return known and ctypes.sizeof(ctypes.c_size_t) == 8 and _SIZE % 8 == 0


class Batch:
    """Arrays for FAST_BATCH datagrams of one socket.

    Attributes:
        front: the first FRONT octets of each datagram.
        lengths: of what ``receive`` got.
    """

    def __init__(self, sock: socket.socket) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = libc.recvmmsg, libc.sendmmsg
        for call in (self._recvmmsg, self._sendmmsg):
            call.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int)
            call.restype = ctypes.c_int
        self._recvmmsg.argtypes = (*self._sendmmsg.argtypes, ctypes.c_size_t)
        self._socket = sock
        self._ipv6 = sock.family == socket.AF_INET6
        host = sock.getsockname()[0]
        #: A socket of every address must say which one a reply leaves from.
        self._says_source = host in ("::", "0.0.0.0")  # noqa: S104 - compared, not bound
        # Mapped, not allocated: of large datagrams and replies there is room for 8 MiB, and what
        # nobody writes to is not resident.
        self._made = [_mapped(size * FAST_BATCH) for size in _OCTETS]
        fronts, backs, replies, names, controls, iovecs, heads = (
            memoryview(made).cast("B") for made in self._made
        )
        self.front, self._backs, self._replies = fronts, backs, replies
        self._names = names
        words = names.cast("I")
        self._ports = names.cast("H")[1 :: _NAME_OCTETS // 2]
        self._scopes = words[6 :: _NAME_OCTETS // 4]
        self._wholes = names.cast("Q")[1 :: _NAME_OCTETS // 8]
        self._middles = words[4 :: _NAME_OCTETS // 4]
        self._iovecs = iovecs
        self._starts = iovecs.cast("Q")[2::4]
        self._low_starts, self._low_sizes = iovecs.cast("H")[8::16], iovecs.cast("H")[12::16]
        self._heads = heads
        self._counts = heads.cast("I")[_Messages.octets.offset // 4 :: _SIZE // 4]
        at = _Message.control_octets.offset
        lengths = heads.cast("Q")[at // 8 :: _SIZE // 8]
        self._info = PacketInfo(controls, lengths, ipv6=self._ipv6)
        self._address = ctypes.addressof(self._made[-1])
        self._replies_at = ctypes.addressof(self._made[2])
        self._template()
        self.lengths: list[int] = []

    def _template(self) -> None:
        """Fill heads and vectors as they must be before each ``receive``, and keep them."""
        fronts, backs, _, names, controls, iovecs, heads = map(ctypes.addressof, self._made)
        two = 2 * ctypes.sizeof(_Iovec)
        for number in range(FAST_BATCH):
            front = _Iovec.from_address(iovecs + number * two)
            front.base, front.length = fronts + number * FRONT, FRONT
            back = _Iovec.from_address(iovecs + number * two + ctypes.sizeof(_Iovec))
            back.base, back.length = backs + number * _BACK, _BACK
            message = _Messages.from_address(heads + number * _SIZE).message
            message.name, message.name_octets = names + number * _NAME_OCTETS, _NAME_OCTETS
            message.iovec, message.iovecs = ctypes.addressof(front), 2
            if self._says_source:
                message.control = controls + number * pktinfo.OCTETS
                message.control_octets = pktinfo.OCTETS
        self._fresh = memoryview(bytes(self._heads)), memoryview(bytes(self._iovecs))
        for number in range(FAST_BATCH):
            front = _Iovec.from_address(iovecs + number * two)
            front.length = _ID_OCTETS
            back = _Iovec.from_address(iovecs + number * two + ctypes.sizeof(_Iovec))
            back.base, back.length = self._replies_at, 0
            message = _Messages.from_address(heads + number * _SIZE).message
            message.name_octets = 28 if self._ipv6 else 16
            message.control_octets = 0
        self._answering = memoryview(bytes(self._heads)), memoryview(bytes(self._iovecs))
        self._fill(self._fresh, FAST_BATCH)

    def _fill(self, made: tuple[memoryview, memoryview], count: int) -> None:
        """Make so many heads and vectors what they were once: others are so still."""
        heads, iovecs = made
        octets = count * _SIZE
        self._heads[:octets] = heads[:octets]
        octets = count * 2 * ctypes.sizeof(_Iovec)
        self._iovecs[:octets] = iovecs[:octets]

    # --- Calls -------------------------------------------------------------------------------

    def receive(self) -> int:
        """Take what is there, without waiting; return how many datagrams.

        Raises:
            OSError: an ICMP error of an earlier reply, or a real one.
        """
        self._fill(self._fresh, len(self.lengths))
        self.lengths = []
        got: int = self._recvmmsg(
            self._socket.fileno(), self._address, FAST_BATCH, socket.MSG_DONTWAIT, 0
        )
        if got < 0:
            code = ctypes.get_errno()
            if code in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR):
                return 0
            raise OSError(code, os.strerror(code))
        self.lengths = self._counts[:got].tolist()
        return got

    def put(self, replies: tuple[bytes, ...]) -> None:
        """Have these octets sent, each behind the id of its query, to who sent that.

        Args:
            replies: as many as ``receive`` got; an empty one must not be sent.
        """
        got = len(replies)
        octets = b"".join(replies)
        self._replies[: len(octets)] = octets
        sizes = list(map(len, replies))
        starts = accumulate(sizes[:-1], initial=0)
        self._fill(self._answering, got)
        if self._says_source:
            self._info.turn(got)
        if len(octets) < _ALIGNED:
            # Low words alone: small numbers are made in a third of the time.
            words = _WORDS[got]
            self._low_starts[:got] = memoryview(words.pack(*starts)).cast("H")
        else:
            whole = array("Q", (self._replies_at + start for start in starts))
            self._starts[:got] = memoryview(whole)
        self._low_sizes[:got] = memoryview(_WORDS[got].pack(*sizes)).cast("H")

    def send(self, start: int, end: int) -> int:
        """Send what ``put`` has for the datagrams from ``start`` to ``end``; return how many went.

        Raises:
            OSError: the first did not.
        """
        sent: int = self._sendmmsg(
            self._socket.fileno(), self._address + start * _SIZE, end - start, socket.MSG_DONTWAIT
        )
        if sent < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return sent

    def whole(self, number: int) -> bytes:
        """Return a datagram."""
        length = self.lengths[number]
        at = number * FRONT
        front = bytes(self.front[at : at + min(length, FRONT)])
        if length <= FRONT:
            return front
        at = number * _BACK
        return front + bytes(self._backs[at : at + length - FRONT])

    # --- Who asked ---------------------------------------------------------------------------

    def has_port_zero(self) -> bool:
        """Tell whether a datagram claims to come from port 0."""
        return 0 in self._ports[: len(self.lengths)].tolist()

    def are_mapped(self) -> list[bool]:
        """Tell of each datagram on an IPv6 socket whether it came by IPv4 (RFC 4291 2.5.5.2)."""
        got = len(self.lengths)
        fronts, middles = self._wholes[:got].tolist(), self._middles[:got].tolist()
        return [words == _MAPPED for words in zip(fronts, middles, strict=True)]

    def port(self, number: int) -> int:
        """Return the sender's port."""
        return socket.ntohs(self._ports[number])

    def packed(self, number: int) -> bytes:
        """Return the sender's address, 4 or 16 octets; of a mapped one the IPv4 address."""
        at = number * _NAME_OCTETS
        if not self._ipv6:
            return bytes(self._names[at + 4 : at + 8])
        address = bytes(self._names[at + 8 : at + 24])
        return address[12:] if address.startswith(bytes(10) + b"\xff\xff") else address

    def client(self, number: int) -> str:
        """Return the sender's address as text, with the scope of a link-local one."""
        packed = self.packed(number)
        if len(packed) == 4:
            return socket.inet_ntop(socket.AF_INET, packed)
        text = socket.inet_ntop(socket.AF_INET6, packed)
        scope = self._scopes[number]
        if not scope:
            return text
        try:
            return f"{text}%{socket.if_indextoname(scope)}"
        except OSError:
            # The interface is gone already.
            return f"{text}%{scope}"
