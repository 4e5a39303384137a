"""``ocizone resume``: look at the tag again."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import server_options, source_argument
from ocizone.control import Where


@click.command(name="resume")
@source_argument
@server_options
def command(source: str, where: Where) -> int:
    """End a suspension: look at the tag again, now and at each interval."""
    return post(where, "resume", {"source": source})
