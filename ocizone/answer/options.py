"""EDNS options: what a client's ask for, and what the response says (RFC 6891 6.1.2).

An option is answered only to who sent it, and an unknown one never (RFC 8906 8.2.3); so a query
without options costs nothing here. Options that matter most come first: where there is no room,
the last ones are left out. Not here: extended errors (answer.respond), and octets (wire.edns).
"""

from __future__ import annotations

from typing import Final

from ocizone import limits
from ocizone.answer.blocks import Loaded, Transport
from ocizone.answer.policy import client_address
from ocizone.answer.route import Route
from ocizone.plugins.cookies import CookieMode
from ocizone.wire import cookie
from ocizone.wire.codes import (
    BADCOOKIE,
    FORMERR,
    NOERROR,
    NXDOMAIN,
    OPTION_COOKIE,
    OPTION_EXPIRE,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    OPTION_PADDING,
    OPTION_ZONEVERSION,
    TYPE_SOA,
    YXDOMAIN,
)
from ocizone.wire.cookie import Cookie, CookieSecrets
from ocizone.wire.edns import Edns, Option
from ocizone.wire.query import Query
from ocizone.wire.render import Answer

#: Idle time of a connection, in units of 100 milliseconds (RFC 7828 3.1).
_IDLE: Final = round(limits.TCP_IDLE_S * 10).to_bytes(2)
#: The one type of zone version there is: the SOA serial (RFC 9660 7.2.2).
_SOA_SERIAL: Final = b"\x00"

#: Rcodes of answers that say what a zone holds.
_FROM_ZONE: Final = frozenset({NOERROR, NXDOMAIN, YXDOMAIN})

MALFORMED_COOKIE: Final = Answer(FORMERR)
COOKIE_WANTED: Final = Answer(BADCOOKIE)


def cookie_of(
    edns: Edns | None, transport: Transport, secrets: CookieSecrets | None
) -> Cookie | None:
    """Return what the client's cookie is worth; None without one, or where cookies are off."""
    if edns is None or not edns.options or secrets is None:
        return None
    option = edns.first(OPTION_COOKIE)
    if option is None:
        return None
    address = client_address(transport.client)
    packed = b"" if address is None else address.packed
    return cookie.check(option, packed, transport.received, secrets)


def refused_for_cookie(
    sent: Cookie | None, transport: Transport, mode: CookieMode
) -> Answer | None:
    """Return the error a cookie deserves; None when the query is answered (RFC 7873 5.2).

    One that is wrong is no error by default: the response brings a right one. Over TCP the
    client's address is proven anyway.
    """
    if sent is None or mode == "off":
        return None
    if sent.state == "malformed":
        return MALFORMED_COOKIE
    if mode == "require" and sent.state != "valid" and transport.protocol == "udp":
        return COOKIE_WANTED
    return None


def with_cookie(sent: Cookie | None) -> tuple[Option, ...]:
    """Return the client's cookie with ours; nothing for a malformed one."""
    return ((OPTION_COOKIE, sent.reply),) if sent is not None and sent.reply else ()


def said(
    query: Query,
    answer: Answer,
    way: Route,
    transport: Transport,
    sent: Cookie | None,
) -> tuple[Option, ...]:
    """Return the options of a response to a query that has some, the ones that matter most first."""
    edns = query.edns
    if edns is None or not edns.options:
        return ()
    policy = None if way.block is None else way.block.policy
    answers_cookies = policy is None or policy.cookies != "off"
    options = list(with_cookie(sent)) if answers_cookies else []
    if transport.protocol != "udp" and edns.has(OPTION_KEEPALIVE):
        options.append((OPTION_KEEPALIVE, _IDLE))
    # An acl's answer has an error; it says nothing of the zone.
    if answer.rcode in _FROM_ZONE and answer.error is None and isinstance(way.zone, Loaded):
        options += _of_zone(query, edns, answer, way.zone)
    if policy is not None and policy.nsid is not None and edns.has(OPTION_NSID):
        options.append((OPTION_NSID, policy.nsid))
    return tuple(options)


def _of_zone(query: Query, edns: Edns, answer: Answer, zone: Loaded) -> list[Option]:
    info = zone.reader.info
    options: list[Option] = []
    if edns.has(OPTION_ZONEVERSION):
        # Of the zone that encloses the query name, referrals too (RFC 9660 3.2).
        version = bytes([info.apex_labels]) + _SOA_SERIAL + info.serial.to_bytes(4)
        options.append((OPTION_ZONEVERSION, version))
    if query.qtype == TYPE_SOA and query.name == info.apex and edns.has(OPTION_EXPIRE):
        # How long a secondary that transfers from us may keep it: SOA EXPIRE (RFC 7314 3.2).
        expire = [soa.rdatas[0][-8:-4] for _, soa in answer.answer if soa.rrtype == TYPE_SOA]
        options += [(OPTION_EXPIRE, seconds) for seconds in expire]
    return options


def padded_to(edns: Edns | None, transport: Transport) -> int:
    """Return what a response is padded to a multiple of, in octets; 0 for no padding.

    Only over TLS, where there is something to hide, and for who padded the query (RFC 7830 4,
    RFC 8467 4.1).
    """
    if transport.protocol != "tls" or edns is None or not edns.has(OPTION_PADDING):
        return 0
    return limits.PADDED_TO_OCTETS
