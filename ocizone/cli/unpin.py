"""``ocizone unpin``: follow the tag again."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import server_options, source_argument
from ocizone.control import Where


@click.command(name="unpin")
@source_argument
@server_options
def command(source: str, where: Where) -> int:
    """End a pin or a rollback: follow the tag again."""
    return post(where, "unpin", {"source": source})
