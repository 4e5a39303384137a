"""``ocizone help DIRECTIVE``: a directive's page, from its declaration."""

from __future__ import annotations

import click

from ocizone.plugins.directives import DECLARATIONS
from ocizone.plugins.help import help_text


@click.command(name="help")
@click.argument("directive", required=False)
def command(directive: str | None) -> None:
    """Explain a Corefile DIRECTIVE, or list them all."""
    if directive is None:
        for declared in DECLARATIONS:
            # The name stands in front already.
            click.echo(f"{declared.name:12} {declared.summary.partition('* ')[2]}")
        return
    try:
        click.echo(help_text(directive), nl=False)
    except LookupError as error:
        raise click.UsageError(f"{error}; `ocizone help` lists them") from error
