"""``ocizone push REF PATH...``: check zone files, push them, print ``REF@DIGEST``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from ocizone.cli.exit_codes import Exit
from ocizone.cli.findings import echo, show, tally
from ocizone.publish import FileToPush, check_files, collect
from ocizone.registry.client import Client
from ocizone.registry.push import created_from, push
from ocizone.registry.reference import BadReferenceError, Reference


@click.command(name="push")
@click.argument("reference", metavar="REF")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option("-a", "--annotation", multiple=True, metavar="KEY=VALUE", help="Of the manifest.")
@click.option("-u", "--username", metavar="NAME", help="Who pushes; with --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--plain-http", is_flag=True, help="No TLS; the default for localhost.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM file to trust instead of the system's CAs.",
)
@click.option("--no-check", is_flag=True, help="Push what it is, checked or not.")
def command(
    reference: str,
    paths: tuple[Path, ...],
    annotation: tuple[str, ...],
    username: str | None,
    password_stdin: bool,
    plain_http: bool,
    ca_file: str | None,
    no_check: bool,
) -> int:
    """Check the zone files at PATHs and push them to REF, one layer a file.

    The same files give the same digest. A time of creation is recorded only when
    SOURCE_DATE_EPOCH is set.
    """
    try:
        target = Reference.parse(reference)
    except BadReferenceError as error:
        raise click.UsageError(f"{reference}: {error}") from error
    if target.digest:
        raise click.UsageError(f"{reference}: push to a tag; the digest comes out")
    annotations = _annotations(annotation)
    files = collect(paths)
    if not no_check and not _checked(files):
        return Exit.FAILED
    client = Client(
        target,
        insecure=plain_http or is_localhost(target),
        username=username,
        password=_password(password_stdin, username),
        ca_file=ca_file,
    )
    with closing(client):
        digest = _push(client, files, annotations)
    click.echo(f"{target}@{digest}")
    return Exit.OK


def is_localhost(reference: Reference) -> bool:
    """Tell whether plain HTTP is the default: for the host ``localhost``, as in the oras CLI."""
    return reference.registry.partition(":")[0].lower() == "localhost"


def _annotations(given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.UsageError(f"--annotation {text}: write KEY=VALUE")
        pairs[key] = value
    return pairs


def _password(from_stdin: bool, username: str | None) -> Callable[[], str] | None:
    if from_stdin != bool(username):
        raise click.UsageError("--username and --password-stdin go together")
    if not from_stdin:
        return None
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError("--password-stdin: standard input is empty")
    return lambda: secret


def _checked(files: list[FileToPush]) -> bool:
    checked = check_files(files, int(time.time()))
    show(checked.problems, err=True)
    echo(
        f"check    {tally(len(checked.zones), checked.problems)}, {checked.records:,} records",
        err=True,
    )
    return not checked.refused


def _push(client: Client, files: list[FileToPush], annotations: dict[str, str]) -> str:
    total = sum(file.path.stat().st_size for file in files)
    console = Console(stderr=True)
    columns = (TextColumn("upload  "), BarColumn(), DownloadColumn())
    # A bar in a CI log is noise (oras issue 893): only on a terminal.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("upload", total=total)
        return push(
            client,
            [(file.title, file.path, file.media_type) for file in files],
            annotations=annotations,
            created=created_from(os.environ),
            progress=lambda octets: bar.advance(task, octets),
        )
