"""``ocizone serve``: the server, in the foreground, log on stderr."""

from __future__ import annotations

import gc

import click


@click.command(name="serve")
@click.option(
    "-c",
    "--corefile",
    default="Corefile",
    show_default=True,
    metavar="FILE",
    help="What to serve and follow.",
)
@click.option("--state-dir", "directory", metavar="DIR", help="Where versions are kept.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    default=53,
    show_default=True,
    help="Port of keys that name none.",
)
@click.option(
    "--user", metavar="NAME", help="Whom to become, once its addresses are open (for root)."
)
@click.option("--debug", is_flag=True, help="Log at debug level.")
def command(corefile: str, directory: str | None, port: int, user: str | None, debug: bool) -> int:
    """Follow the tags of a Corefile and answer for their zones."""
    # Importing makes no garbage, and looking for it is a tenth of the start. run ends this.
    gc.disable()
    # Twisted installs its reactor on import: only this command may.
    from ocizone.run import run  # noqa: PLC0415

    return run(corefile, directory, port, user=user, debug=debug)
