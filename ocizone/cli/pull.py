"""``ocizone pull REF``: what the registry has, checked by digest; what it says is not looked at."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.findings import octets, show
from ocizone.cli.registry import Access, parse_reference, registry_options
from ocizone.cli.signature import signer
from ocizone.fetching import fetch_into
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.observe.printable import printable
from ocizone.plugins.artifact import Verify


@click.command(name="pull")
@click.argument("reference", metavar="REF")
@click.option(
    "-O",
    "--output",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to; an empty directory, or one that is made. Default: here.",
)
@click.option("--force", is_flag=True, help="DIR may hold files; those of the same path go.")
@click.option(
    "--verify-key",
    "keys",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    metavar="FILE",
    help="Public key whose signature REF needs; any one of several will do.",
)
@registry_options
def command(
    reference: str, directory: Path, force: bool, keys: tuple[str, ...], access: Access
) -> int:
    """Pull the files of REF into DIR, and print REF@DIGEST.

    Digests, sizes and paths are checked as a server does. What the zones say is not: a server may
    refuse them; `ocizone check DIR` tells.
    """
    target = parse_reference(reference)
    with closing(access.client(target)) as client:
        client.start_attempt(ATTEMPT_DEADLINE_S)
        digest = client.resolve().digest
        if keys:
            by = signer(client, target, digest, Verify(keys))
            if by is None:
                return Exit.INTEGRITY
            click.echo(f"verified {by}", err=True)
        fetched = fetch_into(client, digest, directory, force=force)
    show(fetched.warnings, err=True)
    for file in fetched.files:
        click.echo(f"pulled   {printable(file.path)} {octets(file.size)}", err=True)
    click.echo(str(target) if target.digest else f"{target}@{digest}")
    return Exit.OK
