"""Telling the service manager how we are (sd_notify(3)): READY, RELOADING, STOPPING, STATUS."""

from __future__ import annotations

import socket
from collections.abc import Mapping


def notify(environ: Mapping[str, str], *assignments: str) -> bool:
    """Send assignments such as ``READY=1`` to NOTIFY_SOCKET.

    Returns:
        Whether there is a service manager and it was told. One that does not listen is no
        reason to stop serving.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # A leading @ is the abstract namespace (unix(7)).
    name = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(assignments).encode(), name)
    except OSError:
        return False
    return True
