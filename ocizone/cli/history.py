"""``ocizone history``: what was served when, and what did not get so far."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.results import document
from ocizone.cli.server import output_option, server_options, source_argument
from ocizone.cli.table import show_table
from ocizone.control import Where
from ocizone.versions import Version, versions

_HEADINGS = ("GEN", "WHEN", "TAG", "DIGEST", "SERIALS", "CHANGE", "BY", "STATE")


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
        rows = [_row(version) for version in versions(found)[:most]]
        show_table(_HEADINGS, rows, right=frozenset({"GEN"}))
    return Exit.OK


def _row(version: Version) -> dict[str, Any]:
    return {
        "GEN": str(version.generation or "-"),
        "WHEN": version.when,
        "TAG": version.tag or "-",
        "DIGEST": version.digest.partition(":")[2][:12] or "-",
        "SERIALS": version.serials or "-",
        "CHANGE": version.change or "-",
        "BY": version.verified_by or "-",
        "STATE": f"{version.state}: {version.message}" if version.message else version.state,
    }
