"""``ocizone healthcheck``: is the server alive? For containers without a shell or curl."""

from __future__ import annotations

import os

import click

from ocizone.cli.exit_codes import Exit
from ocizone.control import ask
from ocizone.state_dir import state_dir


@click.command(name="healthcheck")
@click.option("--state-dir", "directory", metavar="DIR", help="State directory of the server.")
@click.option("--ready", is_flag=True, help="Ask whether every configured zone is served.")
def command(directory: str | None, ready: bool) -> int:
    """Exit 0 when the server is alive (with --ready: serves every zone), else 1."""
    where = state_dir(directory, os.environ, root=os.geteuid() == 0)
    status, body = ask(where, "/ready" if ready else "/health")
    click.echo(body.decode("utf-8", "replace").rstrip(), err=status != 200)
    return Exit.OK if status == 200 else Exit.FAILED
