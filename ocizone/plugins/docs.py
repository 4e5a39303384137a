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
INDEX_START: Final = "<!-- directives -->\n"
INDEX_END: Final = "<!-- /directives -->\n"
COREFILE_PAGE: Final = FOLDER.parent.parent / "docs" / "corefile.md"


def table(declared: Declaration) -> str:
    """Return the Markdown between the markers: synopsis, then arguments and properties."""
    lines = ["``` txt", declared.synopsis, "```"]
    rows = [(f"**{one.name}**", "", one.default, one.doc) for one in declared.arguments]
    for one in declared.properties:
        rows.append((f"`{one.name}`", one.takes, one.default or "", one.doc))
        rows += [
            (f"`{one.name} {{ {inner.name} }}`", inner.takes, inner.default or "", inner.doc)
            for inner in one.properties
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
    return between(text, START, END, table(declared), f"{declared.name}.md")


def between(text: str, start: str, end: str, new: str, name: str) -> str:
    """Return a page with what stands between two markers made anew.

    Raises:
        ValueError: a marker is missing; the message has the page's name.
    """
    before, found_start, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise ValueError(f"{name} has no {start.strip()} ... {end.strip()}")
    return before + start + new + end + after


def index(prefix: str) -> str:
    """Return the Markdown list of all directives, each linked to its page below ``prefix``."""
    rows = [
        f"| [{one.name}]({prefix}{one.name}.md) | {one.summary.partition('* ')[2]} |"
        for one in DECLARATIONS
    ]
    return "\n".join(["| directive | what it does |", "|---|---|", *rows]) + "\n"


def with_index(text: str) -> str:
    """Return ``docs/corefile.md`` with its list of directives made anew.

    Raises:
        ValueError: a marker is missing.
    """
    new = index("../ocizone/plugins/")
    return between(text, INDEX_START, INDEX_END, new, COREFILE_PAGE.name)


def main() -> None:
    """Rewrite the tables of all pages, and in a checkout the list of directives."""
    for declared in DECLARATIONS:
        path = page(declared)
        path.write_text(refreshed(path.read_text("utf-8"), declared), "utf-8")
    if COREFILE_PAGE.is_file():
        text = COREFILE_PAGE.read_text("utf-8")
        COREFILE_PAGE.write_text(with_index(text), "utf-8")


if __name__ == "__main__":  # pragma: no cover - tests call main()
    main()
