"""``ocizone report DIGEST``: what became of one version, state by state, with its findings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.findings import amount, octets
from ocizone.cli.results import document, problem_line
from ocizone.cli.server import output_option, server_options, source_and_digest
from ocizone.control import Where
from ocizone.difftext import serial_text
from ocizone.errors import Problem
from ocizone.observe.printable import printable
from ocizone.states import short_name
from ocizone.versions import change_text, rfc3339


@click.command(name="report")
@source_and_digest
@output_option
@server_options
def command(source: str, digest: str, output: str, where: Where) -> int:
    """Show what became of the version with DIGEST, or the one it is the beginning of.

    Its states with their times, zones, changes, and findings with file and line.
    """
    query = f"?{urlencode({'source': source})}" if source else ""
    found = document(where, f"/v1/reports/{quote(digest, safe=':')}{query}")
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        for line in _lines(found):
            click.echo(printable(line))
    return Exit.OK


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield a report as lines; what an older server does not know is left out."""
    yield f"{report['reference']}@{report['digest']}"
    reason = report.get("reason")
    yield f"  {report['state']}" + (f": {reason}: {_first(report)}" if reason else "")
    for name, value in _facts(report):
        if value:
            yield f"  {name:<10}{value}"
    for state, at in report.get("history") or ():
        yield f"  {rfc3339(at)}  {state}"
    changes = {change["apex"]: change for change in report.get("changes") or ()}
    for zone in report.get("zones") or ():
        change = changes.pop(zone["apex"], None)
        yield f"  {_zone(zone)}" + (f"   {_change(change)}" if change else "")
    for apex, change in changes.items():
        yield f"  {short_name(apex)}  {change['kind']}   {_change(change)}"
    for problem in report.get("problems") or ():
        yield f"  {_finding(problem)}"


def _facts(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "tag", report.get("tag", "")
    yield "created", report.get("created", "")
    yield "revision", report.get("revision", "")
    yield "verified", report.get("verified_by", "")
    yield "served", f"generation {report['generation']}" if report.get("generation") else ""
    tests = report.get("tests")
    yield "tests", f"{amount(tests, 'zone test')} held" if tests else ""
    yield "derived", _derived(report.get("derived") or {})
    yield "fetched", octets(report["octets"]) if report.get("octets") else ""
    yield "took", f"{report['seconds']:.1f} s" if report.get("seconds") else ""


def _derived(told: dict[str, int]) -> str:
    """Return how much of a revision had to be compiled; "" when it was all of it."""
    if not told:
        return ""
    kept = amount(told["zones_kept"], "zone")
    names = amount(told["names_changed"], "name")
    return f"{kept} as before, {told['zones_amended']:,} amended ({names}), {told['zones_read']:,} read"


def _first(report: dict[str, Any]) -> str:
    return str(report.get("message", "")).partition("\n")[0]


def _zone(zone: dict[str, Any]) -> str:
    serial = serial_text(None, zone["serial"])
    return (
        f"{short_name(zone['apex'])}  {serial}, {amount(zone['records'], 'record')}  {zone['file']}"
    )


def _change(change: dict[str, Any]) -> str:
    serials = serial_text(change.get("serial_before"), change.get("serial"))
    return f"{change_text([change])} ({serials})"


def _finding(problem: dict[str, Any]) -> str:
    """Return a finding of the store's JSON, which has its place in parts, as one of the API."""
    where = Problem(**problem).where()
    return problem_line({**problem, "where": where})
