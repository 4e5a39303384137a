"""``ocizone status``: what a running server serves and follows, as a table or as JSON."""

from __future__ import annotations

import json
import os
from datetime import datetime
from http import HTTPStatus
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ocizone.cli.exit_codes import Exit
from ocizone.control import ControlError, ask
from ocizone.observe.printable import printable
from ocizone.state_dir import state_dir

_WIDE = 400
#: Below so many columns the table leaves out what can be done without.
_ROOM = 100
_SPARED = frozenset({"RRS", "TAG", "DIGEST", "CHECKED", "SIGNED"})
_HEADINGS = (
    "ZONE", "SERIAL", "RRS", "SIGNED", "TAG", "DIGEST", "AGE", "CHECKED", "NEXT", "STATE",
)  # fmt: skip
_STYLE = {
    "Ready": "green",
    "Stale": "yellow",
    "Expiring": "yellow",
    "Expired": "red",
    "Loading": "red",
}


@click.command(name="status")
@click.option("--state-dir", "directory", metavar="DIR", help="State directory of the server.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def command(directory: str | None, output: str) -> int:
    """Show zones and sources. Exit 1 when a configured zone is not served."""
    where = state_dir(directory, os.environ, root=os.geteuid() == 0)
    code, body = ask(where, "/v1/status")
    if code != HTTPStatus.OK:
        raise ControlError(f"the server in {where} answers {code} instead of a status")
    document = json.loads(body)
    if output == "json":
        click.echo(json.dumps(document, indent=2))
    else:
        _show(document)
    return Exit.OK if document["ready"] else Exit.FAILED


def _show(document: dict[str, Any]) -> None:
    # rich honours NO_COLOR and leaves colour out when stdout is no terminal.
    # Names and messages are data: neither markup nor emoji codes.
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not console.is_terminal:
        # Read by a program or a log: a row must not be cut to 80 columns.
        console.width = _WIDE
    now = document["now"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    narrow = console.width < _ROOM
    signed = any(zone.get("signed_until") for zone in document["zones"])
    for heading in _HEADINGS:
        if not (narrow and heading in _SPARED) and (signed or heading != "SIGNED"):
            right = heading in {"SERIAL", "RRS"}
            table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    sources = {source["name"]: source for source in document["sources"]}
    for zone in document["zones"]:
        source = sources.get(zone.get("source", ""), {})
        cells: dict[str, str | Text] = {
            "ZONE": printable(zone["name"]),
            "SERIAL": str(zone.get("serial", "-")),
            "RRS": f"{zone['records']:,}" if "records" in zone else "-",
            "TAG": _tag(zone.get("reference", "")),
            "DIGEST": short_digest(zone.get("digest", "")),
            "AGE": ago(zone.get("since"), now),
            "CHECKED": ago(source.get("last_check"), now),
            "SIGNED": _left(now, zone.get("signed_until")),
            "NEXT": ago(now, source.get("next_check")),
            "STATE": Text(zone["state"], style=_STYLE.get(zone["state"], "")),
        }
        table.add_row(*(cells[str(column.header)] for column in table.columns))
    console.print(table)
    for zone in document["zones"]:
        if zone["state"] in {"Expiring", "Expired"}:
            line = f"{zone['name']} {zone['message']}"
            console.print(printable(line), style=_STYLE[zone["state"]])
    for line in document["missing"]:
        console.print(printable(line), style="red")
    listeners = ", ".join(_listener(one, now) for one in document["listeners"])
    console.print(printable(f"listening  {listeners}"))
    for source in document["sources"]:
        console.print(printable(_source_line(source, now)))
        if source["error"]:
            reason, message = source["error"]["reason"], source["error"]["message"]
            # Findings follow one by one.
            shown = "" if source["problems"] else message.partition("\n")[0]
            console.print(printable(f"  {reason}: {shown}".rstrip(": ")), style="red")
        if not source["materialised"]:
            console.print(
                printable(f"  files under {source['path']} are not up to date: see the log")
            )
        for problem in source["problems"]:
            hint = f" ({problem['hint']})" if problem["hint"] else ""
            console.print(
                printable(
                    f"  {problem['where']}: {problem['severity']}[{problem['rule']}]: "
                    f"{problem['message']}{hint}"
                )
            )


def _left(now: str, until: str | None) -> str:
    """Return how long signatures or a certificate are good for, ``-`` where there are none."""
    return "over" if until and until <= now else ago(now, until)


def _listener(listener: dict[str, Any], now: str) -> str:
    until = listener.get("certificate_until")
    endpoint: str = listener["endpoint"]
    return endpoint if until is None else f"{endpoint} (certificate {_left(now, until)})"


def _source_line(source: dict[str, Any], now: str) -> str:
    last = ago(source["last_success"], now)
    never = "not looked at since the start" if source["digest"] else "never pulled"
    ok = f"last ok {last} ago" if source["last_success"] else never
    return f"source {source['name']}  {source['state']}  {ok}  attempts {source['attempts']}"


def _tag(reference: str) -> str:
    last = reference.rsplit("/", 1)[-1]
    return last.rsplit(":", 1)[-1] if ":" in last and "@" not in last else "-"


def short_digest(digest: str) -> str:
    """Return the first twelve hex digits of a digest, as git and docker do."""
    return digest.partition(":")[2][:12] or "-"


def ago(then: str | None, now: str | None) -> str:
    """Return the time between two RFC 3339 instants in its largest unit, ``-`` for none."""
    if not then or not now:
        return "-"
    seconds = int((datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"
