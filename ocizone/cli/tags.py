"""``ocizone tags REPOSITORY``: its tags, or those a range of versions matches."""

from __future__ import annotations

import json
from contextlib import closing

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.registry import Access, parse_reference, registry_options
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.observe.printable import printable
from ocizone.registry.tagrule import BadRangeError
from ocizone.taglist import listed_tags


@click.command(name="tags")
@click.argument("reference", metavar="REPOSITORY")
@click.option(
    "--semver", metavar="RANGE", help="Only versions in it, the newest first: '>=1.2 <2'."
)
@click.option("--all", "every", is_flag=True, help="Also tags that hold signatures.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@registry_options
def command(reference: str, semver: str | None, every: bool, output: str, access: Access) -> int:
    """List the tags of a repository, one a line. Exit 1 when a --semver matches none.

    The first tag of a range is what an `oci` block with the same `semver` follows.
    """
    target = parse_reference(reference)
    with closing(access.client(target)) as client:
        client.start_attempt(ATTEMPT_DEADLINE_S)
        found = client.tags()
    try:
        shown = listed_tags(found, semver, every=every)
    except BadRangeError as error:
        raise click.UsageError(f"--semver {semver}: {error}") from error
    if output == "json":
        where = f"{target.registry}/{target.repository}"
        click.echo(json.dumps({"schema": "ocizone.tags/v1", "repository": where, "tags": shown}))
    else:
        for tag in shown:
            click.echo(printable(tag))
        if semver is not None and not shown:
            click.echo(f"no tag matches {semver}", err=True)
    return Exit.FAILED if semver is not None and not shown else Exit.OK
