"""One question at a time: which version of a zone is served."""

from __future__ import annotations

import socket

import dns.message

ASK_S = 0.02


def version_of(port: int, origin: str) -> int:
    """Return the number in the TXT record of ``version.ORIGIN``; 0 for no such answer."""
    query = dns.message.make_query(f"version.{origin}", "TXT").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ASK_S)
        sock.connect(("127.0.0.1", port))
        try:
            sock.send(query)
            reply = sock.recv(4096)
        except OSError:
            return 0
    # Without NOERROR or without an answer it is not there (RFC 1035 section 4.1.1).
    if reply[3] & 15 or reply[6:8] == b"\0\0":
        return 0
    (rrset,) = dns.message.from_wire(reply).answer
    return int(rrset[0].to_text().strip('"'))
