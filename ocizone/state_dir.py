"""Where the state directory is, and how to speak to the server that owns it.

``--state-dir``, else OCIZONE_STATE_DIR, else systemd's STATE_DIRECTORY, else /var/lib/ocizone
for root and the XDG state directory for everybody else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CONTROL_SOCKET = "control.sock"


def state_dir(given: str | None, environ: Mapping[str, str], *, root: bool) -> Path:
    """Return the state directory, absolute and without links; it need not exist.

    Args:
        given: the value of ``--state-dir``, if any.
        environ: the environment.
        root: whether the process runs as root.
    """
    # systemd gives a list when a unit names several directories; the first is ours.
    systemd = environ.get("STATE_DIRECTORY", "").split(":")[0]
    chosen = given or environ.get("OCIZONE_STATE_DIR") or systemd
    if not chosen and root:
        chosen = "/var/lib/ocizone"
    if not chosen:
        base = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', '.')}/.local/state"
        chosen = f"{base}/ocizone"
    # systemd's DynamicUser makes the directory a link (to private/ocizone), and so do operators
    # who keep state on another disk: the place itself may be one, nothing below it.
    return Path(chosen).resolve()


@contextmanager
def socket_path(directory: Path) -> Iterator[str]:
    """Yield a short path of the control socket, however deep the directory is.

    A socket address holds 108 octets (unix(7)); through the open directory every path fits.

    Raises:
        OSError: the directory does not exist or may not be entered.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{CONTROL_SOCKET}"
    finally:
        os.close(handle)
