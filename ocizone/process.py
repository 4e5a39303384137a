"""What a process asks of its surroundings: a steady clock, room for files, an end with its parent.

Used by every way to run the server (ocizone.run, ocizone.tap) and by the processes it starts
(ocizone.compiler, ocizone.workers). Not here: signals.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pwd
import resource
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import ocizone

# prctl(2), linux/prctl.h.
_PR_SET_PDEATHSIG: Final = 1
# mallopt(3), malloc.h.
_M_ARENA_MAX: Final = -8
# Passed on to a child; everything else, credentials above all, stays here.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


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


def keep_for_good() -> None:
    """Leave what there is now out of every search for garbage, and search from now on.

    Modules and what was set up stay until the end: a full search looks at what came since, which
    is what a query may have to wait for.
    """
    gc.freeze()
    gc.enable()


def share_one_heap() -> None:
    """Let all threads take memory from one heap; before the first of them is started.

    Of one heap for each, what one thread freed serves no other: 3.5 of 57 MiB (2026-11-21). Who
    holds Python's lock takes memory, so that none waits for another. Other libraries than glibc
    know no such thing.
    """
    libc = ctypes.CDLL(None)
    with suppress(AttributeError):
        libc.mallopt(_M_ARENA_MAX, 1)


def follow_to_death(parent: int) -> bool:
    """Let the kernel kill this process with its parent; tell whether the parent still lives.

    A server that is killed cannot kill its children, which would work on.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    # It may have died before that.
    return os.getppid() == parent


def become(user: str) -> None:
    """Be another user from now on, for good, with that user's groups and home.

    Raises:
        OSError: there is no such user, or the process may not.
    """
    try:
        known = pwd.getpwnam(user)
    except KeyError as error:
        raise OSError(f"there is no user {user}") from error
    try:
        os.setgroups(os.getgrouplist(known.pw_name, known.pw_gid))
        os.setgid(known.pw_gid)
        os.setuid(known.pw_uid)
    except PermissionError as error:
        raise OSError(f"cannot become {user}: only root can") from error
    os.environ.update(HOME=known.pw_dir, USER=known.pw_name, LOGNAME=known.pw_name)


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: this package's place, and nothing secret."""
    chosen = {name: own[name] for name in _ENVIRONMENT if name in own}
    # The child must run this very package, wherever it was imported from.
    package = str(Path(ocizone.__file__).parent.parent)
    paths = [package, *filter(None, own.get("PYTHONPATH", "").split(os.pathsep))]
    return {**chosen, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
