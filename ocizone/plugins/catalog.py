"""``catalog``: a zone that lists the block's zones, for secondaries (RFC 9432)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.limits import NAME_OCTETS
from ocizone.wire.name import ROOT, BadNameError, from_text, is_at_or_below

# Below the name come "group", 32 characters of a member, and "zones" (RFC 9432 4.1, 4.3.2).
_BELOW_OCTETS: Final = len(b"\x05group") + 33 + len(b"\x05zones")
# A character-string (RFC 1035 3.3).
_GROUP_OCTETS: Final = 255


@dataclass(frozen=True, slots=True)
class Catalog:
    """One ``catalog`` directive.

    Attributes:
        name: of the catalog zone, lower-case wire name.
        group: the ``group`` property of every member; b"" for none.
    """

    name: bytes
    group: bytes = b""


def _name(given: Given) -> bytes:
    word = given.words[0]
    try:
        name = from_text(word.text.rstrip(".") + ".").lower()
    except BadNameError as error:
        raise BadArgumentError(f"'{word.shown}' is no zone name: {error}") from error
    if name == ROOT or len(name) + _BELOW_OCTETS > NAME_OCTETS:
        raise BadArgumentError(
            f"'{word.shown}' cannot be a catalog", "a short name below .invalid is usual"
        )
    return name


def _group(given: Given) -> bytes:
    value = given.text.encode()
    if not 0 < len(value) <= _GROUP_OCTETS:
        raise BadArgumentError(f"a group is 1 to {_GROUP_OCTETS} octets")
    return value


NAME = Argument(
    "NAME", _name, "The catalog's name; no zone may have it or be below.", required=True
)
GROUP = Property("group", "VALUE", _group, "The group property of every member (RFC 9432 4.3.2).")


def _build(use: Use, scope: Scope) -> list[Catalog]:
    name = use.argument(NAME)
    if any(is_at_or_below(origin, name) for origin in scope.origins):
        raise BadArgumentError(
            "the catalog's name is one of the block's zones", "catalogs have a name of their own"
        )
    return [Catalog(name, use.last(GROUP) or b"")]


DIRECTIVE = Directive(
    "catalog",
    "*catalog* lists the block's zones in a zone that secondaries configure themselves by"
    " (RFC 9432).",
    (NAME,),
    (GROUP,),
    build=_build,
    once=True,
)
