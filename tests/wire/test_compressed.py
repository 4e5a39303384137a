"""wire.compressed: names in messages, whatever the octets (RFC 1035 4.1.4, RFC 9267 2)."""

from __future__ import annotations

import dns.exception
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.wire.compressed import end_of_name, name_at, plain_name

CHAIN = b"\x00" + b"".join(
    (0xC000 | (0 if at == 1 else at - 2)).to_bytes(2) for at in range(1, 400, 2)
)


@pytest.mark.parametrize(
    ("packet", "at", "name", "end"),
    [
        (b"\x01a\x00", 0, b"\x01a\x00", 3),
        (b"\x01a\x00\x01b\xc0\x00", 3, b"\x01b\x01a\x00", 7),
        (b"\x00\x01b\xc0\x00\x01c\xc0\x01", 5, b"\x01c\x01b\x00", 9),
        (CHAIN, 1 + 2 * 126, b"\x00", 255),
    ],
)
def test_a_name(packet: bytes, at: int, name: bytes, end: int) -> None:
    """Pointers are followed, and take two octets where they stand."""
    assert name_at(packet, at) == name
    assert end_of_name(packet, at) == end


@pytest.mark.parametrize(
    ("packet", "at"),
    [
        (b"", 0),
        (b"\x01a", 0),
        (b"\x02a\x00", 0),
        (b"\x40" + bytes(70), 0),
        (b"\xc0\x00", 0),
        (b"\x01a\xc0\x00", 0),
        (b"\xc0\x02\xc0\x00", 2),
        (b"\xc0\x02\x00", 0),
        (b"\x00\xc0", 1),
        (b"\x3f" + bytes(b"x" * 63) * 1 + (b"\x3f" + b"x" * 63) * 3 + b"\x00", 0),
        (CHAIN, 1 + 2 * 128),
    ],
)
def test_no_name(packet: bytes, at: int) -> None:
    """Cut short, other label types, loops, forward pointers, over 255 octets, endless chains."""
    assert name_at(packet, at) is None


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_octets(packet: bytes, at: int) -> None:
    """What is a name here is the same one to dnspython; what is none to it is none here."""
    name = name_at(packet, at)
    try:
        read, _ = dns.name.from_wire(packet, at)
    except (dns.exception.DNSException, IndexError):
        assert name is None
        return
    assert name == read.to_wire()


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"\x01a\x00rest", b"\x01a\x00"),
        (b"\x00", b"\x00"),
        (b"\x01a", None),
        (b"", None),
        (b"\x01a\xc0\x00", None),
        (b"\x02a", None),
        ((b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"x" * 61 + b"\x00",) * 2,
        ((b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\x00", None),
    ],
)
def test_a_plain_name(octets: bytes, name: bytes | None) -> None:
    """RFC 8945 4.2, RFC 3597 4: not compressed."""
    assert plain_name(octets) == name
