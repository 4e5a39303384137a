"""One workload: start everybody, compare answers, then alternating rounds.

Every server takes part in each round, in rotated order, with the same query file; a new file each
round, so that names that do not exist stay unknown. Not here: tables (report).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.drive import Drive, parse, parse_latencies, percentile, run, saturate
from bench.ports import free_ports
from bench.processes import set_buffers
from bench.ratios import rotated
from bench.sameanswers import Sameness, ask, compare, packet
from bench.servers import Ocizone, Server
from bench.uniquenames import UniqueNames
from bench.workloads import Workload, query_lines, write_lines

#: Above what any server here answers on one core, so that a file does not end before its time.
LINES_PER_SECOND = 320_000
COMPARED = 400


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, where.

    Attributes:
        rounds: alternating, each with every server.
        seconds: of each run, at full speed and for latency.
        rate: queries a second while latency is measured; 0 leaves it out.
        server_core: of every server.
        drive: dnsperf's settings.
        directory: for zones, query files and servers.
    """

    rounds: int
    seconds: float
    rate: int
    server_core: int
    drive: Drive
    directory: Path


def progress(text: str) -> None:
    """Tell the one who waits, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def measure(
    workload: Workload, kinds: Sequence[type[Server]], plan: Plan, unique: UniqueNames
) -> dict[str, object]:
    """Run one workload; return everything that was measured, ready for JSON."""
    directory = plan.directory / workload.key
    files = directory / "files"
    files.mkdir(parents=True)
    zones = workload.zones(files)
    absent = dict(workload.without)
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        result: dict[str, dict[str, object]] = {}
        for kind in kinds:
            if kind.binary() is None:
                absent[kind.name] = f"{kind.program} is not on this machine"
            if kind.name in absent:
                continue
            server = kind(directory / kind.program.replace("/", "_") / kind.name.replace(" ", "_"),
                          free_ports(), zones, plan.server_core)  # fmt: skip
            stack.callback(server.stop)
            try:
                ready, buffers = started(server, plan)
            except (RuntimeError, TimeoutError) as error:
                if kind is Ocizone:
                    raise
                absent[kind.name] = f"did not start: {error}".splitlines()[0]
                server.stop()
                continue
            progress(f"  {kind.name} {kind.version()} ready after {ready:.2f} s")
            servers[kind.name] = server
            result[kind.name] = {"receive_buffer": buffers, "rounds": [], "latency": []}
        for name, sameness in compared(workload, servers, unique):
            progress(f"  same answers, {name}: {sameness.told()}")
            result[name]["same"] = {**asdict(sameness), "all": sameness.same}
        warm_up(workload, servers, plan, unique)
        for number in range(plan.rounds):
            one_round(workload, servers, plan, unique, number, result)
    return {"title": workload.title, "servers": result, "absent": absent}


def started(server: Server, plan: Plan) -> tuple[float, list[int]]:
    """Start a server and set its buffers; return the seconds it took and what they became."""
    server.start()
    ready = server.wait_ready()
    octets = plan.drive.buffer_kib * 1024
    return ready, set_buffers(server.running().pid, server.port, octets)


def compared(
    workload: Workload, servers: dict[str, Server], unique: UniqueNames
) -> Iterator[tuple[str, Sameness]]:
    """Compare the answers of the first server with those of each other one."""
    lines = query_lines(workload, COMPARED, unique, seed=1)
    packets = [packet(line, n, dnssec=workload.dnssec) for n, line in enumerate(lines)]
    first, *others = servers
    ours = ask(servers[first].port, packets, tcp=workload.tcp)
    for name in others:
        yield name, compare(lines, ours, ask(servers[name].port, packets, tcp=workload.tcp))


def warm_up(
    workload: Workload, servers: dict[str, Server], plan: Plan, unique: UniqueNames
) -> None:
    """Let each server see the workload before it is timed, all the same file."""
    file = plan.directory / "warm-up"
    count = int(LINES_PER_SECOND * workload.warm_up_s)
    write_lines(file, query_lines(workload, count, unique, seed=2))
    for server in servers.values():
        run(plan.drive.command(
            server.port, file, workload.warm_up_s, tcp=workload.tcp, dnssec=workload.dnssec
        ))  # fmt: skip
    file.unlink()


def one_round(
    workload: Workload,
    servers: dict[str, Server],
    plan: Plan,
    unique: UniqueNames,
    number: int,
    result: dict[str, dict[str, object]],
) -> None:
    """Drive each server once at full speed and once at a steady rate; append what was found."""
    fast, steady = plan.directory / "fast", plan.directory / "steady"
    count = int(LINES_PER_SECOND * plan.seconds)
    write_lines(fast, query_lines(workload, count, unique, seed=100 + number))
    count = int(plan.rate * plan.seconds)
    write_lines(steady, query_lines(workload, count, unique, seed=200 + number))
    for name in rotated(list(servers), number):
        server = servers[name]
        over = {"tcp": workload.tcp, "dnssec": workload.dnssec}
        saturated = saturate(
            server.running(), plan.drive.command(server.port, fast, plan.seconds, **over)
        )
        progress(f"  round {number + 1} {name}: {saturated.per_cpu_second:,.0f} q/CPU-s, "
                 f"lost {saturated.counts.lost}")  # fmt: skip
        entry = result[name]
        _append(entry, "rounds", {"round": number, **saturated.raw()})
        if plan.rate:
            before = server.running().cpu()
            text = run(
                plan.drive.command(server.port, steady, plan.seconds + 5, rate=plan.rate, **over)
            )
            cpu_s = (server.running().cpu() - before).total
            found = latency(text)
            cpu_us = round(cpu_s * 1e6 / (found["sent"] - found["lost"]), 2)
            _append(entry, "latency", {"round": number, **found, "cpu_us": cpu_us})
    fast.unlink()
    steady.unlink()


def _append(entry: dict[str, object], key: str, value: dict[str, object]) -> None:
    found = entry[key]
    assert isinstance(found, list)
    found.append(value)


def latency(text: str) -> dict[str, int]:
    """Return percentiles in microseconds and the loss of a steady run's output."""
    values = parse_latencies(text)
    counts = parse(text)
    return {
        "sent": counts.sent,
        "lost": counts.lost,
        "p50_us": round(percentile(values, 0.5) * 1e6),
        "p99_us": round(percentile(values, 0.99) * 1e6),
        "p999_us": round(percentile(values, 0.999) * 1e6),
        "max_us": round(values[-1] * 1e6),
    }
