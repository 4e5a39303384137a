"""Tables on a terminal, in a log and in a pipe: what tells rows apart is never cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ocizone.observe.printable import printable

#: Of a table nobody looks at through a window.
_WIDE = 400


def console() -> Console:
    """Return what tables and lines of data are printed to.

    rich honours NO_COLOR and leaves colour out when stdout is no terminal. Names and messages
    are data: neither markup nor emoji codes.
    """
    found = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not found.is_terminal:
        # Read by a program or a log: a row must not be cut to 80 columns.
        found.width = _WIDE
    return found


def show_table(
    headings: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    *,
    right: frozenset[str] = frozenset(),
    style: Mapping[str, str] | None = None,
) -> None:
    """Print a table.

    Args:
        headings: of the columns that are shown.
        rows: cells by heading; others are left out.
        right: headings of columns of numbers.
        style: of a cell by its first word: colour is only a second cue.
    """
    styles = style or {}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        justify = "right" if heading in right else "left"
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # mypy widens the two literals
    for row in rows:
        cells = (printable(row[heading]) for heading in headings)
        table.add_row(*(Text(cell, style=styles.get(_first_word(cell), "")) for cell in cells))
    out = console()
    with out.capture() as captured:
        out.print(table)
    # What is copied from a terminal, or compared by a script, has no blanks at its ends.
    out.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _first_word(cell: str) -> str:
    return cell.partition(" ")[0].partition(":")[0]
