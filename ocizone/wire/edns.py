"""The OPT pseudo-record, read and written (RFC 6891).

Not here: what an option means for an answer (answer.policy), nor where OPT may stand in a
message (wire.query).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ocizone.limits import EDNS_OPTIONS, UDP_PAYLOAD_OCTETS
from ocizone.wire.codes import OPTION_EDE, OPTION_PADDING, TYPE_OPT

#: Code and value of one option.
Option = tuple[int, bytes]

_OPTION: Final = struct.Struct("!HH")
# Root owner, type, size, upper eight bits of the rcode, version, flags, RDLENGTH.
_RECORD: Final = struct.Struct("!BHHBBHH")
_DO: Final = 0x8000


@dataclass(frozen=True, slots=True)
class Edns:
    """What a client said in its OPT.

    Attributes:
        size: the UDP payload it can take, as it said; below 512 means 512 (RFC 6891 6.2.3).
        version: of EDNS; only 0 exists.
        do: it wants DNSSEC records (RFC 3225).
        options: in its order, unknown ones too; empty when the version is not ours.
    """

    size: int
    version: int = 0
    do: bool = False
    options: tuple[Option, ...] = ()

    def has(self, code: int) -> bool:
        """Tell whether the client sent an option with this code."""
        return any(option[0] == code for option in self.options)

    def first(self, code: int) -> bytes | None:
        """Return the value of the first option with this code; None without one."""
        for found, value in self.options:
            if found == code:
                return value
        return None


def read(size: int, ttl: int, rdata: bytes) -> tuple[Edns, bool]:
    """Return what an OPT says, and whether its options are well formed (RFC 6891 6.1).

    Args:
        size: the CLASS field.
        ttl: the TTL field: rcode, version and flags.
        rdata: the options. Of another version they are not looked at: their form is unknown.
            Those behind the first EDNS_OPTIONS are passed over.
    """
    version = ttl >> 16 & 0xFF
    do = bool(ttl & _DO)
    options: list[Option] = []
    if not rdata or version:
        return Edns(size, version, do), True
    at, end = 0, len(rdata)
    while at < end:
        if len(options) == EDNS_OPTIONS:
            break
        if at + 4 > end:
            return Edns(size, version, do), False
        code, length = _OPTION.unpack_from(rdata, at)
        at += 4
        if at + length > end:
            return Edns(size, version, do), False
        options.append((code, rdata[at : at + length]))
        at += length
    return Edns(size, version, do, tuple(options)), True


def write(rcode: int, *, do: bool, options: tuple[Option, ...] = ()) -> bytes:
    """Return the OPT record of a response: version 0, our own UDP size, DO copied (RFC 3225 3).

    Args:
        rcode: the whole one; its upper eight bits stand in the OPT (RFC 6891 6.1.3).
        do: as in the query.
        options: what to say.
    """
    rdata = b"".join([_OPTION.pack(code, len(value)) + value for code, value in options])
    flags = _DO if do else 0
    return _RECORD.pack(0, TYPE_OPT, UDP_PAYLOAD_OCTETS, rcode >> 4, 0, flags, len(rdata)) + rdata


def extended_error(code: int, text: str) -> Option:
    """Return the option that tells why (RFC 8914 2)."""
    return OPTION_EDE, code.to_bytes(2) + text.encode()


def fitting(options: tuple[Option, ...], room: int) -> tuple[Option, ...]:
    """Return the options that an OPT of at most ``room`` octets can hold, the first ones first."""
    kept = []
    room -= _RECORD.size
    for code, value in options:
        octets = _OPTION.size + len(value)
        if octets <= room:
            kept.append((code, value))
            room -= octets
    return tuple(kept)


def padding(octets: int, block: int, limit: int) -> tuple[Option, ...]:
    """Return the option that makes a message a multiple of ``block`` octets (RFC 8467 4.1).

    Args:
        octets: of the message without it, its TSIG included.
        block: octets; 0 for no padding.
        limit: octets the message may have; up to there it is padded when a block ends behind.
    """
    octets += _OPTION.size
    if not block or octets > limit:
        return ()
    return ((OPTION_PADDING, bytes(min(-octets % block, limit - octets))),)
