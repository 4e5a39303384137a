"""What loading costs: cold, changed by one record, restarted; ocizone from a registry, peers
from the same files.

ocizone is told of a push through its control socket, as `ocizone refresh` and a webhook do; peers
of a changed file by SIGHUP. Times end with the first new answer. Not here: what queries notice
meanwhile (under_load).
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.compiling import Compiling
from bench.drive import Drive, run
from bench.following import (
    MULTISOCKET,
    WORKERS,
    FollowingOcizone,
    ended,
    until_version,
    workers_below,
)
from bench.mapped import mapped, mapped_by_one
from bench.ports import free_ports
from bench.registry import Registry, registry
from bench.rounds import Plan, progress
from bench.servers import Ocizone, Server, ZoneFile
from bench.shapes import Shape, change
from bench.steady import CLIENTS, many_sockets
from bench.workloads import write_lines
from bench.zones import SEED

LOOK_UPS, LOOK_UP_S = 400_000, 2.0
COLUMNS = (
    "server", "empty to first answer s", "compiler: s / CPU s / peak MiB", "image MiB",
    "one record changed, to served s", "restart to first answer s", "resident MiB",
    "of it shared map MiB", "beyond it MiB",
)  # fmt: skip
MIB = 1024 * 1024


def median_s(values: Sequence[float]) -> str:
    """Return seconds for a table."""
    return f"{statistics.median(values):.2f}" if values else ""


def ocizone_rows(
    shape: Shape, zones: list[ZoneFile], directory: Path, plan: Plan
) -> list[dict[str, object]]:
    """Measure ocizone with one shape of zones: as one process, and a worker of several."""
    repeat = plan.rounds
    with registry(directory / "registry", None) as source:
        source.push(zones)
        server = FollowingOcizone(directory / "ocizone", free_ports(), zones, plan.server_core)
        server.reference = source.reference
        with ended(server):
            server.start()
            with Compiling(server.running().pid) as compiler:
                cold = until_version(server, zones[-1], 1)
            images = [file.stat().st_size for file in (directory / "ocizone").rglob("*.mdb")]
            changed = [
                changed_to_served(server, source, zones, version)
                for version in range(2, repeat + 2)
            ]
            look_up(shape, server, directory, plan.drive)
            memory = mapped(server.running().pid)
            source.stop()
            restarts = [restart(server, zones[-1], repeat + 1) for _ in range(repeat)]
            server.extra = MULTISOCKET
            worker = worker_row(shape, server, directory, plan, repeat + 1)
    alone = {
        "server": "ocizone", "cold_s": cold, "compile_s": compiler.seconds,
        "compile_cpu_s": compiler.cpu_s, "compile_peak": compiler.peak,
        "image": max(images), "changed_s": changed, "restart_s": restarts,
        "resident": memory.resident, "map": memory.images,
        "beyond": memory.resident - memory.images, "shape": shape.key,
    }  # fmt: skip
    return [alone, worker]


def worker_row(
    shape: Shape, server: FollowingOcizone, directory: Path, plan: Plan, version: int
) -> dict[str, object]:
    """Restart with several workers; measure the one that has most memory of its own."""
    restarts = [restart(server, server.zones[-1], version) for _ in range(plan.rounds)]
    drive = many_sockets(plan.drive, CLIENTS)
    look_up(shape, server, directory, drive)
    found = [mapped_by_one(pid) for pid in workers_below(server.running().pid)]
    largest = max(found, key=lambda one: one.alone)
    return {
        "server": f"ocizone, a worker of {WORKERS}", "restart_s": restarts,
        "resident": largest.resident, "map": largest.images, "beyond": largest.alone,
    }  # fmt: skip


def look_up(shape: Shape, server: Server, directory: Path, drive: Drive) -> None:
    """Ask for names all over the zones, so that memory is that of a server in use."""
    file = directory / "everywhere"
    write_lines(file, Random(SEED).choices(shape.lines(), k=LOOK_UPS))
    run(drive.command(server.port, file, LOOK_UP_S, tcp=False, dnssec=False))


def changed_to_served(
    server: FollowingOcizone, source: Registry, zones: list[ZoneFile], version: int
) -> float:
    """Push with one record changed; return the seconds from the end of the push to the answer."""
    change(zones[-1], version)
    source.push(zones)
    begun = time.monotonic()
    server.refresh()
    until_version(server, zones[-1], version)
    return time.monotonic() - begun


def restart(server: Server, zone: ZoneFile, version: int) -> float:
    """Kill a server and start it again; return the seconds from its start to its answer."""
    process = server.running()
    process.child.kill()
    process.child.wait()
    begun = time.monotonic()
    server.start()
    until_version(server, zone, version)
    return time.monotonic() - begun


def peer_row(
    kind: type[Server],
    shape: Shape,
    zones: list[ZoneFile],
    directory: Path,
    plan: Plan,
) -> dict[str, object]:
    """Measure a peer with the same files."""
    server = kind(directory / kind.program / "of", free_ports(), zones, plan.server_core)
    with ended(server):
        version = 1
        change(zones[-1], version)
        starts, changes = [], []
        for _ in range(plan.rounds):
            begun = time.monotonic()
            server.start()
            until_version(server, zones[-1], version)
            starts.append(time.monotonic() - begun)
            if kind.reloads:
                version += 1
                changes.append(reload_file(server, zones[-1], version))
            look_up(shape, server, directory, plan.drive)
            memory = server.running().memory()
            server.stop()
    return {
        "server": kind.name, "cold_s": statistics.median(starts), "restart_s": starts,
        "changed_s": changes, "resident": memory.resident,
    }  # fmt: skip


def reload_file(server: Server, zone: ZoneFile, version: int) -> float:
    """Change one record of a file, send SIGHUP; return the seconds to the answer."""
    # Some look at whole seconds of the file's time.
    time.sleep(1.1)
    change(zone, version)
    begun = time.monotonic()
    server.running().child.send_signal(signal.SIGHUP)
    until_version(server, zone, version)
    return time.monotonic() - begun


def measure_shape(shape: Shape, kinds: Sequence[type[Server]], plan: Plan) -> dict[str, object]:
    """Return the section of one shape: what was measured, and its table."""
    own = plan.directory / shape.key
    own.mkdir()
    files = own / "files"
    files.mkdir()
    zones = shape.write(files)
    raw = ocizone_rows(shape, zones, own, plan)
    for entry in raw:
        progress(f"  {entry}")
    for kind in kinds:
        if kind is Ocizone or not kind.loads or kind.binary() is None:
            continue
        try:
            raw.append(peer_row(kind, shape, zones, own, plan))
        except (TimeoutError, RuntimeError) as error:
            raw.append({"server": kind.name, "failed": str(error)[:300]})
        progress(f"  {raw[-1]}")
    return {
        "title": f"Loading {shape.title}", "columns": COLUMNS,
        "rows": [table_row(entry) for entry in raw], "raw": raw,
    }  # fmt: skip


def table_row(entry: dict[str, object]) -> list[str]:
    """Return the cells of one server."""
    if "failed" in entry:
        return [str(entry["server"]), f"failed: {entry['failed']}", *[""] * (len(COLUMNS) - 2)]
    own = "image" in entry

    def mib(key: str) -> str:
        value = entry.get(key)
        return f"{value / MIB:.1f}" if isinstance(value, int) else ""

    def seconds(key: str) -> str:
        value = entry.get(key)
        if isinstance(value, list):
            return median_s(value)
        return f"{value:.2f}" if isinstance(value, float) else ""

    return [
        str(entry["server"]), seconds("cold_s"),
        f"{seconds('compile_s')} / {seconds('compile_cpu_s')} / {mib('compile_peak')}"
        if own else "",
        mib("image"), seconds("changed_s"), seconds("restart_s"), mib("resident"), mib("map"), mib("beyond"),
    ]  # fmt: skip
