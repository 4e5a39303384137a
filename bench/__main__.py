"""``python -m bench``: ocizone and its peers, side by side; tables, one plot, raw figures.

Needs a checkout, dnsperf and taskset; peers that are missing are said to be. See
docs/performance.md.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.disturbed import measure_disturbed
from bench.drive import Drive
from bench.load import measure_shape
from bench.peers import SERVERS, CoreDns
from bench.publish import ROOT, publish, write
from bench.rounds import Plan, measure, progress
from bench.servers import Server
from bench.shapes import SHAPES
from bench.under_load import flood, swap
from bench.uniquenames import UniqueNames
from bench.workloads import WORKLOADS

FLOOD_S = 60.0
NOT_KEPT = ROOT / "build" / "bench"


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workload", default="abcdefg", help="letters, default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=1.25, help="of a run, default %(default)s")
    parser.add_argument("--rate", type=int, default=20_000, help="for latency; 0: no latency")
    parser.add_argument(
        "--load", default="1k,100k", help="of 1k, 100k, 1M, zones, default %(default)s"
    )
    parser.add_argument("--swap", action="store_true", help="replace 1M records under load")
    parser.add_argument("--flood", type=float, default=0, metavar="SECONDS", help="unique names")
    parser.add_argument("--all", action="store_true", help="every load, --swap and --flood 60")
    parser.add_argument("--server-core", type=int, default=1)
    parser.add_argument("--client-core", type=int, default=0)
    parser.add_argument("--servers", help="names, separated by commas; default: all found")
    parser.add_argument("--coredns", metavar="PATH", help="a CoreDNS binary")
    parser.add_argument("--out", type=Path, default=NOT_KEPT, help="default build/bench")
    parser.add_argument(
        "--publish", action="store_true", help="write bench/results and docs/performance.md"
    )
    options = parser.parse_args()
    if options.all:
        options.load, options.swap = ",".join(shape.key for shape in SHAPES), True
        options.flood = options.flood or FLOOD_S
    return options


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line for line in info.splitlines() if line.startswith("model name")), "")
    return {
        "cpu": model.partition(":")[2].strip(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def measured(
    options: argparse.Namespace, kinds: Sequence[type[Server]], plan: Plan
) -> dict[str, object]:
    """Run what the options name; return the figures."""
    unique = UniqueNames(seed=os.getpid() << 12)
    workloads: dict[str, object] = {}
    sections: dict[str, object] = {}
    for workload in WORKLOADS:
        if workload.key in options.workload:
            progress(f"({workload.key}) {workload.title}")
            workloads[workload.key] = measure(workload, kinds, plan, unique)
    if "f" in options.workload:
        progress("(f) workers killed, zones reloaded")
        sections["f"] = measure_disturbed(kinds, plan)
    for shape in SHAPES:
        if shape.key in options.load.split(","):
            progress(f"loading {shape.title}")
            sections[shape.key] = measure_shape(shape, kinds, plan)
    if options.swap:
        progress("replacing 1M records under load")
        sections["swap"] = swap(next(shape for shape in SHAPES if shape.key == "1M"), kinds, plan)
    if options.flood:
        progress("flood of unique names")
        sections["flood"] = flood(kinds, plan, options.flood, unique)
    return {"workloads": workloads, "load": sections}


def main() -> int:
    """Measure, and write what was found."""
    options = arguments()
    # So that servers are ended, too, when this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # As an installation has it; a compiler in a child process writes none.
    compileall.compile_dir(ROOT / "ocizone", quiet=2)
    CoreDns.given = options.coredns
    wanted = options.servers.lower().split(",") if options.servers else []
    kinds = [kind for kind in SERVERS if not wanted or kind.name.lower() in wanted]
    document: dict[str, object] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {kind.name: kind.version() for kind in kinds if kind.binary()},
        "remarks": {kind.name: kind.remark for kind in kinds if kind.remark},
    }
    with tempfile.TemporaryDirectory(prefix="ocizone-bench-") as name:
        plan = Plan(
            options.rounds, options.seconds, options.rate, options.server_core,
            Drive(options.client_core), Path(name),
        )  # fmt: skip
        document |= measured(options, kinds, plan)
    table = write(document, options.out)
    if options.publish:
        publish(document)
    sys.stdout.write(table.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
