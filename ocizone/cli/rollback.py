"""``ocizone rollback``: back to a version served before, at once and without the registry."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import reason_option, server_options, source_argument, whole_digest
from ocizone.control import Where


@click.command(name="rollback")
@source_argument
@click.option("--to", "target", default="", metavar="DIGEST|N", help="A version of `history`.")
@click.option("--unsigned", is_flag=True, help="Even one that nobody signed who may now.")
@reason_option
@server_options
def command(source: str, target: str, unsigned: bool, reason: str, where: Where) -> int:
    """Serve the version before, or the one that --to names by digest or generation.

    It stands until the tag names yet another digest, or `ocizone unpin`.
    """
    to = target if target.isdecimal() else whole_digest(target)
    asked = {"source": source, "to": to, "reason": reason, "unsigned": unsigned or None}
    return post(where, "rollback", asked)
