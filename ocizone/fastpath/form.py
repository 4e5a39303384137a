"""What stands behind a plain question: nothing, or one OPT, empty or with a cookie and nothing else.

Replies to questions of one form differ in what the zone says and in nothing else. Any other
octets are left to ``wire.query``. Pure. RFC 6891 6.1.2, RFC 7873 4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ocizone.limits import PLAIN_UDP_OCTETS
from ocizone.wire import edns
from ocizone.wire.codes import NOERROR, OPTION_COOKIE, TYPE_OPT

#: Octets of an OPT without options, and of the head of one option.
OPT_OCTETS: Final = 11
OPTION_OCTETS: Final = 4
#: Of the cookies in a response: the client's, and ours of RFC 9018.
COOKIE_OCTETS: Final = 24
_OPT: Final = struct.Struct("!BHHBBHH")
_OPTION: Final = struct.Struct("!HH")
#: The client's cookie alone, and with one of ours.
_COOKIES: Final = (8, COOKIE_OCTETS)


@dataclass(frozen=True, slots=True)
class Form:
    """What stands behind the question.

    Attributes:
        kind: small number: templates are made for each of them; its lowest bit is free.
        octets: behind the question.
        counts: of the header, the question's and those of all records.
        room: octets of a response over UDP the client can take (RFC 6891 6.2.3).
        do: it wants DNSSEC records.
        cookie: octets of the COOKIE option's value, which ends the message; 0 without one.
        opt: the OPT of a response, without the cookies that end it then.
    """

    kind: int
    octets: int
    counts: bytes
    room: int
    do: bool
    cookie: int
    opt: bytes


PLAIN: Final = Form(0, 0, b"\0\1\0\0\0\0\0\0", PLAIN_UDP_OCTETS, do=False, cookie=0, opt=b"")


def form_of(front: bytes) -> Form | None:
    """Return the form of a query; None for one that needs the whole parser.

    Args:
        front: what stands behind the question, at most an OPT and the head of one option.
    """
    if not front:
        return PLAIN
    if len(front) < OPT_OCTETS:
        return None
    root, rrtype, size, _, version, flags, length = _OPT.unpack_from(front)
    if root or rrtype != TYPE_OPT or version:
        return None
    cookie = 0
    if len(front) == OPT_OCTETS + OPTION_OCTETS:
        code, cookie = _OPTION.unpack_from(front, OPT_OCTETS)
        if code != OPTION_COOKIE or cookie not in _COOKIES:
            return None
        if length != OPTION_OCTETS + cookie:
            return None
    elif length or len(front) != OPT_OCTETS:
        return None
    do = bool(flags & 0x8000)
    options = ((OPTION_COOKIE, bytes(COOKIE_OCTETS)),) if cookie else ()
    opt = edns.write(NOERROR, do=do, options=options)
    kind = 2 + 2 * do + 4 * (0, *_COOKIES).index(cookie)
    return Form(
        kind,
        OPT_OCTETS + length,
        b"\0\1\0\0\0\0\0\1",
        max(PLAIN_UDP_OCTETS, size),
        do=do,
        cookie=cookie,
        opt=opt[:-COOKIE_OCTETS] if cookie else opt,
    )
