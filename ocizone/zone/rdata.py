"""Rdata of any type from presentation form to wire form, and the names of types: over dnspython.

Slow (9,000 records/s) and complete: the fast line reader takes what is common. Not here: which
types make sense where (zone.check).
"""

from __future__ import annotations

import struct
from functools import lru_cache

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from ocizone.limits import TCP_MESSAGE_OCTETS


class BadRdataError(ValueError):
    """The text is not rdata of its type; the message says why, without the text."""


def type_number(token: str) -> int | None:
    """Return the number of a type's mnemonic or ``TYPEnnn`` (RFC 3597 5), or None.

    Meta types (OPT, ANY, AXFR, TSIG: RFC 6895 3.1) are no data and give None too.
    """
    try:
        number = dns.rdatatype.from_text(token)
    except (dns.exception.DNSException, ValueError):
        return None
    if number == 0 or dns.rdatatype.is_metatype(number):
        return None
    return int(number)


@lru_cache(maxsize=1024)
def type_name(number: int) -> str:
    """Return a type's mnemonic, or ``TYPEnnn``."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


@lru_cache(maxsize=64)
def _origin(wire: bytes) -> dns.name.Name:
    return dns.name.from_wire(wire, 0)[0]


def rdata_from_text(rrtype: int, text: str, origin: bytes) -> bytes:
    r"""Return the uncompressed wire form of rdata in presentation form.

    Args:
        rrtype: not a meta type.
        text: ASCII, one line, escapes allowed; the RFC 3597 ``\#`` form for any type.
        origin: absolute wire name that completes relative names.

    Raises:
        BadRdataError: it is not rdata of this type.
    """
    try:
        rdata = dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.RdataType.make(rrtype),
            text,
            origin=_origin(origin),
            relativize=False,
        )
        wire = rdata.to_wire()
    except (dns.exception.DNSException, ValueError, OverflowError, struct.error) as error:
        raise BadRdataError(_reason(error)) from error
    if wire is None or len(wire) > TCP_MESSAGE_OCTETS:
        raise BadRdataError(f"rdata is over {TCP_MESSAGE_OCTETS} octets")
    return wire


def rdata_text(rrtype: int, rdata: bytes) -> str:
    r"""Return rdata in presentation form, names absolute; in the RFC 3597 ``\#`` form if it is odd.

    Args:
        rrtype: not a meta type.
        rdata: uncompressed wire form.
    """
    try:
        return dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rrtype), rdata, 0, len(rdata)
        ).to_text()
    except (dns.exception.DNSException, ValueError, struct.error):
        return rf"\# {len(rdata)} {rdata.hex()}"


def _reason(error: BaseException) -> str:
    """Return why, in one line: dnspython wraps the cause, and its own words are often generic."""
    cause = error.__cause__ or error
    text = str(cause) or str(error)
    return text.splitlines()[0].rstrip(".") if text else type(cause).__name__
