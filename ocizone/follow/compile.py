"""Run the compiler in a child process: the serving process never parses a zone.

The child (``python -m ocizone.compiler``) reads a CompileSpec from stdin and writes a
CompileReport to stdout. It gets no secrets: its environment is made here. It is killed when it
takes too long, says too much, or is not wanted any more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.compiler.spec import CompareSpec, CompileReport, CompileSpec
from ocizone.errors import CompilerError
from ocizone.follow.pool import Pool

# Of what the child says on stderr, the end is kept: a traceback's last lines say what happened.
_STDERR_OCTETS: Final = 8 * limits.KIB


class ChildCompiler:
    """Compiles in children, a few at a time; an instance is a ``Compile``."""

    def __init__(
        self,
        processes: IReactorProcess,
        clock: IReactorTime,
        parsing: Pool,
        environment: Mapping[str, str],
        command: tuple[str, ...] = (sys.executable, "-P", "-m", "ocizone.compiler"),
    ) -> None:
        """Make it.

        Args:
            processes: starts children.
            clock: ends those that take too long.
            parsing: reads reports: one of 100,000 zones takes longer than a query may wait.
            environment: of the child; see ocizone.process.
            command: program and arguments of the child; this process's number is added.
        """
        self._processes = processes
        self._clock = clock
        self._parsing = parsing
        self._environment = dict(environment)
        self._command = command
        self._turns = DeferredSemaphore(limits.COMPILE_CHILDREN)

    def __call__(self, spec: CompileSpec | CompareSpec) -> Deferred[CompileReport]:
        """Compile; cancelling the Deferred kills the child.

        The Deferred fails with CompilerError when the child dies, is killed, takes longer than
        limits.COMPILE_S or reports nonsense.
        """
        return Deferred.fromCoroutine(self._compile(spec))

    async def _compile(self, spec: CompileSpec | CompareSpec) -> CompileReport:
        async with self._turns:
            child = _Child(spec.to_json().encode(), self._clock)
            try:
                # Our number, when it starts: a daemon's differs from that of who made it.
                command = (*self._command, str(os.getpid()))
                self._processes.spawnProcess(child, command[0], command, env=self._environment)
            except OSError as error:
                raise CompilerError(f"cannot start the compiler: {error}") from error
            report = await child.finished
        try:
            return await self._parsing.call(lambda: CompileReport.from_json(report.decode()))
        except (ValueError, KeyError, TypeError) as error:
            raise CompilerError(f"the compiler's report makes no sense: {error!r}") from error


class _Child(ProcessProtocol):
    """One child; ``finished`` fires with its report's bytes."""

    def __init__(self, spec: bytes, clock: IReactorTime) -> None:
        self.finished: Deferred[bytes] = Deferred(lambda _: self._kill())
        self._spec = spec
        self._clock = clock
        self._report: list[bytes] = []
        self._octets = 0
        self._stderr = b""
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self._timer = self._clock.callLater(
            limits.COMPILE_S, self._give_up, f"took longer than {limits.COMPILE_S:.0f} s"
        )
        assert self.transport is not None
        self.transport.write(self._spec)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._octets += len(data)
        if self._octets > limits.COMPILE_REPORT_OCTETS:
            self._give_up(f"reported more than {limits.COMPILE_REPORT_OCTETS} octets")
        else:
            self._report.append(data)

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._stderr = (self._stderr + data)[-_STDERR_OCTETS:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.finished.called:
            return
        if isinstance(reason.value, ProcessDone):
            self.finished.callback(b"".join(self._report))
        else:
            said = self._stderr.decode("utf-8", "replace").strip()
            self._fail(f"{reason.getErrorMessage()} {said}".strip())

    def _give_up(self, why: str) -> None:
        self._kill()
        self._fail(why)

    def _kill(self) -> None:
        self._report.clear()
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def _fail(self, why: str) -> None:
        if not self.finished.called:
            self.finished.errback(CompilerError(f"the compiler failed: {why}"))
