"""``cookies``: DNS cookies, on by default; their secrets where several servers share them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from ocizone.corefile.arguments import switch, text
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.types import Position

CookieMode = Literal["on", "off", "require"]

#: Octets of a secret of SipHash-2-4 (RFC 9018 4.4).
_SECRET_OCTETS: Final = 16


@dataclass(frozen=True, slots=True)
class Cookies:
    """One ``cookies`` directive.

    Attributes:
        mode: whether cookies are answered, and wrong ones over UDP are an error.
        secrets: 16 octets each, the first makes cookies; empty for one made at start.
    """

    mode: CookieMode
    secrets: tuple[bytes, ...] = field(repr=False)
    position: Position


def _mode(given: Given) -> CookieMode:
    match given.text:
        case "on":
            return "on"
        case "off":
            return "off"
        case _:
            raise BadArgumentError(
                f"unexpected token \"{given.words[0].shown}\"; expect 'on | off'"
            )


def _secrets(given: Given) -> tuple[bytes, ...]:
    return tuple(_secret(word.text) for word in given.words)


def _secret(word: str) -> bytes:
    """Return the octets of a secret; what is wrong with it is said without showing it."""
    try:
        secret = bytes.fromhex(word)
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_OCTETS or len(word) != 2 * _SECRET_OCTETS:
        raise BadArgumentError(
            "a cookie secret is 32 hexadecimal digits", "make one with 'openssl rand -hex 16'"
        )
    return secret


MODE = Argument("MODE", _mode, "`off` to leave cookies unanswered in this block.", default="on")
SECRET: Property[tuple[bytes, ...]] = Property(
    "secret",
    "HEX...",
    _secrets,
    "Secrets of 32 hexadecimal digits: the first makes cookies, all verify.",
    most=None,
    secret=True,
)
SECRETS = Property("secrets", "FILE", text, "A file with such secrets, one a line.")
REQUIRE = Property(
    "require", "", switch, "Answer BADCOOKIE to a wrong cookie over UDP.", least=0, most=0
)


def _build(use: Use, scope: Scope) -> list[Cookies]:
    given = tuple(secret for line in use.every(SECRET) for secret in line)
    for path in use.every(SECRETS):
        given += _from_file(path, scope)
    mode = use.argument(MODE)
    if use.every(REQUIRE):
        if mode == "off":
            raise BadArgumentError("'off' and 'require' exclude one another")
        mode = "require"
    return [Cookies(mode, tuple(dict.fromkeys(given)), use.position)]


def _from_file(path: str, scope: Scope) -> tuple[bytes, ...]:
    lines = [line.partition("#")[0].strip() for line in scope.text_of(path).splitlines()]
    found = []
    for number, line in enumerate(lines, 1):
        if line:
            try:
                found.append(_secret(line))
            except BadArgumentError as error:
                raise BadArgumentError(f"{path}:{number}: {error}", error.hint) from None
    if not found:
        raise BadArgumentError(f"{path}: no secret in it", "one of 32 hexadecimal digits a line")
    return tuple(found)


DIRECTIVE = Directive(
    "cookies",
    "*cookies* says how DNS cookies are answered, and with which secrets (RFC 7873, RFC 9018).",
    (MODE,),
    (SECRET, SECRETS, REQUIRE),
    build=_build,
    once=True,
)
