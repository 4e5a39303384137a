"""Show: the same questions to ocizone, NSD, Knot and BIND; and unbound as judge.

    python -m bench.show_answers --queries 50000 --validate 10000

Prints Markdown. Every question counts once however many peers are asked. Needs nsd, knot,
bind9, bind9-utils, ldnsutils and unbound.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.peers.comparison import Tally, compare_zone_set
from tests.peers.explained import TABLE
from tests.peers.validation import validate_zone_set
from tests.peers.zonesets import ZONE_SETS, ZoneSet


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--queries", type=int, default=50_000)
    arguments.add_argument("--validate", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="answers-") as directory:
        if options.queries:
            failed |= compare(Path(directory), options.queries, options.seed)
        if options.validate:
            failed |= judge(Path(directory), options.validate, options.seed)
    return int(failed)


def compare(directory: Path, queries: int, seed: int) -> bool:
    print("| zone set | peer | compared | equal | explained | unexplained |")
    print("|---|---|---|---|---|---|")
    each = -(-queries // len(ZONE_SETS))
    used: Counter[str] = Counter()
    failed = False
    started = time.monotonic()
    for zone_set in ZONE_SETS:
        tallies = compare_zone_set(
            zone_set, directory / f"compare-{zone_set.name}", each, seed, through_program=True
        )
        for peer, tally in tallies.items():
            print(row(zone_set, peer, tally), flush=True)
            used += tally.explained
            failed |= bool(tally.unexplained)
            for difference in tally.unexplained[:20]:
                print(difference, file=sys.stderr)
    print(f"\n{each * len(ZONE_SETS)} questions in {time.monotonic() - started:.0f} s.\n")
    print("| class | times | peers | decides | |")
    print("|---|---|---|---|---|")
    for entry in TABLE:
        peers = ", ".join(entry.peers)
        print(f"| {entry.id} | {used[entry.id]} | {peers} | {entry.decides} | {entry.why} |")
    return failed


def row(zone_set: ZoneSet, peer: str, tally: Tally) -> str:
    classes = ", ".join(f"{name} {times}" for name, times in tally.explained.most_common())
    explained = tally.compared - tally.equal - len(tally.unexplained)
    cells = (zone_set.name, peer, tally.compared, tally.equal)
    return f"| {' | '.join(map(str, cells))} | {explained}: {classes} | {len(tally.unexplained)} |"


def judge(directory: Path, queries: int, seed: int) -> bool:
    print("\n| zone set | asked | secure | insecure | unreachable | bogus | judge's limits |")
    print("|---|---|---|---|---|---|---|")
    signed = [one for one in ZONE_SETS if any(zone.signing for zone in one.zones)]
    each = -(-queries // len(signed))
    failed = False
    for zone_set in signed:
        found = validate_zone_set(zone_set, directory / f"judge-{zone_set.name}", each, seed)
        counts = (found.secure, found.insecure, found.unreachable)
        cells = (zone_set.name, each, *counts, len(found.bogus), len(found.disputed))
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        failed |= bool(found.bogus)
        for question in found.bogus[:20]:
            print(question, file=sys.stderr)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
