"""``ocizone suspend``: no looks for a while; what is served stays."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import reason_option, seconds, server_options, source_argument
from ocizone.control import Where


@click.command(name="suspend")
@source_argument
@click.option("--for", "how_long", callback=seconds, metavar="2h", help="Else until `resume`.")
@reason_option
@server_options
def command(source: str, how_long: float | None, reason: str, where: Where) -> int:
    """Do not look at the tag; what is served stays."""
    return post(where, "suspend", {"source": source, "seconds": how_long, "reason": reason})
