"""``ocizone diff A B``: what differs between two versions, record by record."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.registry import Access, registry_options
from ocizone.cli.server import server_options
from ocizone.compare import Ignored, compare
from ocizone.control import Where
from ocizone.difftext import write_json, write_markdown, write_text
from ocizone.errors import OcizoneError, RegistryError
from ocizone.observe.printable import printable
from ocizone.opening import Opener
from ocizone.sides import BadSideError, Side, parse_side
from ocizone.transferred import read_key


@click.command(name="diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.option("--ignore-serial", is_flag=True, help="Another serial alone is no difference.")
@click.option(
    "--ignore-signing", is_flag=True, help="Leave out RRSIG, NSEC, NSEC3, NSEC3PARAM and ZONEMD."
)
@click.option("--most", type=click.IntRange(0), metavar="N", help="Show N records; count the rest.")
@click.option(
    "--tsig-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Signs AXFR; in named.conf's form, as tsig-keygen writes it.",
)
@registry_options
@server_options
def command(
    before: str,
    after: str,
    form: str,
    ignore_serial: bool,
    ignore_signing: bool,
    most: int | None,
    tsig_key_file: Path | None,
    access: Access,
    where: Where,
) -> int:
    """Show what B changes against A, as diff(1) does: exit 0 same, 1 different, 2 trouble.

    A and B are references, tags or digests (of the other's repository, or of the only one the
    running server follows), directories, files, @served, or @HOST[:PORT] by AXFR.
    """
    sides = _side(before), _side(after)
    ignored = Ignored(ignore_serial, ignore_signing)
    with tempfile.TemporaryDirectory(prefix="ocizone-diff-") as name:
        try:
            key = read_key(tsig_key_file) if tsig_key_file else None
            opener = Opener(Path(name), access.client, where, int(time.time()), key)
            zones = compare(*opener.both(*sides), ignored)
            if form == "json":
                counts = write_json(zones, most, click.echo, (before, after))
            else:
                write = write_markdown if form == "markdown" else write_text
                counts = write(zones, most, click.echo)
        except OcizoneError as error:
            # diff(1): whatever keeps it from comparing is 2, never "they differ".
            told = access.explained(error) if isinstance(error, RegistryError) else error
            click.echo("\n".join(map(printable, str(told).split("\n"))), err=True)
            return Exit.USAGE
    return Exit.FAILED if counts.zones else Exit.OK


def _side(text: str) -> Side:
    try:
        return parse_side(text)
    except BadSideError as error:
        raise click.UsageError(str(error)) from error
