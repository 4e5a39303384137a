"""``ocizone status``: what running servers serve and follow, as a table or as JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.server import seconds, state_dir_option, the_directory, the_node, token_file_option
from ocizone.cli.statustable import ago, show_status
from ocizone.cli.table import show_table
from ocizone.control import ControlError, Where
from ocizone.fleet import NodeStatus, differences, status_of
from ocizone.limits import WATCH_S
from ocizone.observe.printable import printable
from ocizone.states import (
    short_digest,
    short_name,
    stale_sources,
    zone_reasons,
    zone_state,
)


@click.command(name="status")
@state_dir_option
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="URL",
    help="A server by its api address: http://HOST:PORT. Several are compared.",
)
@token_file_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json"]),
    default="table",
    show_default=True,
)
@click.option("-w", "--watch", is_flag=True, help=f"Again every {WATCH_S:g} s, until Ctrl-C.")
@click.option(
    "--fail-if-stale",
    "most",
    callback=seconds,
    metavar="15m",
    help="Exit 1 when a source was last fine longer ago.",
)
def command(
    directory: str | None,
    nodes: tuple[str, ...],
    token_file: Path | None,
    output: str,
    watch: bool,
    most: float | None,
) -> int:
    """Show zones and sources. Exit 1 when a configured zone is not served.

    With several --node: exit 1 when they do not serve the same, 7 when one does not answer.
    """
    wheres: list[Where] = [the_node(url, token_file) for url in nodes]
    asked = wheres or [the_directory(directory)]
    while watch:
        click.clear()
        _report(asked, output, most)
        time.sleep(WATCH_S)
    return _report(asked, output, most)


def _report(asked: list[Where], output: str, most: float | None) -> int:
    if len(asked) > 1:
        return _fleet([status_of(where) for where in asked], output, most)
    found = status_of(asked[0])
    if found.error:
        raise ControlError(found.error)
    if output == "json":
        click.echo(json.dumps(found.document, indent=2))
    else:
        show_status(found.document, wide=output == "wide")
    stale = _tell_stale(found.document, most)
    return Exit.OK if found.document["ready"] and not stale else Exit.FAILED


def _tell_stale(document: dict[str, Any], most: float | None) -> bool:
    stale = [] if most is None else stale_sources(document, most)
    for line in stale:
        click.echo(printable(f"stale: {line}"), err=True)
    return bool(stale)


def _fleet(nodes: list[NodeStatus], output: str, most: float | None) -> int:
    silent = [node for node in nodes if node.error]
    answered = [node for node in nodes if not node.error]
    if output == "json":
        told = [
            {"node": str(node.where), "error": node.error or None, "status": node.document or None}
            for node in nodes
        ]
        click.echo(json.dumps({"schema": "ocizone.fleet/v1", "nodes": told}, indent=2))
    else:
        headings = ("ZONE", "NODE", "SERIAL", "DIGEST", "AGE", "STATE")
        show_table(headings, _rows(answered), right=frozenset({"SERIAL"}), spared=("AGE",))
        for node in answered:
            for _, line in zone_reasons(node.document["zones"]):
                click.echo(printable(f"{node.where}  {line}"))
    different = differences(nodes)
    for line in different:
        click.echo(printable(f"differs: {line}"), err=True)
    for node in silent:
        click.echo(printable(node.error), err=True)
    stale = [node for node in answered if _tell_stale(node.document, most)]
    if not answered:
        return Exit.FAILED
    if different or stale or not all(node.document["ready"] for node in answered):
        return Exit.FAILED
    if silent:
        return Exit.PARTIAL
    click.echo(f"the same on {len(nodes)} nodes", err=True)
    return Exit.OK


def _rows(nodes: list[NodeStatus]) -> list[dict[str, str]]:
    rows = [
        {
            "ZONE": short_name(zone["name"]),
            "NODE": str(node.where),
            "SERIAL": str(zone.get("serial", "-")),
            "DIGEST": short_digest(zone.get("digest", "")),
            "AGE": ago(zone.get("since"), node.document["now"]),
            "STATE": zone_state(zone),
        }
        for node in nodes
        for zone in node.document["zones"]
    ]
    return sorted(rows, key=lambda row: (row["ZONE"], row["NODE"]))
