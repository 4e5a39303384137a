"""Processor time, memory and sockets of processes, and their end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mapped import Mapped, parse_smaps
from bench.processes import (
    Cpu,
    Process,
    environment,
    set_buffers,
    tree,
    tree_memory,
    wait_until,
)

SMAPS = """\
7f0000000000-7f0000001000 r--s 00000000 08:01 42                         /state/images/ab.mdb
Size:                  4 kB
Rss:                   8 kB
Pss:                   4 kB
Private_Clean:         2 kB
7f0000001000-7f0000002000 rw-p 00000000 00:00 0
Pss:                  10 kB
Private_Clean:         3 kB
Private_Dirty:         6 kB
7f0000003000-7f0000004000 r--s 00000000 08:01 43                         /state/images/cd.mdb (deleted)
Pss:                   1 kB
7f0000005000-7f0000006000 r-xp 00000000 08:01 44                         /usr/lib/x.so
Pss:                 100 kB
"""


def test_difference_of_times():
    """User and system time are told apart."""
    assert Cpu(3.0, 2.0) - Cpu(1.0, 0.5) == Cpu(2.0, 1.5)
    assert Cpu(2.0, 1.5).total == 3.5


def test_image_pages():
    """Pages of images count apart, also of images that were replaced, whoever else maps them."""
    assert parse_smaps(SMAPS) == Mapped(115 * 1024, 5 * 1024, 9 * 1024)


def test_time_of_ended_children_counts(tmp_path):
    """A child that worked and ended is on the account of its parent."""
    script = (
        "import subprocess, sys, time\n"
        "subprocess.run([sys.executable, '-c', 'sum(range(10_000_000))'], check=True)\n"
        "print('done', flush=True)\n"
        "sys.stdin.read()\n"
        "time.sleep(60)\n"
    )
    process = Process([sys.executable, "-c", script], tmp_path, None)
    try:
        wait_until("the child is done", 30, (("done" in process.log) for _ in iter(int, 1)))
        assert process.cpu().user > 0.05
        assert process.memory().resident > 1024 * 1024
    finally:
        process.stop()
    assert process.child.poll() is not None


def test_children_end_with_it(tmp_path):
    """What it left behind is killed by its pid."""
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('pid', child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    process = Process([sys.executable, "-c", script], tmp_path, None)
    wait_until("the child runs", 30, (("pid" in process.log) for _ in iter(int, 1)))
    below = int(process.log.split()[1])
    assert below in tree(process.pid)
    process.stop()
    wait_until("it is gone", 30, (not _lives(below) for _ in iter(int, 1)))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_gone_process():
    """Whoever is gone has no memory."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert tree_memory(child.pid).resident == 0


def test_environment_as_installed():
    """Bytecode is written and used, whatever the caller's settings."""
    assert environment({"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/x"}) == {"HOME": "/x"}


def test_buffers_of_another_process():
    """Sockets are found by port, and their buffers set from outside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        try:
            found = set_buffers(os.getpid(), sock.getsockname()[1], 100_000)
        except PermissionError:
            pytest.skip("pidfd_getfd(2) is not allowed here")
        assert found == [200_000]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 200_000


def test_waiting_in_vain():
    """What does not come is named."""
    with pytest.raises(TimeoutError, match="the impossible"):
        wait_until("the impossible", 0.02, (False for _ in iter(int, 1)))
