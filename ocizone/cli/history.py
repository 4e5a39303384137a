"""``ocizone history``: what was served when, and what did not get so far."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.results import document
from ocizone.cli.server import output_option, server_options, source_argument
from ocizone.cli.table import show_table
from ocizone.control import Where
from ocizone.observe.printable import printable
from ocizone.states import short_digest
from ocizone.versions import Version, versions

_HEADINGS = ("GEN", "WHEN", "TAG", "DIGEST", "SERIALS", "CHANGE", "BY", "STATE")
#: Columns that a terminal may be too narrow for; then a line below has what stood there.
_SPARED = ("SERIALS", "BY")


@click.command(name="history")
@source_argument
@click.option("-n", "most", type=click.IntRange(1), default=10, show_default=True, metavar="N")
@output_option
@server_options
def command(source: str, most: int, output: str, where: Where) -> int:
    """Show the versions of SOURCE, newest first: served, held and refused.

    A number of the column GEN, or a digest, is what `ocizone rollback --to` takes.
    """
    query = urlencode({"source": source, "most": most} if source else {"most": most})
    found = document(where, f"/v1/history?{query}")
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        _show(versions(found)[:most])
    return Exit.OK


def _show(found: list[Version]) -> None:
    """Print a row a version, and a line for each there is more to say about."""
    left_out = show_table(
        _HEADINGS,
        [_row(version) for version in found],
        right=frozenset({"GEN"}),
        spared=_SPARED,
    )
    for version in found:
        if said := _said(version, left_out):
            # One digest may have been served twice.
            row = f"{version.generation or '-':>3}  {short_digest(version.digest)}"
            click.echo(printable(f"{row}  {said}"))


def _row(version: Version) -> dict[str, Any]:
    return {
        "GEN": str(version.generation or "-"),
        "WHEN": version.when,
        "TAG": version.tag or "-",
        "DIGEST": short_digest(version.digest),
        "SERIALS": version.serials or "-",
        "CHANGE": version.change or "-",
        "BY": version.verified_by or "-",
        "STATE": f"{version.state}: {version.reason}" if version.reason else version.state,
    }


def _said(version: Version, left_out: Collection[str]) -> str:
    """Return what stands below the table about a version, "" for nothing."""
    parts = [version.message]
    if "SERIALS" in left_out and version.serials:
        parts.append(f"serial {version.serials}")
    if "BY" in left_out and version.verified_by:
        parts.append(f"verified: {version.verified_by}")
    return "; ".join(part for part in parts if part)
