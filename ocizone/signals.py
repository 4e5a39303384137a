"""Signals that ask a running server for something: SIGUSR1 reads the Corefile, SIGHUP looks now.

SIGTERM and SIGINT are Twisted's. Not here: what is done (ocizone.app).
"""

from __future__ import annotations

import signal
from typing import Any

from ocizone.app import Application


def obey(reactor: Any, app: Application) -> None:
    """Let SIGUSR1 and SIGHUP act on the reactor's own thread, between other events."""
    for number, act in ((signal.SIGUSR1, app.reload), (signal.SIGHUP, app.refresh)):
        signal.signal(number, lambda *_, act=act: reactor.callFromThread(act))
