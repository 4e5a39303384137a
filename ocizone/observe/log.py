"""Log events as lines: time, level, event, fields; one line each, whatever the fields hold.

``log.info("artifact activated", source=..., digest=...)`` through twisted.logger becomes
``2026-11-21T10:00:00Z INFO  artifact activated source=... digest=...``. Not here: the
query log of the ``log`` directive (observe.querylog).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
)
from zope.interface import implementer

from ocizone.observe.lines import LAST_LINES_S, LineWriter
from ocizone.observe.printable import printable

_SHOWN = {
    LogLevel.debug: "DEBUG",
    LogLevel.info: "INFO ",
    LogLevel.warn: "WARN ",
    LogLevel.error: "ERROR",
    LogLevel.critical: "ERROR",
}


def line_of(event: LogEvent) -> list[str]:
    """Return an event's lines: one, and those of its traceback when it carries a failure."""
    when = datetime.fromtimestamp(event["log_time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    level = _SHOWN.get(event.get("log_level", LogLevel.info), "INFO ")
    head = f"{when} {level} {_message(event)}"
    failure = event.get("log_failure")
    trace = failure.getTraceback().splitlines() if failure is not None else []
    return [head, *(f"{when} {level} | {printable(line)}" for line in trace)]


def _message(event: LogEvent) -> str:
    template = event.get("log_format")
    if template is None:
        text = event.get("log_text") or event.get("format") or " ".join(event.get("message", ()))
        return printable(str(text))
    if "{" in template:
        # An event of Twisted itself: its format names its fields.
        return printable(_formatted(template, event))
    fields = [
        f"{name}={_value(value)}"
        for name, value in event.items()
        if not name.startswith("log_") and name not in _LEGACY and value not in (None, "")
    ]
    return printable(" ".join([template, *fields]))


#: Keys twisted.logger adds for twisted.python.log.
_LEGACY = frozenset({"message", "time", "system", "format", "isError"})


def _formatted(template: str, event: LogEvent) -> str:
    from twisted.logger import formatEvent  # noqa: PLC0415 - only for Twisted's own events

    return formatEvent(event) or template


def _value(value: Any) -> str:
    r"""Return a field's value, quoted where it could be read as more than one field."""
    text = str(value)
    if not any(char.isspace() or char == '"' for char in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@implementer(ILogObserver)
class LineObserver:
    """Turns events into lines for ``write``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def __call__(self, event: LogEvent) -> None:
        """Write one event."""
        for line in line_of(event):
            self._write(line)


def twistd() -> ILogObserver:
    """Return the observer of ``twistd --logger ocizone.observe.log.twistd``: lines on stderr.

    Twisted's own text observer would show events without their fields.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it: twistd has by now

    lines = LineWriter(sys.stderr)
    # twistd ends itself by a signal: nothing at exit would run.
    reactor.addSystemEventTrigger("after", "shutdown", lines.close, LAST_LINES_S)
    return observer(lines.write, debug=False)


def observer(write: Callable[[str], None], *, debug: bool) -> ILogObserver:
    """Return an observer that writes events at INFO and above, or all of them."""
    level = LogLevel.debug if debug else LogLevel.info
    wanted = LogLevelFilterPredicate(level)
    # Twisted tells of every port it opens and closes; we say it in our words.
    for namespace in ("twisted", "log_legacy"):
        wanted.setLogLevelForNamespace(namespace, LogLevel.warn)
    kept: ILogObserver = FilteringLogObserver(LineObserver(write), [wanted])
    return kept
