"""DNS cookies: who sent a query from this address before (RFC 7873), interoperable (RFC 9018).

Servers behind one address that share secrets accept one another's cookies: NSD, Knot and BIND
make the same ones. Not here: what becomes of a query whose cookie is wrong (answer.options).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final, Literal

from siphash24 import siphash24

from ocizone.limits import COOKIE_AGE_S, COOKIE_AHEAD_S, COOKIE_RENEWED_S

#: Octets of a client cookie, and of what a server's may have (RFC 7873 4).
_CLIENT_OCTETS: Final = 8
_LENGTHS: Final = frozenset({_CLIENT_OCTETS, *range(16, 41)})
#: What a server cookie starts with: version and three reserved octets; time and hash follow.
_VERSION: Final = b"\x01\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class CookieSecrets:
    """What server cookies are made with.

    Attributes:
        secrets: 16 octets each; the first makes cookies, any of them verifies, so that a set of
            servers can change secrets one after another (RFC 9018 5).
    """

    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cookie:
    """What a client's cookie option is worth.

    Attributes:
        state: ``new`` has no server cookie yet, ``bad`` one that is not ours, not this client's
            or too old; ``valid`` proves that the client gets what is sent to its address.
        reply: the option's value for the response; empty for a malformed one.
    """

    state: Literal["malformed", "new", "bad", "valid"]
    reply: bytes = b""


_MALFORMED: Final = Cookie("malformed")


def check(option: bytes, client: bytes, now: int, secrets: CookieSecrets) -> Cookie:
    """Return what a cookie is worth, and the one to send back (RFC 7873 5.2, RFC 9018 4).

    Args:
        option: the value of the COOKIE option.
        client: the sender's address, 4 or 16 octets.
        now: unix seconds; compared as 32 bits, which wrap in 2106 (RFC 9018 4.3).
        secrets: to verify and make with.
    """
    if len(option) not in _LENGTHS:
        return _MALFORMED
    asked, server = option[:_CLIENT_OCTETS], option[_CLIENT_OCTETS:]
    now &= 0xFFFF_FFFF
    fresh = asked + _server_cookie(asked, client, _VERSION + now.to_bytes(4), secrets.secrets[0])
    if not server:
        return Cookie("new", fresh)
    age = (now - int.from_bytes(server[4:8]) + 2**31) % 2**32 - 2**31
    if server[0] != _VERSION[0] or not -COOKIE_AHEAD_S <= age <= COOKIE_AGE_S:
        return Cookie("bad", fresh)
    for index, secret in enumerate(secrets.secrets):
        # Its reserved octets may say anything (RFC 9018 4.2).
        if hmac.compare_digest(server, _server_cookie(asked, client, server[:8], secret)):
            kept = not index and age <= COOKIE_RENEWED_S
            return Cookie("valid", option if kept else fresh)
    return Cookie("bad", fresh)


def _server_cookie(asked: bytes, client: bytes, front: bytes, secret: bytes) -> bytes:
    """Return ``front`` (version, reserved, time) and the hash (RFC 9018 4.4)."""
    digest: bytes = siphash24(asked + front + client, key=secret).digest()
    return front + digest
