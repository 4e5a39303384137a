"""The options of every command, for docs/cli.md: made from what click parses.

``python -m ocizone.cli.reference`` rewrites the page; a test fails while it would change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from ocizone.cli.main import COMMANDS, group
from ocizone.plugins.docs import between

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
_START: Final = "<!-- options: begin, made by `make docs` -->\n\n"
_END: Final = "<!-- options: end -->\n"


def refreshed(text: str) -> str:
    """Return the page with the options of every command made anew.

    Raises:
        ValueError: a marker is missing.
    """
    sections = (_section(name) for name in sorted(COMMANDS))
    return between(text, _START, _END, "\n".join(filter(None, sections)), PAGE.name)


def _section(name: str) -> str:
    """Return the heading and the table of a command; nothing of one without options."""
    context = click.Context(group)
    found = group.get_command(context, name)
    assert found is not None  # it is in COMMANDS
    options = [one for one in found.params if isinstance(one, click.Option) and not one.hidden]
    if not options:
        return ""
    rows = [_row(option) for option in options]
    return "\n".join([f"### {name}", "", "| option | what it does |", "|---|---|", *rows]) + "\n"


def _row(option: click.Option) -> str:
    # Not as click words it in --help: that changes with its version.
    names = ", ".join(option.opts)
    value = "" if option.is_flag else f" {_value(option)}"
    said = (option.help or "").replace("|", "\\|")
    default = f" Default: {option.default}." if option.show_default else ""
    return f"| `{names}{value}` | {f'{said}{default}'.strip()} |"


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "\\|".join(map(str, option.type.choices))
    return (option.name or "").upper()


def main() -> None:
    """Rewrite the page of a checkout."""
    if PAGE.is_file():
        PAGE.write_text(refreshed(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
