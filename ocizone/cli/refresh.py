"""``ocizone refresh``: look at the tags now."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import server_options, source_argument, timeout_option
from ocizone.control import Where
from ocizone.limits import CONTROL_S


@click.command(name="refresh")
@source_argument
@click.option("--wait", is_flag=True, help="Return when it is served, or with the reason why not.")
@click.option("--hard", is_flag=True, help="Look even at what was refused or held before.")
@timeout_option
@server_options
def command(source: str, wait: bool, hard: bool, timeout: float, where: Where) -> int:
    """Look at the tag of SOURCE, or of all sources, now."""
    body = {"source": source, "wait": wait, "hard": hard}
    return post(where, "refresh", body, timeout if wait else CONTROL_S)
