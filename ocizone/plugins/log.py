"""``log``: one line a query, in CoreDNS' formats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogRule:
    """One ``log`` directive.

    Attributes:
        names: lower-case wire names; the query's name at or below one of them is logged.
        format: with ``{common}`` and ``{combined}`` already substituted.
        classes: of ``success``, ``denial``, ``error``, ``all``.
    """

    names: tuple[bytes, ...]
    format: str
    classes: frozenset[str]
