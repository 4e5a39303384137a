"""``acl``: who may ask what; the first matching rule decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from dns import rdatatype

from ocizone.corefile.arguments import zones
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.lexer import Token

Action = Literal["allow", "block", "filter", "drop"]


@dataclass(frozen=True, slots=True)
class AclRule:
    """One rule. ``None`` for qtypes or networks means every type, every source."""

    action: Action
    qtypes: frozenset[int] | None
    networks: tuple[IPv4Network | IPv6Network, ...] | None


@dataclass(frozen=True, slots=True)
class Acl:
    """One ``acl`` directive: its zones (lower-case wire names) and its rules in order."""

    zones: tuple[bytes, ...]
    rules: tuple[AclRule, ...]


_Sections = tuple[frozenset[int] | None, tuple[IPv4Network | IPv6Network, ...] | None]


def _rule(action: Action) -> Callable[[Given], AclRule]:
    return lambda given: AclRule(action, *_sections(given))


def _sections(given: Given) -> _Sections:
    """Parse ``[type QTYPE...] [net CIDR|IP|*...]``; what is left out means all."""
    sections: dict[str, list[Token]] = {}
    current: list[Token] | None = None
    for word in given.words:
        if word.text in {"type", "net"}:
            current = sections.setdefault(word.text, [])
        elif current is None:
            raise BadArgumentError(
                f"unexpected token \"{word.shown}\"; expect 'type | net'", at=word
            )
        else:
            current.append(word)
    for name, words in sections.items():
        if not words:
            raise BadArgumentError(f'no token specified in "{name}" section')
    types, nets = sections.get("type", []), sections.get("net", [])
    qtypes = frozenset(_qtype(word) for word in types if word.text != "*")
    networks = tuple(_network(word) for word in nets if word.text != "*")
    return (
        None if not types or any(word.text == "*" for word in types) else qtypes,
        None if not nets or any(word.text == "*" for word in nets) else networks,
    )


def _qtype(word: Token) -> int:
    try:
        if word.text == word.text.upper():
            return int(rdatatype.from_text(word.text))
    except (rdatatype.UnknownRdatatype, ValueError):
        pass
    raise BadArgumentError(
        f'unexpected token "{word.shown}"; expect legal QTYPE',
        "types are in capitals, as AAAA" if word.text != word.text.upper() else "",
        at=word,
    )


def _network(word: Token) -> IPv4Network | IPv6Network:
    try:
        return ip_network(word.text, strict=False)
    except ValueError as error:
        raise BadArgumentError(f'illegal CIDR notation "{word.shown}"', at=word) from error


ZONES = Argument("ZONES", zones, "Where the rules hold; without it the block's zones.", many=True)
_TAKES = "[type QTYPE...] [net CIDR|IP...]"
RULES = (
    Property("allow", _TAKES, _rule("allow"), "Answer.", least=0, most=None),
    Property("block", _TAKES, _rule("block"), "Answer REFUSED.", least=0, most=None),
    Property("filter", _TAKES, _rule("filter"), "Answer NOERROR, empty.", least=0, most=None),
    Property("drop", _TAKES, _rule("drop"), "Do not answer.", least=0, most=None),
)


def _build(use: Use, scope: Scope) -> list[Acl]:
    rules = tuple(setting.value for setting in use.settings)
    return [Acl(use.argument(ZONES) or scope.origins, rules)]


DIRECTIVE = Directive(
    "acl",
    "*acl* decides by query type and source address who is answered.",
    (ZONES,),
    RULES,
    build=_build,
)
