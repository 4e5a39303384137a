"""``twistd ocizone``: options and service for Twisted's runner, which brings log and signals."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.application.service import Service
from twisted.internet import reactor
from twisted.python import usage

from ocizone.app import Application
from ocizone.app import Options as AppOptions
from ocizone.corefile.load import load
from ocizone.errors import ConfigError
from ocizone.observe.lines import LineWriter
from ocizone.process import raise_file_limit, use_steady_clock
from ocizone.signals import obey
from ocizone.state_dir import state_dir


class Options(usage.Options):
    """The options of ``twistd ocizone``."""

    optParameters = [  # noqa: RUF012, N815 - usage.Options reads it from the class
        ["corefile", "c", "Corefile", "What to serve and follow."],
        ["state-dir", None, None, "Where versions are kept."],
        ["port", "p", 53, "Port of keys that name none.", int],
    ]


def makeService(options: Options) -> Service:  # noqa: N802 - the name twistd looks for
    """Return the server as a service.

    Raises:
        usage.UsageError: the Corefile is wrong; twistd shows it and ends.
    """
    try:
        load(
            options["corefile"],
            environ=os.environ,
            default_port=options["port"],
            cwd=str(Path.cwd()),
        )
    except ConfigError as error:
        raise usage.UsageError(str(error)) from error
    use_steady_clock(reactor)
    app = Application(
        reactor,
        AppOptions(
            corefile=options["corefile"],
            state_dir=state_dir(options["state-dir"], os.environ, root=os.geteuid() == 0),
            port=options["port"],
            descriptors=raise_file_limit(),
        ),
        os.environ,
        query_line=LineWriter(sys.stdout).write,
    )
    obey(reactor, app)
    return app
