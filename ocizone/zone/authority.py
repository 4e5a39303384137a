"""What of a zone's content is authoritative: names, cuts, and what cuts and DNAMEs hide.

RFC 1034 4.2.1, RFC 4035 2.2 and RFC 6672 2.3 draw the same lines. Names only: NSEC3 records
stand apart (zone.content).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ocizone.wire.codes import TYPE_DNAME, TYPE_DS, TYPE_NS
from ocizone.zone.content import Content, by_type
from ocizone.zone.record import Record


@dataclass(frozen=True, slots=True)
class Owner:
    """One name of a zone.

    Attributes:
        key: wire.name.relative_key.
        groups: its records by type; empty at an empty non-terminal.
        is_cut: another zone begins here.
        is_occluded: below a cut or a DNAME: glue, or never answered at all.
    """

    key: bytes
    groups: dict[int, list[Record]]
    is_cut: bool
    is_occluded: bool

    @property
    def is_insecure_cut(self) -> bool:
        """Another zone begins here, and no DS vouches for it."""
        return self.is_cut and TYPE_DS not in self.groups


def owners(content: Content) -> Iterator[Owner]:
    """Yield every name in canonical order, empty non-terminals too."""
    cover: bytes | None = None
    for key in content.order:
        groups = by_type(content.names[key])
        occluded = cover is not None and key.startswith(cover)
        cut = not occluded and key != b"" and TYPE_NS in groups
        if not occluded and (cut or TYPE_DNAME in groups):
            cover = key
        yield Owner(key, groups, cut, occluded)
