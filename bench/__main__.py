"""``python -m bench``: ocizone and its peers, side by side; one table, one plot, raw figures.

Needs a checkout, dnsperf and taskset; peers that are missing are said to be. See
docs/performance.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path

from bench.drive import Drive
from bench.peers import SERVERS, CoreDns
from bench.rounds import Plan, measure, progress
from bench.workloads import WORKLOADS, UniqueNames

RESULTS = Path(__file__).with_name("results")


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workload", default="abcde", help="letters, default %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=3, help="of a run, default %(default)s")
    parser.add_argument("--rate", type=int, default=20_000, help="for latency; 0: no latency")
    parser.add_argument("--server-core", type=int, default=1)
    parser.add_argument("--client-core", type=int, default=0)
    parser.add_argument("--servers", help="names, separated by commas; default: all found")
    parser.add_argument("--coredns", metavar="PATH", help="a CoreDNS binary")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder, default bench/results")
    return parser.parse_args()


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


def main() -> int:
    """Measure, and write what was found."""
    options = arguments()
    # So that servers are ended, too, when this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    CoreDns.given = options.coredns
    wanted = options.servers.lower().split(",") if options.servers else []
    kinds = [kind for kind in SERVERS if not wanted or kind.name.lower() in wanted]
    document: dict[str, object] = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {kind.name: kind.version() for kind in kinds if kind.binary()},
        "remarks": {kind.name: kind.remark for kind in kinds if kind.remark},
    }
    found: dict[str, object] = {}
    unique = UniqueNames(seed=os.getpid() << 12)
    with tempfile.TemporaryDirectory(prefix="ocizone-bench-") as name:
        plan = Plan(
            options.rounds, options.seconds, options.rate, options.server_core,
            Drive(options.client_core), Path(name),
        )  # fmt: skip
        for workload in WORKLOADS:
            if workload.key in options.workload:
                progress(f"({workload.key}) {workload.title}")
                found[workload.key] = measure(workload, kinds, plan, unique)
    document["workloads"] = found
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "raw.json").write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
