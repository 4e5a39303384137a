"""The compiler child as its parent sees it: spec in, report out, and every way to fail."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.compiler.spec import CompileReport, CompileSpec
from ocizone.errors import CompilerError
from ocizone.follow.compile import ChildCompiler
from ocizone.process import child_environment
from tests.fakes.following import SyncPool

SPEC = CompileSpec("r.test/zones:prod", (), (), "/tree", "/image")
REPORT = CompileReport(image_sha256="ab", image_octets=1)


class FakeTransport:
    """A child: what was written to it, and which signals it got."""

    pid = 7

    def __init__(self) -> None:
        self.stdin = b""
        self.closed = False
        self.signals: list[str] = []
        self.gone = False

    def write(self, data: bytes) -> None:
        self.stdin += data

    def closeStdin(self) -> None:
        self.closed = True

    def signalProcess(self, signal: str) -> None:
        if self.gone:
            raise ProcessExitedAlready
        self.signals.append(signal)


class FakeProcesses:
    """Starts fake children."""

    def __init__(self) -> None:
        self.children: list[tuple[ProcessProtocol, FakeTransport]] = []
        self.commands: list[tuple[str, ...]] = []
        self.environments: list[dict[str, str]] = []
        self.broken = False

    def spawnProcess(
        self,
        protocol: Any,
        executable: Any,
        args: Any = (),
        env: Any = None,
        **_: object,
    ) -> Any:
        if self.broken:
            raise OSError(11, "Resource temporarily unavailable")
        self.commands.append(tuple(args))
        self.environments.append(env)
        transport = FakeTransport()
        self.children.append((protocol, transport))
        protocol.makeConnection(transport)
        return transport


class Bench:
    """A compiler with its fakes."""

    def __init__(self) -> None:
        self.processes = FakeProcesses()
        self.clock = Clock()
        # They have the part of the interfaces that the compiler uses, not the rest.
        self.reactor = cast("IReactorProcess", self.processes)
        self.compiler = ChildCompiler(
            self.reactor, self.clock, SyncPool(), {"PATH": "/bin"}, ("python", "-c", "x")
        )
        self.reports: list[CompileReport] = []
        self.failures: list[BaseException] = []

    def start(self) -> Deferred[None]:
        running = self.compiler(SPEC)
        return running.addCallbacks(
            self.reports.append, lambda failure: self.failures.append(failure.value)
        )

    def end(self, child: int, output: bytes, *, code: int = 0, stderr: bytes = b"") -> None:
        protocol, transport = self.processes.children[child]
        transport.gone = True
        protocol.outReceived(output)
        protocol.errReceived(stderr)
        why = ProcessTerminated(code) if code else ProcessDone(0)
        protocol.processEnded(Failure(why))

    @property
    def failure(self) -> str:
        """The message of the one failure, which must be a CompilerError."""
        (error,) = self.failures
        assert isinstance(error, CompilerError)
        return str(error)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_spec_in_report_out(bench: Bench) -> None:
    """The spec goes to stdin, which is closed; the report comes from stdout."""
    bench.start()
    _, transport = bench.processes.children[0]
    assert CompileSpec.from_json(transport.stdin.decode()) == SPEC
    assert transport.closed
    bench.end(0, REPORT.to_json().encode())
    assert bench.reports == [REPORT]
    assert bench.clock.getDelayedCalls() == []
    assert bench.processes.environments == [{"PATH": "/bin"}]


def test_death_tells_the_end_of_stderr(bench: Bench) -> None:
    """The last words of a child that died are in the error; megabytes before are not."""
    bench.start()
    bench.end(0, b"", code=1, stderr=b"x" * 100_000 + b"MemoryError\n")
    assert bench.failure.endswith("xMemoryError")
    assert "exit code 1" in bench.failure
    assert len(bench.failure) < 10 * limits.KIB


@pytest.mark.parametrize("output", [b"", b"{", b"[]", b'{"problems": 7}', b"\xff", b"null"])
def test_nonsense_is_a_compiler_error(bench: Bench, output: bytes) -> None:
    """A report that is none is the compiler's failure, not a bug of the follower."""
    bench.start()
    bench.end(0, output)
    assert "makes no sense" in bench.failure


def test_report_is_capped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that says too much is killed."""
    monkeypatch.setattr(limits, "COMPILE_REPORT_OCTETS", 10)
    bench.start()
    protocol, transport = bench.processes.children[0]
    protocol.outReceived(b"x" * 11)
    assert "more than 10 octets" in bench.failure
    assert transport.signals == ["KILL"]
    protocol.outReceived(b"more")
    protocol.processEnded(Failure(ProcessTerminated(signal=9)))
    assert len(bench.failures) == 1


def test_time_is_capped(bench: Bench) -> None:
    """A child that takes longer than COMPILE_S is killed."""
    bench.start()
    bench.clock.advance(limits.COMPILE_S - 1)
    assert bench.failures == []
    bench.clock.advance(1)
    assert "took longer" in bench.failure
    assert bench.processes.children[0][1].signals == ["KILL"]


def test_cancel_kills(bench: Bench) -> None:
    """Cancelling fires at once and kills the child."""
    running = bench.start()
    running.cancel()
    assert [type(error) for error in bench.failures] == [CancelledError]
    assert bench.processes.children[0][1].signals == ["KILL"]
    bench.end(0, b"", code=9)
    assert bench.clock.getDelayedCalls() == []


def test_cancel_of_an_ended_child(bench: Bench) -> None:
    """A child that ended a moment ago cannot be killed, and need not be."""
    running = bench.start()
    bench.processes.children[0][1].gone = True
    running.cancel()
    assert [type(error) for error in bench.failures] == [CancelledError]


def test_children_are_few(bench: Bench) -> None:
    """No more than COMPILE_CHILDREN at once; the next one begins when one has ended."""
    for _ in range(limits.COMPILE_CHILDREN + 1):
        bench.start()
    assert len(bench.processes.children) == limits.COMPILE_CHILDREN
    bench.end(0, REPORT.to_json().encode())
    assert len(bench.processes.children) == limits.COMPILE_CHILDREN + 1


def test_child_that_cannot_start(bench: Bench) -> None:
    """No process left is a failure of this compilation, and frees its turn."""
    bench.processes.broken = True
    for _ in range(limits.COMPILE_CHILDREN + 1):
        bench.start()
    assert len(bench.failures) == limits.COMPILE_CHILDREN + 1
    assert "cannot start the compiler" in str(bench.failures[0])


def test_environment_has_no_secrets() -> None:
    """Only what a Python needs is passed on, and where this package is."""
    own = {"PATH": "/bin", "LANG": "C", "REGISTRY_PASSWORD": "s3cret", "PYTHONPATH": "/a:/b"}
    made = child_environment(own)
    assert "s3cret" not in json.dumps(made)
    assert made["PATH"] == "/bin"
    package, *others = made["PYTHONPATH"].split(":")
    assert Path(package, "ocizone", "__init__.py").is_file()
    assert others == ["/a", "/b"]


def test_command_is_this_python(bench: Bench) -> None:
    """By default the child is this interpreter, and never takes modules from where it starts."""
    compiler = ChildCompiler(bench.reactor, bench.clock, SyncPool(), {})
    compiler(SPEC)
    assert bench.processes.commands == [
        (sys.executable, "-P", "-m", "ocizone.compiler", str(os.getpid()))
    ]
