"""``ocizone help DIRECTIVE``: a directive's page, from its declaration."""

from __future__ import annotations

import click

from ocizone.plugins.directives import DIRECTIVES
from ocizone.plugins.docs import help_text


@click.command(name="help")
@click.argument("directive", required=False)
def command(directive: str | None) -> None:
    """Explain a Corefile DIRECTIVE, or list them all."""
    if directive is None:
        for declared in DIRECTIVES:
            click.echo(f"{declared.name:14} {declared.summary}")
        return
    try:
        click.echo(help_text(directive))
    except KeyError:
        raise click.UsageError(f"no directive {directive!r}; `ocizone help` lists them") from None
