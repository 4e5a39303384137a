"""Processes of a benchmark: started on one core, measured, and ended by their pid.

CPU and memory come from proc(5), for a process and everything below it, threads included. Not
here: which programs (servers), what they are asked (drive).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
STOP_S = 15.0
#: pidfd_getfd(2), Linux 5.6; the number is the same on every architecture.
PIDFD_GETFD = 438


@dataclass(frozen=True, slots=True)
class Cpu:
    """Processor time in seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.user - other.user, self.system - other.system)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process tree in octets, as proc_pid_smaps(5) divides it.

    Attributes:
        resident: everything; a page that several processes map counts once (Pss).
        private: pages no other process maps (Private_Clean and Private_Dirty).
        anonymous: pages that belong to no file.
    """

    resident: int
    private: int
    anonymous: int


class Process:
    """One started program."""

    def __init__(self, command: Sequence[str], directory: Path, core: int | None) -> None:
        """Start it in its folder, pinned; what it writes goes to ``log`` there.

        Args:
            command: program and arguments.
            directory: its own; the working directory, too.
            core: where all its threads and children run, None for anywhere.
        """
        pin = [] if core is None else ["taskset", "-c", str(core)]
        self.directory = directory
        with (directory / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [*pin, *command], cwd=directory, env=environment(os.environ),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def cpu(self) -> Cpu:
        """Return the time spent so far by it and all below it, the ended ones included."""
        return Cpu(*(sum(part) / TICKS for part in zip(*map(times, tree(self.pid)), strict=True)))

    def memory(self) -> Memory:
        """Return the resident memory of it and all below it."""
        return tree_memory(self.pid)

    def pin(self, core: int) -> None:
        """Put every thread on one core again.

        Knot DNS pins the threads of its workers itself, the first one to core 0, whatever it was
        started on: beside the load, where kernel work is cheaper and the server starves.
        """
        for pid in tree(self.pid):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL for who does not hear, with everything below it."""
        if self.child.poll() is not None:
            return
        below = tree(self.pid)[1:]
        self.child.terminate()
        try:
            self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(STOP_S)
        for pid in below:
            end_orphan(pid)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment programs get: as installed, bytecode is kept and used."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "OCIZONE_STATE_DIR"}
    return {name: value for name, value in own.items() if name not in left_out}


def end_orphan(pid: int) -> None:
    """Kill a process that outlived its parent; its pid is checked to be no new program."""
    try:
        if _stat(pid)[1] == "1":
            os.kill(pid, signal.SIGKILL)
    except (OSError, IndexError):
        return


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_stat(int(entry.name))[1])
            except (OSError, IndexError):
                continue
            below.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += below.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def times(pid: int) -> tuple[int, int]:
    """Return user and system ticks of a process and its ended children; zeros when it is gone."""
    try:
        fields = _stat(pid)
    except OSError:
        return 0, 0
    return int(fields[11]) + int(fields[13]), int(fields[12]) + int(fields[14])


def tree_memory(pid: int) -> Memory:
    """Return the resident memory of a process and all below it."""
    found = [_rollup(member) for member in tree(pid)]
    return Memory(*(sum(part) for part in zip(*found, strict=True)))


def _rollup(pid: int) -> tuple[int, int, int]:
    sizes: dict[str, int] = {}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, rest = line.partition(":")
            sizes[name] = int(rest.split()[0]) * 1024
    except (OSError, IndexError):
        return 0, 0, 0
    private = sizes.get("Private_Clean", 0) + sizes.get("Private_Dirty", 0)
    return sizes.get("Pss", 0), private, sizes.get("Anonymous", 0)


def peak_resident(pid: int) -> int:
    """Return the most a process ever had resident, in octets; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def udp_sockets(pid: int, port: int) -> Iterator[socket.socket]:
    """Yield duplicates of the UDP sockets a process tree has bound to a port (pidfd_getfd(2)).

    Raises:
        OSError: the kernel does not allow it.
    """
    inodes = {
        fields[9]
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(f":{port:04X}")
    }
    libc = ctypes.CDLL(None, use_errno=True)
    for member in tree(pid):
        for entry in Path(f"/proc/{member}/fd").iterdir():
            try:
                inode = entry.readlink().name.removeprefix("socket:").strip("[]")
            except FileNotFoundError:
                continue
            if inode not in inodes:
                continue
            pidfd = os.pidfd_open(member)
            found = libc.syscall(PIDFD_GETFD, pidfd, int(entry.name), 0)
            os.close(pidfd)
            if found < 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
            yield socket.socket(fileno=found)


def set_buffers(pid: int, port: int, octets: int) -> list[int]:
    """Give every UDP socket on a port the same buffers; return what the kernel made of it."""
    found = []
    for sock in udp_sockets(pid, port):
        with sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, octets)
            found.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    return found


def wait_until(what: str, deadline_s: float, check: Iterator[bool], every_s: float = 0.01) -> float:
    """Ask until it is so; return the seconds it took.

    Raises:
        TimeoutError: it was not so in time.
    """
    begun = time.monotonic()
    for so in check:
        now = time.monotonic() - begun
        if so:
            return now
        if now > deadline_s:
            break
        time.sleep(every_s)
    raise TimeoutError(f"not within {deadline_s:.0f} s: {what}")
