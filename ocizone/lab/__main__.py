"""``python -m ocizone.lab [--port N] [--user NAME:PASSWORD]``: one lab registry until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys

from ocizone.lab.gate import Access
from ocizone.lab.registry import LabRegistry


def main() -> int:
    """Serve until SIGINT or SIGTERM; the first line printed names the host."""
    parser = argparse.ArgumentParser(prog="python -m ocizone.lab", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="TCP port on 127.0.0.1; 0: any")
    parser.add_argument("--user", metavar="NAME:PASSWORD", help="ask for this login (Basic)")
    arguments = parser.parse_args()
    users: dict[str, str] = {}
    if arguments.user:
        name, _, password = arguments.user.partition(":")
        users[name] = password
    access = Access.BASIC if users else Access.OPEN
    # Blocked before any thread starts, so that only sigwait takes them.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with LabRegistry(port=arguments.port, access=access, users=users) as registry:
        sys.stdout.write(f"lab registry on {registry.url} (in memory, loopback only)\n")
        sys.stdout.flush()
        signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    sys.exit(main())
