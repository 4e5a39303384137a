"""Does the sender of a notification know the secret? Every way registries have to show it.

A header: ``Authorization: Bearer SECRET``, the bare secret (Harbor), or Basic with it as password;
``X-Hub-Signature-256``, its HMAC over the body (GitHub). In the address, for those who can send no
header (Docker Hub, Quay): weaker, because addresses are logged on the way. Pure; all comparisons
take as long for a wrong secret as for the right one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_to_bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of the secret; none of it in a repr.

    Attributes:
        authorization: the header, b"" without one.
        signature: ``X-Hub-Signature-256``, b"" without one.
        path: after ``/hook/``, as it came.
        query: after the question mark, as it came.
    """

    authorization: bytes = field(default=b"", repr=False)
    signature: bytes = field(default=b"", repr=False)
    path: bytes = field(default=b"", repr=False)
    query: bytes = field(default=b"", repr=False)


def knows(secret: bytes, shown: Shown, body: bytes) -> bool:
    """Tell whether a request comes from who knows the secret, which is not empty."""
    made = b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode()
    right = hmac.compare_digest(made, shown.signature)
    for word in _words(shown):
        right |= hmac.compare_digest(secret, word)
    return right


def _words(shown: Shown) -> Iterator[bytes]:
    """Yield everything that could be the secret."""
    yield shown.authorization.strip()
    scheme, _, rest = shown.authorization.strip().partition(b" ")
    match scheme.lower():
        case b"bearer":
            yield rest.strip()
        case b"basic":
            yield _password(rest.strip())
        case _:
            pass
    yield unquote_to_bytes(shown.path)
    # Latin-1 has every octet, so that what was escaped comes back as it was.
    query = shown.query.decode("latin-1")
    for name, value in parse_qsl(query, encoding="latin-1", separator="&"):
        if name == "secret":
            yield value.encode("latin-1")


def _password(credentials: bytes) -> bytes:
    """Return the password of Basic credentials (RFC 7617); b"" when they are none."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
