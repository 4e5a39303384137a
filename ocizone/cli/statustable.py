"""The status document as a person reads it: a row a zone, and a line a source."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ocizone.cli.results import problem_line
from ocizone.cli.table import console, show_table
from ocizone.observe.printable import printable
from ocizone.states import short_digest, short_name, zone_reasons, zone_state

#: Columns that a terminal may be too narrow for, the first to go first.
_SPARED = ("CHECKED", "RRS", "TAG", "SIGNED", "DIGEST", "NEXT", "AGE")
_HEADINGS = (
    "ZONE", "SERIAL", "RRS", "SIGNED", "TAG", "DIGEST", "AGE", "CHECKED", "NEXT", "STATE",
)  # fmt: skip
_WIDE = ("VIEW", "SOURCE", "FILE")
_STYLE = {
    "Ready": "green",
    "Pinned": "cyan",
    "Suspended": "yellow",
    "Stale": "yellow",
    "Held": "yellow",
    "Expiring": "yellow",
    "Invalid": "red",
    "Expired": "red",
    "Loading": "red",
}


def show_status(document: dict[str, Any], *, wide: bool = False) -> None:
    """Print zones, what is missing, where it listens, and the sources with their findings.

    Args:
        document: of ``/v1/status``.
        wide: also view, source and file of each zone; no column is left out.
    """
    out = console()
    now = document["now"]
    signed = any(zone.get("signed_until") for zone in document["zones"])
    headings = tuple(heading for heading in _HEADINGS if signed or heading != "SIGNED")
    if wide:
        headings = (*headings[:-1], *_WIDE, headings[-1])
    sources = {source["name"]: source for source in document["sources"]}
    rows = [_row(zone, sources.get(zone.get("source", ""), {}), now) for zone in document["zones"]]
    right = frozenset({"SERIAL", "RRS"})
    show_table(headings, rows, right=right, style=_STYLE, spared=() if wide else _SPARED)
    for state, line in zone_reasons(document["zones"]):
        out.print(printable(line), style=_STYLE.get(state))
    for line in document["missing"]:
        out.print(printable(line), style="red")
    listeners = ", ".join(_listener(one, now) for one in document["listeners"])
    out.print(printable(f"listening  {listeners}"))
    for line, fine in _workers(document):
        out.print(printable(line), style=None if fine else "red")
    for source in document["sources"]:
        _show_source(source, now)


def _workers(document: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return a line for all workers that serve the newest version, and one for each other one."""
    workers, newest = document.get("workers", ()), document.get("generation")
    fine = [one for one in workers if one["up"] and one["generation"] == newest]
    lines = [(f"workers    {len(fine)} of {len(workers)} serve generation {newest}", True)]
    for one in workers:
        if one not in fine:
            what = f"serves generation {one['generation']}" if one["up"] else "does not answer"
            lines.append((f"worker {one['worker']}: {what}, {one['restarts']} restarts", False))
    return lines if workers else []


def _row(zone: dict[str, Any], source: dict[str, Any], now: str) -> dict[str, str]:
    return {
        "ZONE": short_name(zone["name"]),
        "SERIAL": str(zone.get("serial", "-")),
        "RRS": f"{zone['records']:,}" if "records" in zone else "-",
        "SIGNED": _left(now, zone.get("signed_until")),
        "TAG": zone.get("tag") or _tag(zone.get("reference", "")),
        "DIGEST": short_digest(zone.get("digest", "")),
        "AGE": ago(zone.get("since"), now),
        "CHECKED": ago(source.get("last_check"), now),
        "NEXT": ago(now, source.get("next_check")),
        "VIEW": zone.get("view", "-"),
        "SOURCE": zone.get("source") or "-",
        "FILE": zone.get("file") or "-",
        "STATE": zone_state(zone),
    }


def _show_source(source: dict[str, Any], now: str) -> None:
    out = console()
    out.print(printable(_source_line(source, now)))
    for line in _decided(source):
        out.print(printable(f"  {line}"), style="yellow")
    held = source.get("held") or {}
    if source["error"] and source["error"]["reason"] != held.get("condition"):
        out.print(printable(f"  {_failure(source)}"), style="red")
    if not source["materialised"]:
        out.print(printable(f"  files under {source['path']} are not up to date: see the log"))
    for problem in source["problems"]:
        out.print(f"  {problem_line(problem)}")


def _failure(source: dict[str, Any]) -> str:
    """Return why the last look failed; without what the findings that follow say one by one.

    Findings may also be warnings about the version that is served, which explain no failure.
    """
    reason, message = str(source["error"]["reason"]), str(source["error"]["message"])
    if any(problem["message"] in message for problem in source["problems"]):
        return reason
    return f"{reason}: {message.partition(chr(10))[0]}"


def _decided(source: dict[str, Any]) -> list[str]:
    """Return what an operator decided about a source, or has to: loud, because it is forgotten."""
    lines = []
    if pin := source.get("pin"):
        what = "rolled back to" if pin.get("kind") == "rollback" else "pinned to"
        lines.append(f"{what} {pin['digest']}{_because(pin)} (end: ocizone unpin)")
    if suspension := source.get("suspension"):
        until = suspension.get("until")
        end = f" until {until}" if until else ""
        lines.append(f"suspended{end}{_because(suspension)} (end: ocizone resume)")
    if held := source.get("held"):
        release = f"ocizone approve {short_digest(held['digest'])}"
        lines.append(f"held {held['digest']} (release: {release})")
    return lines


def _because(decision: dict[str, Any]) -> str:
    reason = decision.get("reason")
    since = decision.get("since")
    return (f" since {since}" if isinstance(since, str) else "") + (f": {reason}" if reason else "")


def _left(now: str, until: str | None) -> str:
    """Return how long signatures or a certificate are good for, ``-`` where there are none."""
    return "over" if until and until <= now else ago(now, until)


def _listener(listener: dict[str, Any], now: str) -> str:
    until = listener.get("certificate_until")
    endpoint: str = listener["endpoint"]
    return endpoint if until is None else f"{endpoint} (certificate {_left(now, until)})"


def _source_line(source: dict[str, Any], now: str) -> str:
    last = ago(source["last_success"], now)
    ok = f"last ok {last} ago" if source["last_success"] else _never(source)
    verified = f"  verified: {source['verified_by']}" if source.get("verified_by") else ""
    attempts = f"attempts {source['attempts']}"
    return f"source {source['name']}  {source['state']}  {ok}  {attempts}{verified}"


def _never(source: dict[str, Any]) -> str:
    """Return what is said of a source without a good look since the server started."""
    if not source["digest"]:
        return "never pulled"
    looked = source.get("last_check") is not None
    return "no good look since the start" if looked else "not looked at since the start"


def _tag(reference: str) -> str:
    last = reference.rsplit("/", 1)[-1]
    return last.rsplit(":", 1)[-1] if ":" in last and "@" not in last else "-"


def ago(then: str | None, now: str | None) -> str:
    """Return the time between two RFC 3339 instants in its largest unit, ``-`` for none."""
    if not then or not now:
        return "-"
    seconds = int((datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"
