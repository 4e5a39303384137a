"""Options by which a command finds the running server, and the server they name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from ocizone.control import Node
from ocizone.corefile.arguments import parse_duration
from ocizone.state_dir import state_dir

TOKEN = "OCIZONE_API_TOKEN"  # noqa: S105 - the name of the variable

_Command = TypeVar("_Command", bound=Callable[..., Any])

state_dir_option = click.option(
    "--state-dir", "directory", metavar="DIR", help="State directory of the server."
)
token_file_option = click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"Holds the token of --node; else {TOKEN}.",
)
output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True
)
reason_option = click.option("--reason", default="", metavar="TEXT", help="Kept with it and shown.")
source_argument = click.argument("source", required=False, default="", metavar="[SOURCE]")


def server_options(command: _Command) -> _Command:
    """Give a command --state-dir, --node and --token-file; it takes their server as ``where``."""

    @functools.wraps(command)
    def with_server(
        *args: Any,
        directory: str | None,
        node: str | None,
        token_file: Path | None,
        **rest: Any,
    ) -> Any:
        where = the_node(node, token_file) if node else the_directory(directory)
        return command(*args, where=where, **rest)

    node_option = click.option(
        "--node", metavar="URL", help="A server by its api address: http://HOST:PORT."
    )
    # click's decorators add a parameter each and give back what they got.
    decorated: Any = state_dir_option(node_option(token_file_option(with_server)))
    return cast("_Command", decorated)


def source_and_digest(command: _Command) -> _Command:
    """Give a command the arguments ``[SOURCE] DIGEST``; it takes them as two."""

    @functools.wraps(command)
    def with_both(*args: Any, words: tuple[str, ...], **rest: Any) -> Any:
        if len(words) > 2:
            raise click.UsageError("one SOURCE and one DIGEST at most")
        source = words[0] if len(words) == 2 else ""
        return command(*args, source=source, digest=whole_digest(words[-1]), **rest)

    argument = click.argument("words", nargs=-1, required=True, metavar="[SOURCE] DIGEST")
    return cast("_Command", argument(with_both))


def the_directory(given: str | None) -> Path:
    """Return the state directory an option, the environment or the default names."""
    return state_dir(given, os.environ, root=os.geteuid() == 0)


def the_node(url: str, token_file: Path | None) -> Node:
    """Return the node at an address, with the token of the file or the environment."""
    try:
        return Node.parse(url, token(token_file, os.environ))
    except ValueError as error:
        raise click.UsageError(f"--node {url}: {error}") from error


def token(file: Path | None, environ: Mapping[str, str]) -> str:
    """Return the API token, "" for none."""
    text = environ.get(TOKEN, "") if file is None else file.read_text(encoding="utf-8")
    found = text.strip()
    if not (found.isascii() and found.isprintable()):
        raise click.UsageError("--token-file: a token is one line of printable ASCII")
    return found


def whole_digest(given: str) -> str:
    """Return a digest, or its beginning, with its algorithm: ``6b1f`` is ``sha256:6b1f``."""
    hexadecimal = all(digit in "0123456789abcdef" for digit in given)
    return f"sha256:{given}" if given and hexadecimal else given


def seconds(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> float | None:
    """Return the seconds of ``90s``, ``15m``, ``2h30m`` or ``7d``; the callback of an option."""
    if value is None:
        return None
    try:
        if value.endswith("d") and value[:-1].isdecimal():
            return float(value[:-1]) * 86_400.0
        found = parse_duration(value)
    except ValueError:
        found = -1.0
    if found < 0:
        raise click.BadParameter(f"{value}: a duration is 90s, 15m, 2h30m or 7d")
    return found


timeout_option = click.option(
    "--timeout",
    callback=seconds,
    default="60s",
    show_default=True,
    metavar="60s",
    help="Of --wait.",
)
