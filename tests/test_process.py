"""What the process asks of its surroundings."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time

import pytest

from ocizone.process import become, raise_file_limit, use_steady_clock


class Reactor:
    """A reactor that counts in wall-clock time."""

    seconds = staticmethod(time.time)


def test_timers_run_on_a_clock_that_never_goes_back():
    """A clock set back by an hour must not stop looks, deadlines and limits for that hour."""
    reactor = Reactor()
    use_steady_clock(reactor)
    assert reactor.seconds is time.monotonic


def test_the_real_reactor_takes_the_clock():
    """Its timers read `seconds` anew each time (tested where its own clock is the wall's)."""
    code = (
        "import time\n"
        "from twisted.internet import reactor\n"
        "from ocizone.process import use_steady_clock\n"
        "use_steady_clock(reactor)\n"
        "call = reactor.callLater(5, lambda: None)\n"
        "assert abs(call.getTime() - time.monotonic() - 5) < 1, call.getTime()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_all_descriptors_there_may_be_are_used():
    """The soft limit goes to the hard one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        assert raise_file_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_becoming_somebody_else_is_for_good():
    """With the groups and the home of that user, and of nobody else."""
    code = (
        "import os\n"
        "from ocizone.process import become\n"
        "become('nobody')\n"
        "assert os.getresuid() == (os.getuid(),) * 3 and os.getuid(), os.getresuid()\n"
        "assert 0 not in (*os.getgroups(), *os.getresgid()), os.getgroups()\n"
        "assert os.environ['USER'] == 'nobody'\n"
        "try:\n"
        "    os.setuid(0)\n"
        "except PermissionError:\n"
        "    pass\n"
        "else:\n"
        "    raise AssertionError('root again')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_becoming_nobody_there_is():
    """The name is in the message."""
    with pytest.raises(OSError, match="there is no user no-such-user"):
        become("no-such-user")


def test_what_was_set_up_is_never_searched_for_garbage():
    """A start without searches ends with them, and without what there was in any of them."""
    code = (
        "import gc\n"
        "gc.disable()\n"
        "from ocizone.process import keep_for_good\n"
        "kept = [[] for _ in range(9)]\n"
        "keep_for_good()\n"
        "assert gc.isenabled()\n"
        "assert gc.get_freeze_count() > 1000\n"
        "assert not any(one is kept for one in gc.get_objects())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives threads heaps")
def test_threads_take_memory_from_one_heap():
    """What many threads take and free does not stay with each of them."""
    code = (
        "import threading\n"
        "from ocizone.process import share_one_heap\n"
        "share_one_heap()\n"
        "taken = threading.Barrier(9)\n"
        "def take():\n"
        "    held = bytes(20_000)\n"
        "    taken.wait()\n"
        "for _ in range(8):\n"
        "    threading.Thread(target=take).start()\n"
        "heaps = [int(line.split('-')[0], 16) % 2**26 for line in open('/proc/self/maps')]\n"
        "taken.wait()\n"
        # A map may begin where a heap would.
        "assert heaps.count(0) < 4, heaps.count(0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
