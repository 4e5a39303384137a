"""Drive a server with dnsperf, and account for the processor time it took.

Two kinds of runs: as much as goes (queries per CPU second), and a steady rate with the latency of
every query (``dnsperf -v``; dnsperf before 2.11 has no histogram). Not here: ratios (ratios).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.processes import Cpu, Process, environment

_FIELDS = {
    "sent": r"Queries sent:\s+(\d+)",
    "completed": r"Queries completed:\s+(\d+)",
    "lost": r"Queries lost:\s+(\d+)",
    "seconds": r"Run time \(s\):\s+([\d.]+)",
}
_RCODES = re.compile(r"Response codes:\s+(.*)")
_SIZE = re.compile(r"Average packet size:\s+request \d+, response (\d+)")
_LATENCY = re.compile(r"^> (?:NOERROR|NXDOMAIN) .* (\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counts:
    """What dnsperf counted.

    Attributes:
        sent, completed, lost: queries.
        seconds: of the run.
        rcodes: answers by response code.
        octets: mean size of a response.
    """

    sent: int
    completed: int
    lost: int
    seconds: float
    rcodes: dict[str, int] = field(default_factory=dict)
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Drive:
    """How dnsperf is run.

    Attributes:
        core: dnsperf's.
        clients: sockets or connections.
        outstanding: queries at one time.
        buffer_kib: of each socket, both ways.
    """

    core: int
    clients: int = 8
    outstanding: int = 200
    buffer_kib: int = 1024

    def command(
        self, port: int, file: Path, seconds: float, *, tcp: bool, dnssec: bool, rate: int = 0
    ) -> list[str]:
        """Return the command line; ``rate`` 0 is as much as goes.

        The file is gone through once: what is not to repeat does not. Every query has EDNS, as
        those of resolvers have.
        """
        binary = shutil.which("dnsperf") or "/usr/bin/dnsperf"
        return [
            "taskset", "-c", str(self.core), binary, "-s", "127.0.0.1", "-p", str(port),
            "-d", str(file), "-n", "1", "-c", str(self.clients), "-T", "1",
            "-q", str(self.outstanding), "-b", str(self.buffer_kib), "-l", f"{seconds:g}", "-t", "2",
            *(["-m", "tcp"] if tcp else []), "-D" if dnssec else "-e",
            *(["-Q", str(rate), "-v"] if rate else []),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saturated:
    """One run at full speed: what was counted, and what it cost the server."""

    counts: Counts
    cpu: Cpu

    @property
    def per_cpu_second(self) -> float:
        """Queries answered per second of the server's processor time."""
        return self.counts.completed / self.cpu.total

    def raw(self) -> dict[str, object]:
        """Return it for JSON."""
        answered = self.counts.completed
        return {
            **asdict(self.counts),
            "cpu_user_s": round(self.cpu.user, 3),
            "cpu_system_s": round(self.cpu.system, 3),
            "per_cpu_second": round(self.per_cpu_second),
            "per_second": round(answered / self.counts.seconds),
            "user_us": round(self.cpu.user * 1e6 / answered, 3),
            "system_us": round(self.cpu.system * 1e6 / answered, 3),
        }


def parse(text: str) -> Counts:
    """Read dnsperf's statistics.

    Raises:
        ValueError: they are not there.
    """
    values: dict[str, float] = {}
    for name, pattern in _FIELDS.items():
        found = re.search(pattern, text)
        if found is None:
            raise ValueError(f"dnsperf printed no {name}:\n{text[-2000:]}")
        values[name] = float(found[1])
    codes = _RCODES.search(text)
    size = _SIZE.search(text)
    return Counts(
        int(values["sent"]), int(values["completed"]), int(values["lost"]), values["seconds"],
        {word: int(count) for word, count in re.findall(r"(\w+) (\d+) \(", codes[1])}
        if codes else {},
        int(size[1]) if size else 0,
    )  # fmt: skip


def parse_latencies(text: str) -> list[float]:
    """Return the latencies of answered queries in seconds, ascending."""
    return sorted(float(value) for value in _LATENCY.findall(text))


def percentile(ascending: list[float], share: float) -> float:
    """Return the value below which that share lies (nearest rank)."""
    if not ascending:
        raise ValueError("no values")
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]


def saturate(server: Process, command: list[str]) -> Saturated:
    """Run dnsperf to its end; account for the server's processor time meanwhile."""
    before = server.cpu()
    text = run(command)
    return Saturated(parse(text), server.cpu() - before)


def run(command: list[str]) -> str:
    """Run dnsperf; return what it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment({}), timeout=600
    )
    return done.stdout
