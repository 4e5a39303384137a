"""``bind``: which addresses a block listens on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from ocizone.corefile.arguments import is_address
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)


@dataclass(frozen=True, slots=True)
class Bind:
    """Addresses and interface names as written, and those left out by ``except``."""

    names: tuple[str, ...]
    excepted: tuple[str, ...]


#: An interface name is at most 15 octets on Linux (IFNAMSIZ), without space or slash.
_INTERFACE = re.compile(r"(?![0-9.]+\Z)[^\s/:]{1,15}")


def _names(given: Given) -> tuple[str, ...]:
    if not given.words:
        raise BadArgumentError("at least one address or interface name is expected")
    for word in given.words:
        if not is_address(word.text) and not _INTERFACE.fullmatch(word.text):
            raise BadArgumentError(
                f'not a valid IP address or interface name: "{word.shown}"',
                "the port stands in the key, as in .:1053" if ":" in word.text else "",
                at=word,
            )
    return tuple(
        str(ip_address(word.text)) if is_address(word.text) else word.text for word in given.words
    )


ADDRESS = Argument(
    "ADDRESS|INTERFACE",
    _names,
    "IP addresses; an interface stands for all of its addresses.",
    many=True,
)
EXCEPT = Property(
    "except", "ADDRESS|INTERFACE...", _names, "Leave these out; for this line only.", most=None
)


def _build(use: Use, _scope: Scope) -> list[Bind]:
    names = use.argument(ADDRESS)
    excepted = tuple(name for names_ in use.every(EXCEPT) for name in names_)
    if set(names) <= set(excepted):
        raise BadArgumentError("'except' leaves no address to listen on")
    return [Bind(names, excepted)]


DIRECTIVE = Directive(
    "bind",
    "*bind* says which addresses the server block listens on, instead of every address.",
    (ADDRESS,),
    (EXCEPT,),
    build=_build,
)
