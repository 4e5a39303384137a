"""Transaction signatures: requests verified, responses signed, and the reverse (RFC 8945).

One key has one algorithm; a request that names another one is BADKEY, as unknown ones are. A
truncated MAC is never enough (BADTRUNC): no peer sends one unless told to. Not here: which keys
may do what (answer.transfer, plugins.tsig), and the time: it is an argument, in unix seconds. Not kept either:
the last time signed by each key (RFC 8945 5.2.3): a replayed query costs what a new one does.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ocizone.wire.codes import (
    BADKEY,
    BADSIG,
    BADTIME,
    BADTRUNC,
    CLASS_ANY,
    FORMERR,
    NOERROR,
    NOTAUTH,
    TYPE_TSIG,
)
from ocizone.wire.compressed import end_of_name, name_at, plain_name
from ocizone.wire.name import from_text

#: Lower-case wire name of each algorithm there is, and the hash it is made of.
ALGORITHMS: Final[dict[bytes, str]] = {
    from_text("hmac-sha256."): "sha256",
    from_text("hmac-sha384."): "sha384",
    from_text("hmac-sha512."): "sha512",
}
HMAC_SHA256: Final = from_text("hmac-sha256.")
#: Octets of a MAC, by hash.
_MAC_OCTETS: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
#: Seconds clocks may differ (RFC 8945 10).
FUDGE_S: Final = 300

_RECORD: Final = struct.Struct("!HHIH")
_HEADER: Final = struct.Struct("!HHHHHH")
# Beside names, MAC and other data: time signed (48 bits), fudge, MAC size; id, error, other size.
_FIXED_OCTETS: Final = 16
_TIME_OCTETS: Final = 6
_MAC_SIZE_OCTETS: Final = 2


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A secret shared with one peer.

    Attributes:
        name: lower-case wire name.
        algorithm: lower-case wire name, a key of ALGORITHMS.
        secret: octets; in no repr.
    """

    name: bytes
    algorithm: bytes
    secret: bytes = field(repr=False)

    @property
    def mac_octets(self) -> int:
        """Return the length of its MACs."""
        return _MAC_OCTETS[ALGORITHMS[self.algorithm]]

    def mac(self, data: bytes) -> bytes:
        """Return the MAC over these octets."""
        return hmac.digest(self.secret, data, ALGORITHMS[self.algorithm])


@dataclass(frozen=True, slots=True)
class Tsig:
    """A TSIG record as it came (RFC 8945 4.2).

    Attributes:
        start: where its owner starts in the message; it is the last record.
        key: the owner, lower-case wire name.
        algorithm: lower-case wire name.
        time: when it was signed, unix seconds, 48 bits.
        fudge: seconds that may be off.
        mac: as it came.
        original_id: of the message when it was signed.
        error: 16..23, or 0.
        other: the server's time in a BADTIME response.
    """

    start: int
    key: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int = NOERROR
    other: bytes = b""

    @property
    def owner_and_variables(self) -> bytes:
        """Return what is signed of the record itself (RFC 8945 4.3.3)."""
        return b"".join(
            (
                self.key,
                struct.pack("!HI", CLASS_ANY, 0),
                self.algorithm,
                self.timers,
                struct.pack("!HH", self.error, len(self.other)),
                self.other,
            )
        )

    @property
    def timers(self) -> bytes:
        """Return the time fields, as signed and as written (RFC 8945 4.3.3.1)."""
        return self.time.to_bytes(_TIME_OCTETS) + self.fudge.to_bytes(2)

    def appended_to(self, message: bytes) -> bytes:
        """Return the message with this record as its last one, ARCOUNT raised."""
        rdata = b"".join(
            (
                self.algorithm,
                self.timers,
                len(self.mac).to_bytes(2),
                self.mac,
                struct.pack("!HHH", self.original_id, self.error, len(self.other)),
                self.other,
            )
        )
        return b"".join(
            (
                message[:10],
                (int.from_bytes(message[10:12]) + 1).to_bytes(2),
                message[12:],
                self.key,
                _RECORD.pack(TYPE_TSIG, CLASS_ANY, 0, len(rdata)),
                rdata,
            )
        )


def read(packet: bytes, start: int, rrclass: int, ttl: int, rdata: bytes) -> Tsig | None:
    """Return the TSIG whose owner stands at ``start``; None when it is malformed (RFC 8945 4.2).

    Args:
        packet: the message.
        start: of the record.
        rrclass: its class, which must be ANY.
        ttl: which must be 0.
        rdata: its rdata.
    """
    owner, algorithm = name_at(packet, start), plain_name(rdata)
    if owner is None or algorithm is None or rrclass != CLASS_ANY or ttl:
        return None
    at = len(algorithm)
    if at + 10 > len(rdata):
        return None
    time, fudge, size = struct.unpack_from("!6sHH", rdata, at)
    at += 10
    mac = rdata[at : at + size]
    at += size
    if at + 6 > len(rdata):
        return None
    ident, error, size = struct.unpack_from("!HHH", rdata, at)
    other = rdata[at + 6 :]
    if len(other) != size:
        return None
    return Tsig(
        start,
        owner.lower(),
        algorithm.lower(),
        int.from_bytes(time),
        fudge,
        mac,
        ident,
        error,
        other,
    )


@dataclass(slots=True)
class Signer:
    """Signs the messages of one response, in order (RFC 8945 5.3, 5.3.1).

    Attributes:
        key: that signed the request; None in an error that must not be signed.
        request: the request's TSIG.
        error: BADKEY, BADSIG, BADTIME or BADTRUNC; 0 for none.
        other: other data.
    """

    key: TsigKey | None
    request: Tsig
    error: int = NOERROR
    other: bytes = b""
    _prior: bytes = b""
    _first: bool = True

    @property
    def octets(self) -> int:
        """Return how many octets the TSIG takes in each message."""
        names = len(self.request.key) + len(self.request.algorithm)
        mac = 0 if self.key is None else self.key.mac_octets
        return names + _RECORD.size + _FIXED_OCTETS + mac + len(self.other)

    def sign(self, message: bytes, now: int) -> bytes:
        """Return the next message of the response with its TSIG behind it, ARCOUNT raised.

        The first is signed over the request's MAC, each later one over the MAC before it.

        Args:
            message: header, sections and OPT.
            now: unix seconds.
        """
        asked = self.request
        # So that a client whose clock is off can verify that it is (RFC 8945 5.2.3).
        time, fudge = (asked.time, asked.fudge) if self.error == BADTIME else (now, FUDGE_S)
        ident = int.from_bytes(message[:2])
        plain = Tsig(0, asked.key, asked.algorithm, time, fudge, b"", ident, self.error, self.other)
        if self.key is None:
            return plain.appended_to(message)
        prior, signed = (
            (asked.mac, plain.owner_and_variables) if self._first else (self._prior, plain.timers)
        )
        mac = self.key.mac(len(prior).to_bytes(2) + prior + message + signed)
        self._prior, self._first = mac, False
        return Tsig(
            0, asked.key, asked.algorithm, time, fudge, mac, ident, self.error, self.other
        ).appended_to(message)


@dataclass(frozen=True, slots=True)
class Failed:
    """A request whose TSIG is not right.

    Attributes:
        rcode: NOTAUTH, or FORMERR for a MAC of impossible length.
        error: BADKEY, BADSIG, BADTIME or BADTRUNC; 0 with FORMERR.
        signer: puts the TSIG behind the error response, signed or not; None for no TSIG.
    """

    rcode: int
    error: int
    signer: Signer | None


def verify(packet: bytes, tsig: Tsig, keys: Mapping[bytes, TsigKey], now: int) -> Signer | Failed:
    """Return what signs the response to a request, or why it is not let in (RFC 8945 5.2).

    Args:
        packet: the request as it came.
        tsig: its TSIG.
        keys: by name.
        now: unix seconds.
    """
    key = keys.get(tsig.key)
    if key is None or key.algorithm != tsig.algorithm:
        return Failed(NOTAUTH, BADKEY, Signer(None, tsig, BADKEY))
    size = len(tsig.mac)
    if not max(10, key.mac_octets // 2) <= size <= key.mac_octets:
        return Failed(FORMERR, NOERROR, None)
    expected = key.mac(_unsigned(packet, tsig) + tsig.owner_and_variables)
    if not hmac.compare_digest(expected[:size], tsig.mac):
        return Failed(NOTAUTH, BADSIG, Signer(None, tsig, BADSIG))
    if abs(now - tsig.time) > tsig.fudge:
        other = now.to_bytes(_TIME_OCTETS)
        return Failed(NOTAUTH, BADTIME, Signer(key, tsig, BADTIME, other))
    if size < key.mac_octets:
        return Failed(NOTAUTH, BADTRUNC, Signer(key, tsig, BADTRUNC))
    return Signer(key, tsig)


def _unsigned(packet: bytes, tsig: Tsig) -> bytes:
    """Return the message as it was before the TSIG was put behind it (RFC 8945 4.3.2)."""
    records = int.from_bytes(packet[10:12]) - 1
    ident = tsig.original_id.to_bytes(2)
    return ident + packet[2:10] + records.to_bytes(2) + packet[12 : tsig.start]


# --- As a client: NOTIFY ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies the one response to a request we signed (RFC 8945 5.4)."""

    _key: TsigKey
    _request_mac: bytes

    def verify(self, response: bytes, now: int) -> bool:
        """Tell whether a response is signed with our key, in time, and says no TSIG error.

        Args:
            response: as it came; any octets.
            now: unix seconds.
        """
        tsig = last_tsig(response)
        if tsig is None or (tsig.key, tsig.algorithm) != (self._key.name, self._key.algorithm):
            return False
        prior = self._request_mac
        expected = self._key.mac(
            len(prior).to_bytes(2) + prior + _unsigned(response, tsig) + tsig.owner_and_variables
        )
        return (
            hmac.compare_digest(expected, tsig.mac)
            and abs(now - tsig.time) <= tsig.fudge
            and tsig.error == NOERROR
        )


def sign_request(message: bytes, key: TsigKey, now: int) -> tuple[bytes, Verifier]:
    """Return a request with its TSIG behind it, and what verifies the response.

    Args:
        message: a whole request without TSIG.
        key: the secret shared with whom it is for.
        now: unix seconds.
    """
    ident = int.from_bytes(message[:2])
    plain = Tsig(0, key.name, key.algorithm, now, FUDGE_S, b"", ident)
    mac = key.mac(message + plain.owner_and_variables)
    signed = Tsig(0, key.name, key.algorithm, now, FUDGE_S, mac, ident).appended_to(message)
    return signed, Verifier(key, mac)


def last_tsig(packet: bytes) -> Tsig | None:
    """Return the TSIG a message ends with; None without one, or when the message is broken."""
    if len(packet) < _HEADER.size:
        return None
    _, _, questions, *counts = _HEADER.unpack_from(packet)
    at, found = _HEADER.size, None
    for _ in range(questions):
        at = end_of_name(packet, at)
        if not at:
            return None
        at += 4
    for _ in range(sum(counts)):
        start, found = at, None
        at = end_of_name(packet, at)
        if not at or at + _RECORD.size > len(packet):
            return None
        rrtype, rrclass, ttl, length = _RECORD.unpack_from(packet, at)
        at += _RECORD.size + length
        if rrtype == TYPE_TSIG:
            found = read(packet, start, rrclass, ttl, packet[at - length : at])
    # A TSIG behind the additional section's count, or before the last record, is none.
    return found if at == len(packet) and counts[2] else None
