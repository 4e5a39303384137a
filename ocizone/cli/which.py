"""``ocizone which NAME``: which artifact, file and line answer a name."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import click
from dns.exception import DNSException
from dns.rdatatype import RdataType

from ocizone.cli.exit_codes import Exit
from ocizone.cli.results import document
from ocizone.cli.server import output_option, server_options
from ocizone.control import Where
from ocizone.fileline import FileLine, file_lines
from ocizone.limits import SHOWN_LINES
from ocizone.observe.printable import printable
from ocizone.zone.rdata import type_name

_HOW = {
    "exact": "",
    "wildcard": " by the wildcard",
    "delegation": " by the delegation",
    "dname": " by the DNAME",
    "nodata": " exists without records",
    "nxdomain": " does not exist",
}


def _mnemonic(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    """Return the mnemonic of a type, also of ``TYPE28`` (RFC 3597 5); "" for all."""
    if value is None or value.upper() == "ANY":
        return ""
    try:
        return type_name(RdataType.from_text(value))
    except (DNSException, ValueError) as error:
        raise click.BadParameter(f"{value} is no type of records") from error


@click.command(name="which")
@click.argument("name")
@click.argument("rrtype", required=False, metavar="[TYPE]", callback=_mnemonic)
@click.option("--view", default="", metavar="VIEW", help="Only this server block.")
@output_option
@server_options
def command(name: str, rrtype: str, view: str, output: str, where: Where) -> int:
    """Tell which artifact answers NAME, and at which line of which file it stands.

    Exit 1 when no zone answers it, or nothing stands there.
    """
    query = urlencode({"name": name, "view": view} if view else {"name": name})
    found = document(where, f"/v1/which?{query}")
    places = [
        file_lines(answer, frozenset(_answering(answer, rrtype))) for answer in found["answers"]
    ]
    if output == "json":
        for answer, lines in zip(found["answers"], places, strict=True):
            answer["lines"] = lines and [
                {"file": one.file, "line": one.line, "type": one.type} for one in lines
            ]
        click.echo(json.dumps(found, indent=2))
    elif not found["answers"]:
        click.echo(f"no zone that is served holds {printable(name)}", err=True)
    else:
        for answer, lines in zip(found["answers"], places, strict=True):
            _show(found.get("name") or name, answer, lines, rrtype)
    answered = any(_answering(answer, rrtype) for answer in found["answers"])
    return Exit.OK if answered else Exit.FAILED


def _answering(answer: dict[str, Any], wanted: str) -> list[str]:
    """Return the types at the owner that answer a question: the one asked for, or an alias."""
    types: list[str] = answer["types"]
    if not wanted or answer["match"] == "delegation":
        return types
    return [one for one in types if one in {wanted, "CNAME", "DNAME"}]


def _show(
    name: str, answer: dict[str, Any], lines: tuple[FileLine, ...] | None, wanted: str
) -> None:
    owner = answer["owner"]
    types = _answering(answer, wanted)
    how = _HOW.get(answer["match"], "")
    if answer["match"] in {"wildcard", "delegation", "dname"}:
        how = f"{how} {owner}"
    has = f"  {' '.join(types)}" if types else ""
    if answer["types"] and not types:
        has = f"  has no {wanted}, but {' '.join(answer['types'])}"
    click.echo(printable(f"{name}{how}{has}  in {answer['zone']} of {answer['view']}"))
    origin = f"{answer['reference']}@{answer['digest']}" if answer["digest"] else answer["source"]
    click.echo(printable(f"  {origin}"))
    if lines is None:
        # On another machine (--node), or not ours to read.
        click.echo(printable(f"  {answer['file']} (no line: its blobs are not here)"))
    elif not lines:
        # What answers is written nowhere.
        click.echo(printable(f"  {answer['file']}"))
    for line in (lines or ())[:SHOWN_LINES]:
        click.echo(printable(f"  {line} {line.type}"))
    if lines and len(lines) > SHOWN_LINES:
        click.echo(f"  ... and {len(lines) - SHOWN_LINES:,} more")
