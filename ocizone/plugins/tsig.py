"""``tsig``: keys shared with secondaries, and what must be signed with one (RFC 8945)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from dns import opcode, rdatatype

from ocizone.corefile.arguments import text, zones
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
from ocizone.wire.name import BadNameError, from_text, is_at_or_below, to_text
from ocizone.wire.tsig import ALGORITHMS, TsigKey

_NAMES: Final = "hmac-sha256, hmac-sha384 or hmac-sha512"
#: Words, quoted words and punctuation of named.conf; its comments are taken out first.
_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*|#[^\n]*", re.DOTALL)
_WORD: Final = re.compile(r'"[^"\n]*"|[{};]|[^\s{};"]+')

#: What must be signed: None for everything.
Required = frozenset[int] | None
_NOTHING: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class TsigRules:
    """What must be signed.

    Attributes:
        zones: where that holds, lower-case wire names.
        qtypes: of queries; None for every type.
        queries: all of them, whatever the type: QUERY is among the required opcodes.
    """

    zones: tuple[bytes, ...]
    qtypes: Required = _NOTHING
    queries: bool = False

    def require(self, name: bytes, qtype: int) -> bool:
        """Tell whether a query must be signed."""
        if not self.queries and self.qtypes is not None and qtype not in self.qtypes:
            return False
        return any(is_at_or_below(name, zone) for zone in self.zones)


@dataclass(frozen=True, slots=True)
class Tsig:
    """One ``tsig`` directive.

    Attributes:
        keys: of this block; every block may use every key of the Corefile.
        rules: what must be signed.
        position: of the directive.
    """

    keys: tuple[TsigKey, ...] = field(repr=False)
    rules: TsigRules
    position: Position


def _secret(given: Given) -> TsigKey:
    name, secret, *algorithm = (word.text for word in given.words)
    return make_key(name, secret, *algorithm)


def make_key(name: str, secret: str, algorithm: str = "hmac-sha256") -> TsigKey:
    """Return a key.

    Args:
        name: as a domain name; absolute with or without the dot.
        secret: Base64.
        algorithm: of three.

    Raises:
        BadArgumentError: one of them is none; the secret is not shown.
    """
    try:
        owner = from_text(name.rstrip(".") + ".").lower()
    except BadNameError as error:
        raise BadArgumentError(f"a key's name is a domain name: {error}") from None
    try:
        octets = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        raise BadArgumentError(
            "a key's secret is Base64", "make one with 'openssl rand -base64 32' or tsig-keygen"
        )
    try:
        hashed = from_text(algorithm.rstrip(".") + ".").lower()
    except BadNameError:
        hashed = b""
    if hashed not in ALGORITHMS:
        raise BadArgumentError("no such algorithm", f"it is {_NAMES}")
    return TsigKey(owner, hashed, octets)


def _types(given: Given) -> Required:
    return _required(given, rdatatype.from_text, (rdatatype.UnknownRdatatype, ValueError))


def _opcodes(given: Given) -> Required:
    return _required(given, opcode.from_text, (opcode.UnknownOpcode, ValueError))


def _required(
    given: Given, number: Callable[[str], int], unknown: tuple[type[Exception], ...]
) -> Required:
    words = given.words
    if len(words) == 1 and words[0].text in {"all", "none"}:
        return None if words[0].text == "all" else _NOTHING
    found = set()
    for word in words:
        try:
            found.add(int(number(word.text)))
        except unknown as error:
            raise BadArgumentError(
                f'unexpected token "{word.shown}"; expect legal {given.name.shown}',
                "names in capitals, or 'all' or 'none' alone",
                at=word,
            ) from error
    return frozenset(found)


def read_named_conf(written: str) -> Iterator[TsigKey]:
    """Yield the keys of named.conf's ``key "NAME" { algorithm A; secret "S"; };`` statements.

    Raises:
        BadArgumentError: there is anything else, or a key is wrong; no secret is shown.
    """
    plain = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), written)
    words = [(found[0], plain.count("\n", 0, found.start()) + 1) for found in _WORD.finditer(plain)]
    at = 0
    while at < len(words):
        line = words[at][1]
        statement, at = _statement(words, at)
        try:
            yield make_key(statement["key"], statement["secret"], statement["algorithm"])
        except BadArgumentError as error:
            raise BadArgumentError(f"line {line}: {error}", error.hint) from None


def _statement(words: list[tuple[str, int]], at: int) -> tuple[dict[str, str], int]:
    """Return the words of the key statement at ``at`` by their keyword, and where it ends."""
    texts = [word.strip('"') for word, _ in words[at : at + 11]]
    found = {"algorithm": "hmac-sha256"}
    end = 3
    if texts[:1] == ["key"] and texts[2:3] == ["{"]:
        found["key"] = texts[1]
        while (
            texts[end : end + 1]
            and texts[end] in {"algorithm", "secret"}
            and texts[end + 2 : end + 3] == [";"]
        ):
            found[texts[end]] = texts[end + 1]
            end += 3
        if texts[end : end + 1] == ["}"] and "secret" in found:
            closed = texts[end + 1 : end + 2] == [";"]
            return found, at + end + 1 + closed
    line = words[at][1]
    raise BadArgumentError(
        f"line {line}: not a key statement",
        'write: key "NAME" { algorithm hmac-sha256; secret "BASE64"; };',
    )


ZONES = Argument("ZONE", zones, "Where **require** holds; without it the block's zones.", many=True)
SECRET = Property(
    "secret",
    "NAME BASE64 [ALGORITHM]",
    _secret,
    "A key; ALGORITHM is `hmac-sha256` (without it), `hmac-sha384` or `hmac-sha512`.",
    least=2,
    most=3,
    secret=True,
)
SECRETS = Property("secrets", "FILE", text, "A file of key statements as in named.conf.")
REQUIRE = Property(
    "require",
    "QTYPE...|all|none",
    _types,
    "Query types that are refused without a signature.",
    default="none",
    most=None,
)
REQUIRE_OPCODE = Property(
    "require_opcode",
    "OPCODE...|all|none",
    _opcodes,
    "Opcodes that are refused without a signature; only QUERY is answered at all.",
    default="none",
    most=None,
)


def _build(use: Use, scope: Scope) -> list[Tsig]:
    keys = list(use.every(SECRET))
    for path in use.every(SECRETS):
        try:
            keys += read_named_conf(scope.text_of(path))
        except BadArgumentError as error:
            raise BadArgumentError(f"{path}: {error}", error.hint) from None
    seen: set[bytes] = set()
    for key in keys:
        if key.name in seen:
            raise BadArgumentError(f'key "{to_text(key.name)}" redefined', "each key once")
        seen.add(key.name)
    opcodes = use.value(REQUIRE_OPCODE)
    rules = TsigRules(
        use.argument(ZONES) or scope.origins,
        use.value(REQUIRE),
        queries=opcodes is None or int(opcode.QUERY) in opcodes,
    )
    return [Tsig(tuple(keys), rules, use.position)]


DIRECTIVE = Directive(
    "tsig",
    "*tsig* has the keys of signed queries and transfers, and says what must be signed (RFC 8945).",
    (ZONES,),
    (SECRET, SECRETS, REQUIRE, REQUIRE_OPCODE),
    build=_build,
    once=True,
)
