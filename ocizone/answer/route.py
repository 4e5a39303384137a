"""Find who answers: listener, block, zone (reference: CoreDNS' longest-match routing).

Names are looked up in mappings, label by label, so that ten thousand zones cost what one does.
Not here: what the zone says (zone.lookup).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from ocizone.wire.codes import TYPE_DS
from ocizone.wire.name import parent

if TYPE_CHECKING:
    # The compiler routes, too, and has no use for every directive's values.
    from ocizone.answer.blocks import Block, ServedZone

V = TypeVar("V")

#: The blocks of one listener by key zone, lower-case wire name.
Blocks: TypeAlias = "Mapping[bytes, Block]"


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a name.

    Attributes:
        block: the block with the longest key the name is at or below; None for nobody.
        apex: of the block's longest zone the name is at or below; None for none.
        zone: that zone, loaded or not.
    """

    block: Block | None = None
    apex: bytes | None = None
    zone: ServedZone | None = None


NOBODY: Final = Route()


def route(blocks: Blocks, name: bytes, qtype: int) -> Route:
    """Return who answers a lower-case name.

    DS of a zone's apex is the parent's to answer, where the parent is served on this listener
    (RFC 4035 3.1.4.1); it may be in another block. The root is its own parent.
    """
    found = _longest_route(blocks, name)
    if qtype == TYPE_DS and found.apex == name:
        above = _longest_route(blocks, parent(name))
        if above.zone is not None:
            return above
    return found


def _longest_route(blocks: Blocks, name: bytes) -> Route:
    matched = longest(blocks, name)
    if matched is None:
        return NOBODY
    block = matched[1]
    served = longest(block.zones, name)
    if served is None:
        return Route(block)
    return Route(block, *served)


def longest(table: Mapping[bytes, V], name: bytes) -> tuple[bytes, V] | None:
    """Return the longest key a lower-case name is at or below, and its value."""
    at = 0
    while True:
        ending = name[at:]
        value = table.get(ending)
        if value is not None:
            return ending, value
        if not name[at]:
            return None
        at += 1 + name[at]
