"""``ocizone suspend``: no looks for a while; what is served stays."""

from __future__ import annotations

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.results import post
from ocizone.cli.server import reason_option, seconds, server_options, source_argument
from ocizone.control import Where


def _span(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, str] | None:
    """Return a duration in seconds, and as it was written."""
    found = seconds(context, parameter, value)
    return None if found is None or value is None else (found, value)


@click.command(name="suspend")
@source_argument
@click.option("--for", "span", callback=_span, metavar="2h", help="Else until `resume`.")
@reason_option
@server_options
def command(source: str, span: tuple[float, str] | None, reason: str, where: Where) -> int:
    """Do not look at the tag; what is served stays."""
    how_long, written = span or (None, "")
    body = {"source": source, "seconds": how_long, "reason": reason}
    status = post(where, "suspend", body)
    if written and status == Exit.OK:
        click.echo(f"for {written}: then it looks again by itself")
    return status
