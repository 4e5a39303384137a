"""Ports for servers: free on UDP and TCP, given out once, each with its successor.

Below the range from which the system takes ports of clients (32768 on Linux), and elsewhere for each
run of the command: several servers share a port without complaint (SO_REUSEPORT) if they may.
"""

from __future__ import annotations

import itertools
import os

from ocizone.serve.sockets import BindError, bind_pair

FIRST, STRETCH, STRETCHES = 20_000, 200, 60
_next = itertools.count(FIRST + STRETCH * (os.getpid() % STRETCHES), 2)


def free_ports() -> int:
    """Return a port of 127.0.0.1 that nobody has; the next one is free, too (for metrics)."""
    for port in itertools.islice(_next, STRETCH // 2):
        if _is_free(port) and _is_free(port + 1):
            return port
    raise RuntimeError("no free port")


def _is_free(port: int) -> bool:
    try:
        datagram, stream = bind_pair("127.0.0.1", port)
    except BindError:
        return False
    datagram.close()
    stream.close()
    return True
