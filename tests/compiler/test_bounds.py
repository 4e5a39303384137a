"""What bounds the compiler child, seen from outside: its parent's death, time and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone.compiler.spec import CompileReport, CompileSpec
from tests.revisions import Revisions

CHILD = """
import sys
from ocizone import limits
limits.COMPILE_S, limits.COMPILE_MEMORY_OCTETS, limits.IMAGE_MAP_OCTETS = 1.0, 2**29, 0
from ocizone.compiler import __main__ as child
child.read_spec = lambda text: None
def work(*_):
    {work}
child.compile_revision = work
sys.exit(child.main())
"""
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
WAITING = """
import os, sys
from ocizone.process import follow_to_death
assert follow_to_death(os.getppid())
print("ready", flush=True)
sys.stdin.read()
"""


def run_child(work: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD.format(work=work), *arguments]
    return subprocess.run(
        command, input="", capture_output=True, text=True, timeout=30, check=False
    )


def test_processor_time_ends_the_child() -> None:
    """A child that computes for longer than COMPILE_S is ended by the kernel."""
    assert run_child("while True: pass").returncode == -signal.SIGXCPU


def test_memory_ends_the_child() -> None:
    """A child that takes too much says so in one line."""
    done = run_child("bytearray(2**30)")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"it takes more than {2**29} octets of memory\n"


def test_child_of_nobody_does_not_begin() -> None:
    """A child whose parent has died already ends at once."""
    done = run_child("raise AssertionError", "1" if os.getpid() != 1 else "2")
    assert (done.returncode, done.stderr) == (1, "the process that wanted this is gone\n")


def test_child_dies_with_its_parent() -> None:
    """A killed server leaves no compiler: the pipe that the child holds is closed."""
    stdin, spec = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, WAITING], stdin=stdin, stdout=subprocess.PIPE
    ) as parent:
        os.close(stdin)
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"ready\n"
            parent.kill()
            # Ends when all who have it are gone; the child waits for its spec until then.
            assert parent.stdout.read() == b""
        finally:
            os.close(spec)


def compile_in_child(spec: CompileSpec) -> CompileReport:
    """Compile as the server does."""
    command = [sys.executable, "-m", "ocizone.compiler", str(os.getpid())]
    done = subprocess.run(
        command, input=spec.to_json(), capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return replace(CompileReport.from_json(done.stdout), seconds=0.0)


@pytest.mark.parametrize("derived", [False, True])
def test_there_is_room_beside_the_former_image(tmp_path: Path, derived: bool) -> None:
    """A revision is compiled after another, whether or not anything can be taken from it.

    Address space is bounded to one map of an image: what is open of the former one counts.
    """
    revisions = Revisions(tmp_path, run=compile_in_child)
    head = "$TTL 60\n@ SOA ns.x. h.x. 1 2 3 4 5\n@ NS ns.x.\n"
    files = {"db.z": head + "a TXT 1\n", "db.y": head}
    if not derived:
        del files["db.y"]
    revisions.add(files)
    report = revisions.add({**files, "db.z": head.replace(" 1 ", " 2 ")})
    assert not report.refused
    assert ("derived" in report.extra) is derived
    assert report.changes
