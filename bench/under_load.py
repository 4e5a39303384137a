"""What queries notice of loading: a million records replaced, and a flood of unique names.

Latencies are of a steady rate, from dnsperf, first idle, then from the moment something is to be
loaded until it is served. Not here: how long loading takes without load (load).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from bench.drive import saturate
from bench.following import FollowingOcizone, ended, until_version
from bench.ports import free_ports
from bench.processes import set_buffers
from bench.registry import registry
from bench.rounds import LINES_PER_SECOND, Plan, progress
from bench.servers import Ocizone, Server, ZoneFile
from bench.shapes import Shape, renumber
from bench.steady import Steady
from bench.uniquenames import UniqueNames
from bench.workloads import WORKLOADS, missing_lines, query_lines, write_lines
from bench.zones import SEED, hot_zone

SECTION = dict[str, object]
IDLE_S = 5.0
SETTLE_S = 1.0
FLOOD_SLICE_S = 10.0
MIB = 1024 * 1024


def swap(shape: Shape, kinds: Sequence[type[Server]], plan: Plan) -> SECTION:
    """Replace every record of a zone under load; return the section."""
    directory = plan.directory / "swap"
    directory.mkdir()
    raw: list[dict[str, object]] = []
    for core in (plan.server_core, None):
        for kind in kinds:
            if kind.binary() is None or not (kind is Ocizone or (kind.loads and kind.reloads)):
                continue
            own = directory / f"{kind.program.replace('/', '_')}-{core}"
            (own / "files").mkdir(parents=True)
            zones = shape.write(own / "files")
            measured = (_follow if kind is Ocizone else _reload)(
                kind, shape, zones, replace(plan, directory=own), core
            )
            raw.append({"server": kind.name, "core": "any" if core is None else core, **measured})
            progress(f"  {raw[-1]}")
    return {
        "title": f"{shape.title}, all changed, at {plan.rate:,} queries/s",
        "columns": (
            "server", "core", "to served s", "idle p50 / p99 / p99.9 us",
            "while loading p50 / p99 / p99.9 / max us", "p99 ratio", "lost idle", "lost loading",
        ),
        "rows": [_swap_row(entry) for entry in raw], "raw": raw,
    }  # fmt: skip


def _follow(
    _kind: type[Server], shape: Shape, zones: list[ZoneFile], plan: Plan, core: int | None
) -> SECTION:
    with registry(plan.directory / "registry", None) as source:
        source.push(zones)
        server = FollowingOcizone(plan.directory / "server", free_ports(), zones, core)
        server.reference = source.reference
        with ended(server):
            server.start()
            until_version(server, zones[0], 1)
            renumber(zones[0], 2)
            idle = _idle(shape, server, plan)
            source.push(zones)
            return {"idle": idle, **_loading(server, zones[0], plan, server.refresh)}


def _reload(
    kind: type[Server], shape: Shape, zones: list[ZoneFile], plan: Plan, core: int | None
) -> SECTION:
    server = kind(plan.directory / "server", free_ports(), zones, core)
    with ended(server):
        server.start()
        until_version(server, zones[0], 1)
        idle = _idle(shape, server, plan)
        renumber(zones[0], 2)
        child = server.running().child
        return {
            "idle": idle,
            **_loading(server, zones[0], plan, lambda: child.send_signal(signal.SIGHUP)),
        }


def _idle(shape: Shape, server: Server, plan: Plan) -> SECTION:
    set_buffers(server.running().pid, server.port, plan.drive.buffer_kib * 1024)
    file = plan.directory / "lines"
    write_lines(file, Random(SEED).choices(shape.lines(), k=plan.rate * 20))
    with Steady(plan.drive, server.port, file, plan.rate, plan.directory / "out"):
        time.sleep(SETTLE_S)
    with Steady(plan.drive, server.port, file, plan.rate, plan.directory / "out") as load:
        time.sleep(IDLE_S)
    return load.found


def _loading(server: Server, zone: ZoneFile, plan: Plan, go: Callable[[], None]) -> SECTION:
    file = plan.directory / "lines"
    with Steady(plan.drive, server.port, file, plan.rate, plan.directory / "out") as load:
        begun = time.monotonic()
        go()
        until_version(server, zone, 2)
        served = time.monotonic() - begun
        time.sleep(SETTLE_S)
    return {"served_s": round(served, 3), "loading": load.found}


def _swap_row(entry: SECTION) -> list[str]:
    idle, loading = entry["idle"], entry["loading"]
    assert isinstance(idle, dict)
    assert isinstance(loading, dict)
    return [
        str(entry["server"]), str(entry["core"]), f"{entry['served_s']}", percentiles(idle),
        f"{percentiles(loading)} / {loading['max_us']}",
        f"{loading['p99_us'] / idle['p99_us']:.1f}",
        f"{idle['lost']} of {idle['sent']:,}", f"{loading['lost']} of {loading['sent']:,}",
    ]  # fmt: skip


def percentiles(found: SECTION) -> str:
    """Return the three percentiles of a steady run."""
    return f"{found['p50_us']} / {found['p99_us']} / {found['p999_us']}"


def flood(
    kinds: Sequence[type[Server]], plan: Plan, seconds: float, unique: UniqueNames
) -> SECTION:
    """Ask for nothing but names that do not exist; return the section: memory, and hot names."""
    raw: list[dict[str, Any]] = []
    for kind in kinds:
        if kind.binary() is not None and kind.loads:
            directory = plan.directory / f"flood-{kind.program.replace('/', '_')}"
            directory.mkdir()
            raw.append(_flood(kind, replace(plan, directory=directory), seconds, unique))
            progress(f"  {raw[-1]}")
    return {
        "title": f"{seconds:.0f} s of unique names that do not exist, at full speed",
        "columns": (
            "server", "hot mix before, q per CPU s", "after", "after / before",
            "unique names answered", "resident before MiB", "most", "after",
        ),
        "rows": [
            [
                str(entry["server"]), f"{entry['before']:,}", f"{entry['after']:,}",
                f"{entry['after'] / entry['before']:.2f}", f"{entry['answered']:,}",
                *(f"{value / MIB:.1f}" for value in _few(entry["resident"])),
            ]
            for entry in raw
        ],
        "raw": raw,
    }  # fmt: skip


def _few(values: list[int]) -> tuple[int, int, int]:
    return values[0], max(values), values[-1]


def _flood(
    kind: type[Server], plan: Plan, seconds: float, unique: UniqueNames
) -> dict[str, object]:
    server = kind(
        plan.directory / "server", free_ports(), hot_zone(plan.directory), plan.server_core
    )
    file = plan.directory / "lines"
    hot = next(workload for workload in WORKLOADS if workload.key == "a")
    with ended(server):
        server.start()
        server.wait_ready()
        process = server.running()
        set_buffers(process.pid, server.port, plan.drive.buffer_kib * 1024)

        def hot_mix(seed: int) -> int:
            count = int(LINES_PER_SECOND * plan.seconds)
            write_lines(file, query_lines(hot, count, unique, seed))
            command = plan.drive.command(server.port, file, plan.seconds, tcp=False, dnssec=False)
            return round(saturate(process, command).per_cpu_second)

        hot_mix(1)
        before, resident, answered = hot_mix(2), [process.memory().resident], 0
        left = seconds
        while left > 0:
            piece = min(left, FLOOD_SLICE_S)
            write_lines(file, missing_lines(unique, int(LINES_PER_SECOND * piece)))
            command = plan.drive.command(server.port, file, piece, tcp=False, dnssec=False)
            answered += saturate(process, command).counts.completed
            resident.append(process.memory().resident)
            left -= piece
        return {
            "server": kind.name, "before": before, "after": hot_mix(3), "answered": answered,
            "resident": resident,
        }  # fmt: skip
