"""``ocizone approve``: release a version that is held."""

from __future__ import annotations

import click

from ocizone.cli.results import post
from ocizone.cli.server import server_options, source_and_digest
from ocizone.control import Where


@click.command(name="approve")
@source_and_digest
@server_options
def command(source: str, digest: str, where: Where) -> int:
    """Serve the held version with DIGEST, or the one it is the beginning of."""
    return post(where, "approve", {"source": source, "digest": digest})
