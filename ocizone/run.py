"""Running the server in the foreground: log, reactor, signals, exit status.

Imported by ``ocizone serve`` only: importing it installs the reactor. Not here: what runs
(ocizone.app).
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import reactor as _installed
from twisted.logger import globalLogBeginner

from ocizone.app import Application, Options
from ocizone.cli.exit_codes import Exit, exit_code_of
from ocizone.errors import OcizoneError
from ocizone.observe.lines import LAST_LINES_S, LineWriter
from ocizone.observe.log import observer
from ocizone.process import keep_for_good, raise_file_limit, share_one_heap, use_steady_clock
from ocizone.signals import obey
from ocizone.state_dir import state_dir

#: The module stands for the reactor it installed.
reactor: Any = _installed


def run(corefile: str, directory: str | None, port: int, *, user: str | None, debug: bool) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    share_one_heap()
    lines = LineWriter(sys.stderr)
    queries = LineWriter(sys.stdout)
    globalLogBeginner.beginLoggingTo(
        [observer(lines.write, debug=debug)], redirectStandardIO=False, discardBuffer=True
    )
    use_steady_clock(reactor)
    options = Options(
        corefile=corefile,
        state_dir=state_dir(directory, os.environ, root=os.geteuid() == 0),
        port=port,
        descriptors=raise_file_limit(),
        user=user,
        debug=debug,
    )
    app = Application(reactor, options, os.environ, query_line=queries.write)
    try:
        app.startService()
    except (OcizoneError, OSError) as error:
        lines.close(LAST_LINES_S)
        sys.stderr.write(f"{error}\n")
        return exit_code_of(error) if isinstance(error, OcizoneError) else Exit.FAILED
    reactor.addSystemEventTrigger("before", "shutdown", app.stopService)
    obey(reactor, app)
    keep_for_good()
    reactor.run()
    lines.close(LAST_LINES_S)
    queries.close(LAST_LINES_S)
    return Exit.OK
