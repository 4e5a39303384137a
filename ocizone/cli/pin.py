"""``ocizone pin``: serve one digest, whatever the tag names."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import reason_option, server_options, source_and_digest
from ocizone.control import Where


@click.command(name="pin")
@source_and_digest
@click.option("--unsigned", is_flag=True, help="Even a kept one that nobody signed who may now.")
@reason_option
@server_options
def command(source: str, digest: str, unsigned: bool, reason: str, where: Where) -> int:
    """Serve DIGEST, or the one it is the beginning of, until `ocizone unpin`.

    It need not have been served before: then it is pulled, checked and held like any other.
    """
    asked = {"source": source, "digest": digest, "reason": reason, "unsigned": unsigned or None}
    return post(where, "pin", asked)
