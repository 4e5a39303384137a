"""Tables of load figures: one per shape of zones, one row a server or figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def load_tables(sections: Mapping[str, Any]) -> list[str]:
    """Return a table for each section: its title, columns and rows as they were measured."""
    lines: list[str] = []
    for section in sections.values():
        lines += ["", f"### {section['title']}", ""]
        lines += ["| " + " | ".join(section["columns"]) + " |"]
        lines += ["|" + "---|" * len(section["columns"])]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in section["rows"]]
    return lines
