"""Tables on a terminal, in a log and in a pipe: no cell is ever cut.

Where there is no room whole columns are left out, those that can be done without; a row that is too
long even so is left to the terminal, which wraps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from ocizone.observe.printable import printable

#: Of a table nobody looks at through a window.
_WIDE = 400
#: Blanks between two columns.
_GAP = 2


def console() -> Console:
    """Return what tables and lines of data are printed to.

    rich honours NO_COLOR and leaves colour out when stdout is no terminal. Names and messages
    are data: neither markup nor emoji codes.
    """
    found = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not found.is_terminal:
        # Read by a program or a log: nothing is left out, and nothing folded.
        found.width = _WIDE
    return found


def show_table(
    headings: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    *,
    right: frozenset[str] = frozenset(),
    style: Mapping[str, str] | None = None,
    spared: Sequence[str] = (),
) -> frozenset[str]:
    """Print a table; return the headings of the columns it had no room for.

    Args:
        headings: of the columns.
        rows: cells by heading; others are left out.
        right: headings of columns of numbers.
        style: of a cell by its first word: colour is only a second cue.
        spared: columns that can be done without, the first one first.
    """
    out = console()
    cells = [{heading: printable(row[heading]) for heading in headings} for row in rows]
    shown = _fitting(headings, cells, out.width, spared)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in shown:
        justify = "right" if heading in right else "left"
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # mypy widens the two literals
    styles = style or {}
    for row in cells:
        found = (row[heading] for heading in shown)
        table.add_row(*(Text(cell, style=styles.get(_first_word(cell), "")) for cell in found))
    # rich cuts the cells of a table that is wider than the terminal. Height and width: of a dumb
    # terminal it believes nothing less.
    out.size = ConsoleDimensions(max(out.width, _width(shown, cells)), out.height)
    with out.capture() as captured:
        out.print(table)
    # What is copied from a terminal, or compared by a script, has no blanks at its ends.
    out.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    return frozenset(headings) - frozenset(shown)


def _fitting(
    headings: Sequence[str], rows: Sequence[Mapping[str, str]], room: int, spared: Sequence[str]
) -> list[str]:
    """Return the headings of the columns there is room for."""
    shown = list(headings)
    for heading in spared:
        if heading in shown and _width(shown, rows) > room:
            shown.remove(heading)
    return shown


def _width(headings: Sequence[str], rows: Sequence[Mapping[str, str]]) -> int:
    """Return how many columns of a terminal a table takes."""
    widths = [
        max(cell_len(cell) for cell in (heading, *(row[heading] for row in rows)))
        for heading in headings
    ]
    return sum(widths) + _GAP * (len(widths) - 1)


def _first_word(cell: str) -> str:
    return cell.partition(" ")[0].partition(":")[0]
