"""Ports for the programs that tests start: free on UDP and TCP, and given out once.

Below the range from which the system takes ports of clients (32768 on Linux), and another
stretch for each parallel worker, so that no port is taken between being found and being used.
"""

from __future__ import annotations

import itertools
import os

from ocizone.serve.sockets import BindError, bind_pair

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_STRETCH = 1000
_next = itertools.count(20_000 + _STRETCH * _WORKER)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has."""
    for port in itertools.islice(_next, _STRETCH):
        try:
            datagram, stream = bind_pair("127.0.0.1", port)
        except BindError:
            continue
        datagram.close()
        stream.close()
        return port
    raise AssertionError("no free port")
