"""The generated part of each directive's page: ``python -m ocizone.plugins.docs`` rewrites it.

A page NAME.md is written by hand but for what stands between ``<!-- table -->`` and
``<!-- /table -->``, which comes from the declaration. A test fails when a page is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ocizone.corefile.directive import Declaration
from ocizone.plugins.directives import DECLARATIONS

FOLDER: Final = Path(__file__).parent
START: Final = "<!-- table -->\n"
END: Final = "<!-- /table -->\n"


def table(declared: Declaration) -> str:
    """Return the Markdown between the markers: synopsis, then arguments and properties."""
    lines = ["``` txt", declared.synopsis, "```"]
    rows = [(f"**{one.name}**", "", one.default, one.doc) for one in declared.arguments]
    rows += [
        (f"`{one.name}`", one.takes, one.default or "", one.doc) for one in declared.properties
    ]
    if rows:
        lines += ["", "| name | takes | default | meaning |", "|---|---|---|---|"]
        lines += [_row(*row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(name: str, takes: str, default: str, doc: str) -> str:
    cells = [name, f"*{takes}*" if takes else "", f"`{default}`" if default else "", doc]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page(declared: Declaration) -> Path:
    """Return where a directive's page is."""
    return FOLDER / f"{declared.name}.md"


def refreshed(text: str, declared: Declaration) -> str:
    """Return a page's text with its table made anew.

    Raises:
        ValueError: a marker is missing.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"{declared.name}.md has no {START.strip()} ... {END.strip()}")
    return before + START + table(declared) + END + after


def main() -> None:
    """Rewrite the tables of all pages."""
    for declared in DECLARATIONS:
        path = page(declared)
        path.write_text(refreshed(path.read_text("utf-8"), declared), "utf-8")


if __name__ == "__main__":  # pragma: no cover - tests call main()
    main()
