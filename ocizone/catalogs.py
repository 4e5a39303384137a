"""The catalog of a server block: made of its zones, carried from one snapshot to the next.

Pure. A secondary drops what leaves a catalog (RFC 9432 5.4): so there is none before every
source of the block has told its zones, and a zone that is configured but has no version yet is
in it. Not here: how a catalog is written (zone.catalog), and who may have it (answer.transfer).
"""

from __future__ import annotations

from ocizone.answer.blocks import Block, Loaded, NotReady, ServedZone
from ocizone.errors import Problem, Severity
from ocizone.limits import IXFR_VERSIONS
from ocizone.plan import View
from ocizone.plugins.catalog import Catalog
from ocizone.wire.name import to_text
from ocizone.zone.catalog import CatalogZone, catalog


def catalog_of(
    directive: Catalog,
    zones: dict[bytes, ServedZone],
    pending: str | None,
    before: Block | None,
    now: int,
) -> ServedZone:
    """Return the catalog of a block: the one of before, a newer one, or that there is none yet.

    Args:
        directive: of the block.
        zones: of the block, without the catalog.
        pending: why the set of zones is not known yet; None when it is.
        before: the block as it was served until now.
        now: unix seconds.
    """
    was = None if before is None else before.zones.get(directive.name)
    if not isinstance(was, Loaded) or not isinstance(was.reader, CatalogZone):
        if pending is not None:
            return NotReady(pending)
        return Loaded(_made(directive, zones, None, now), catalog=True)
    if pending is not None:
        return was
    made = _made(directive, zones, was.reader, now)
    if made is was.reader:
        return was
    return Loaded(made, (was.reader, *was.earlier)[:IXFR_VERSIONS], catalog=True)


def _made(
    directive: Catalog, zones: dict[bytes, ServedZone], before: CatalogZone | None, now: int
) -> CatalogZone:
    return catalog(directive.name, frozenset(zones), directive.group, before, now)


def claimed_by_catalog(view: View, apex: bytes, source: str) -> Problem | None:
    """Return the finding that a source brings a zone with the name of the view's catalog."""
    directive = view.block.get(Catalog)
    if directive is None or directive.name != apex:
        return None
    position = view.block.position
    return Problem(
        position.file,
        position.line,
        0,
        Severity.ERROR,
        "origin-is-catalog",
        f"{to_text(apex)} is the block's catalog and a zone of {source} too",
        "give the catalog a name of its own, such as one below invalid",
    )
