"""What the process asks of its surroundings before it serves: a steady clock, room for files.

Used by every way to run the server (ocizone.run, ocizone.tap). Not here: signals.
"""

from __future__ import annotations

import resource
import time
from typing import Any


def use_steady_clock(reactor: Any) -> None:
    """Let every timer of the reactor run on time that never goes back.

    Twisted's reactors count in wall-clock time (26.10): a clock set back by an hour would stop
    every look, every deadline and every TCP limit for that hour. Before any timer is made.
    """
    reactor.seconds = time.monotonic


def raise_file_limit() -> int:
    """Use all the descriptors we may have; return how many that is.

    The soft limit is 1,024 in most places, for programs that use select(2); we do not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return hard
