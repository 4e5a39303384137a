"""Rdata of any type from presentation form to wire form, and the names of types: over dnspython.

Slow (9,000 records/s) and complete: the fast line reader takes what is common. dnspython is
imported when it is needed, which takes a sixth of a small compilation's time: the one record that
every zone has and the fast line reader leaves, its SOA, is read here.
Not here: which types make sense where (zone.check).
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ocizone.limits import TCP_MESSAGE_OCTETS
from ocizone.wire import codes
from ocizone.wire import name as names

if TYPE_CHECKING:
    import dns.name


#: What nearly every zone consists of.
_COMMON: Final = {
    "A": codes.TYPE_A,
    "AAAA": codes.TYPE_AAAA,
    "CNAME": codes.TYPE_CNAME,
    "MX": codes.TYPE_MX,
    "NS": codes.TYPE_NS,
    "PTR": codes.TYPE_PTR,
    "SOA": codes.TYPE_SOA,
    "SRV": codes.TYPE_SRV,
    "TXT": codes.TYPE_TXT,
}
_COMMON_NAMES: Final = {number: name for name, number in _COMMON.items()}
# Names without escapes, times in seconds; what looks otherwise is dnspython's.
_SOA: Final = re.compile(r"([-A-Za-z0-9_.*/]+|@) ([-A-Za-z0-9_.*/]+|@)" + r" ([0-9]{1,10})" * 5)
_SOA_NUMBERS: Final = struct.Struct("!IIIII")


class BadRdataError(ValueError):
    """The text is not rdata of its type; the message says why, without the text."""


def type_number(token: str) -> int | None:
    """Return the number of a type's mnemonic or ``TYPEnnn`` (RFC 3597 5), or None.

    Meta types (OPT, ANY, AXFR, TSIG: RFC 6895 3.1) are no data and give None too.
    """
    common = _COMMON.get(token)
    if common is not None:
        return common
    import dns.exception  # noqa: PLC0415 - see above
    import dns.rdatatype  # noqa: PLC0415 - see above

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
    common = _COMMON_NAMES.get(number)
    if common is not None:
        return common
    import dns.rdatatype  # noqa: PLC0415 - see above

    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


@lru_cache(maxsize=64)
def _origin(wire: bytes) -> dns.name.Name:
    import dns.name  # noqa: PLC0415 - see above

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
    soa = _soa(text, origin) if rrtype == codes.TYPE_SOA else None
    if soa is not None:
        return soa
    import dns.exception  # noqa: PLC0415 - see above
    import dns.rdata  # noqa: PLC0415 - see above
    import dns.rdataclass  # noqa: PLC0415 - see above
    import dns.rdatatype  # noqa: PLC0415 - see above

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


def _soa(text: str, origin: bytes) -> bytes | None:
    """Return SOA rdata that is written the common way (RFC 1035 3.3.13), None for any other."""
    found = _SOA.fullmatch(text)
    if found is None:
        return None
    mname, rname, *numbers = found.groups()
    try:
        owners = names.from_text(mname, origin) + names.from_text(rname, origin)
        return owners + _SOA_NUMBERS.pack(*map(int, numbers))
    except (names.BadNameError, struct.error):
        # Too long, or too large: dnspython says so.
        return None


def rdata_text(rrtype: int, rdata: bytes) -> str:
    r"""Return rdata in presentation form, names absolute; in the RFC 3597 ``\#`` form if it is odd.

    Args:
        rrtype: not a meta type.
        rdata: uncompressed wire form.
    """
    import dns.exception  # noqa: PLC0415 - see above
    import dns.rdata  # noqa: PLC0415 - see above
    import dns.rdataclass  # noqa: PLC0415 - see above
    import dns.rdatatype  # noqa: PLC0415 - see above

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
