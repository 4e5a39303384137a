"""CPU time of the worst messages: up to 64 KiB, through the whole pipeline.

    PYTHONPATH=. python bench/worst_messages.py [REPEATS]

Prints, for each kind of tests/wirecorpus.py's table and for answers that are costly to make, how
many messages there are, and the mean and the worst CPU time of one in microseconds (the least of
REPEATS runs of each message, so that other programs do not count). The bound is 2 ms (issue: worst
64 KiB message). Run it from the root of the tree.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from time import process_time_ns

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ocizone.answer.blocks import Transport
from ocizone.answer.respond import respond
from tests import wirecorpus as corpus

BOUND_US = 2_000
LEAST_MESSAGES = 40
TCP = Transport("tcp", "main", "192.0.2.53", 40_000, corpus.NOW)
SERVED = corpus.served()


def cost_us(packet: bytes, repeats: int) -> float:
    """Return the least CPU time of some answers to one message."""
    best = 1 << 62
    for _ in range(repeats):
        begun = process_time_ns()
        respond(packet, SERVED, TCP)
        best = min(best, process_time_ns() - begun)
    return best / 1_000


def report(kind: str, packets: Iterable[bytes], repeats: int) -> float:
    """Print a line for some messages; return the worst time."""
    messages = list(packets)
    # Of thousands of alike ones the longest, and some others.
    messages.sort(key=len, reverse=True)
    step = max(1, len(messages) // LEAST_MESSAGES)
    chosen = [*messages[:LEAST_MESSAGES], *islice(messages, LEAST_MESSAGES, None, step)]
    times = [cost_us(packet, repeats) for packet in chosen]
    worst = max(times)
    mean = sum(times) / len(times)
    print(f"{len(messages):7d} {len(messages[0]):6d} {mean:9.1f} {worst:9.1f}  {kind}")
    return worst


def main() -> None:
    """Print the table; the exit status tells whether the bound was kept."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print("  count octets   mean us  worst us  kind")
    worst = max(report(row.why, row.packets(), repeats) for row in corpus.TABLE)
    print(f"worst {worst:.0f} us, bound {BOUND_US} us")
    sys.exit(worst > BOUND_US)


if __name__ == "__main__":
    main()
