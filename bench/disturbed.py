"""Workload (f): workers killed and zones reloaded while queries come at a steady rate.

Only ocizone and NSD bring a killed worker back by themselves. A reload is a push that is refreshed,
or a changed file and SIGHUP. Not here: large zones (under_load), who was answered when (clients).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.clients import Clients
from bench.following import (
    MULTISOCKET,
    WORKERS,
    FollowingOcizone,
    ended,
    until_version,
    workers_below,
)
from bench.ports import free_ports
from bench.processes import set_buffers, tree, wait_until
from bench.registry import registry
from bench.rounds import Plan, progress
from bench.servers import Nsd, Ocizone, Server
from bench.shapes import Shape, change, lines_of_one, one_zone
from bench.steady import CLIENTS, Steady, many_sockets
from bench.under_load import SECTION, percentiles
from bench.workloads import write_lines

NAMES = 2_000
SMALL = Shape("hot", "2,000 records", one_zone(NAMES), lines_of_one(NAMES))
BEFORE_S = AFTER_S = 2.0
BACK_S = 20.0


def measure_disturbed(
    kinds: Sequence[type[Server]], plan: Plan, kills: int = 3, reloads: int = 5
) -> SECTION:
    """Kill workers and reload zones under load; return the section."""
    directory = plan.directory / "disturbed"
    directory.mkdir()
    plan = replace(plan, directory=directory, drive=many_sockets(plan.drive, CLIENTS))
    raw = []
    for kind in kinds:
        if kind.binary() is None or not (kind is Ocizone or (kind.loads and kind.reloads)):
            continue
        own = directory / kind.program.replace("/", "_")
        own.mkdir()
        found = (_ocizone if kind is Ocizone else _peer)(
            kind, replace(plan, directory=own), kills, reloads
        )
        for entry in found:
            progress(f"  {entry}")
        raw += found
    return {
        "title": f"(f) workers killed, zones reloaded, at {plan.rate:,} queries/s",
        "columns": (
            "server", "what", "lost", "p50 / p99 / p99.9 us", "longest ms",
            "all clients answered after ms",
        ),
        "rows": [_row(entry) for entry in raw], "raw": raw,
    }  # fmt: skip


def _row(entry: SECTION) -> list[str]:
    found = entry["load"]
    assert isinstance(found, dict)
    return [
        str(entry["server"]), str(entry["what"]), f"{found['lost']} of {found['sent']:,}",
        percentiles(found), f"{found['max_us'] / 1000:.1f}", _milliseconds(entry.get("answered_s")),
    ]  # fmt: skip


def _milliseconds(seconds: object) -> str:
    return f"{seconds * 1000:.1f}" if isinstance(seconds, float) else ""


def _ocizone(kind: type[Server], plan: Plan, kills: int, reloads: int) -> list[SECTION]:
    zones = SMALL.write(plan.directory)
    with registry(plan.directory / "registry", None) as source:
        source.push(zones)
        server = FollowingOcizone(plan.directory / "server", free_ports(), zones, plan.server_core)
        server.reference, server.extra = source.reference, MULTISOCKET
        with ended(server):
            server.start()
            until_version(server, zones[0], 1)
            lines = _lines(server, plan)
            found = [_quiet(server, lines, plan)]
            found += [_kill(server, lines, plan) for _ in range(kills)]
            with _steady(server, lines, plan) as load:
                for version in range(2, reloads + 2):
                    change(zones[0], version)
                    source.push(zones)
                    server.refresh()
                    until_version(server, zones[0], version)
            found.append({"what": f"{reloads} pushes served", "load": load.found})
    return [{"server": kind.name, **entry} for entry in found]


def _peer(kind: type[Server], plan: Plan, kills: int, reloads: int) -> list[SECTION]:
    zones = SMALL.write(plan.directory)
    server = kind(plan.directory / "server", free_ports(), zones, plan.server_core)
    if isinstance(server, Nsd):
        server.count = WORKERS
    with ended(server):
        server.start()
        until_version(server, zones[0], 1)
        lines = _lines(server, plan)
        found = [_quiet(server, lines, plan)]
        if isinstance(server, Nsd):
            found += [_kill(server, lines, plan) for _ in range(kills)]
        with _steady(server, lines, plan) as load:
            for version in range(2, reloads + 2):
                # Some look at whole seconds of the file's time.
                time.sleep(1.1)
                change(zones[0], version)
                server.running().child.send_signal(signal.SIGHUP)
                until_version(server, zones[0], version)
        found.append({"what": f"{reloads} reloads", "load": load.found})
    return [{"server": kind.name, **entry} for entry in found]


def workers(server: Server) -> set[int]:
    """Return the processes that answer."""
    pid = server.running().pid
    if isinstance(server, Nsd):
        # One process follows primaries, one reads zones; the second one's children answer.
        return {member for member in tree(pid) if len(tree(member)) == 1}
    return set(workers_below(pid))


def _kill(server: Server, lines: Path, plan: Plan) -> SECTION:
    """Kill one worker under load; see how long it takes until every client is answered."""
    before = workers(server)

    def replaced() -> Iterator[bool]:
        while True:
            now = workers(server)
            yield len(now) == len(before) and now != before

    with (
        _steady(server, lines, plan) as load,
        Clients(server.port, CLIENTS, SMALL.lines()[0]) as clients,
    ):
        time.sleep(BEFORE_S)
        # All are answered while nothing is amiss.
        clients.answered_after(BACK_S)
        os.kill(min(before), signal.SIGKILL)
        seconds = clients.answered_after(BACK_S)
        wait_until("a worker is back", BACK_S, replaced())
        time.sleep(AFTER_S)
    return {"what": "kill -9 of a worker", "load": load.found, "answered_s": round(seconds, 4)}


def _quiet(server: Server, lines: Path, plan: Plan) -> SECTION:
    with _steady(server, lines, plan) as load:
        time.sleep(BEFORE_S + AFTER_S)
    return {"what": "nothing", "load": load.found}


def _lines(server: Server, plan: Plan) -> Path:
    set_buffers(server.running().pid, server.port, plan.drive.buffer_kib * 1024)
    file = plan.directory / "lines"
    write_lines(file, SMALL.lines())
    return file


def _steady(server: Server, lines: Path, plan: Plan) -> Steady:
    return Steady(plan.drive, server.port, lines, plan.rate, plan.directory / "out")
