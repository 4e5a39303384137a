"""``ocizone version``."""

from __future__ import annotations

import click

from ocizone import __version__


@click.command(name="version")
def command() -> None:
    """Print the version."""
    click.echo(f"ocizone {__version__}")
