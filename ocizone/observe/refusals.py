"""Tell the operator of transfers and signatures that were refused: a secondary set up wrongly.

One line for a client, a zone and a reason in a while, and so many lines in all: what strangers
send must not fill a disk. Not here: counting (counters), and the query log (lines).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply
from ocizone.wire.codes import (
    BADKEY,
    BADSIG,
    BADTIME,
    BADTRUNC,
    NOTAUTH,
    REFUSED,
    TYPE_AXFR,
    TYPE_IXFR,
)
from ocizone.wire.name import to_text
from ocizone.wire.tsig import last_tsig

log = Logger(namespace="ocizone")

_ERRORS = {
    BADKEY: "BADKEY: no such key here, or with another algorithm",
    BADSIG: "BADSIG: another secret",
    BADTIME: "BADTIME: its clock is off",
    BADTRUNC: "BADTRUNC: a shortened signature",
}


class RefusalLog:
    """Sees replies that refuse something, and tells of those a secondary would care for."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Make it.

        Args:
            seconds: monotonic.
        """
        self._seconds = seconds
        self._since = float("-inf")
        self._told: set[tuple[str, bytes, str]] = set()
        self._untold = 0

    def __call__(self, reply: Reply, transport: Transport) -> None:
        """Log one refused transfer or signature, unless the like was told just now."""
        reason = _reason(reply)
        if reason is None or reply.query is None:
            return
        now = self._seconds()
        if now - self._since >= limits.REFUSALS_QUIET_S:
            if self._untold:
                log.warn("more was refused than is told of", times=self._untold)
            self._since, self._untold = now, 0
            self._told.clear()
        told = (transport.client, reply.query.name, reason)
        if told in self._told:
            return
        if len(self._told) == limits.REFUSALS_TOLD:
            self._untold += 1
            return
        self._told.add(told)
        log.warn(
            "refused",
            client=transport.client,
            protocol=transport.protocol,
            name=to_text(reply.query.name),
            reason=reason,
        )


def _reason(reply: Reply) -> str | None:
    """Return why a signature, or a transfer of a zone of ours, was refused; None for the rest."""
    query = reply.query
    assert query is not None
    if reply.rcode == NOTAUTH and query.tsig is not None:
        tsig = last_tsig(reply.wire)
        if tsig is not None and tsig.error in _ERRORS:
            return f"{_ERRORS[tsig.error]} ({to_text(query.tsig.key)})"
    if reply.block is None or query.qtype not in (TYPE_AXFR, TYPE_IXFR):
        return None
    if reply.rcode == REFUSED:
        signed = "unsigned" if query.tsig is None else f"signed by {to_text(query.tsig.key)}"
        return f"transfer not permitted, {signed}"
    return "transfer of what is no zone here" if reply.rcode == NOTAUTH else None
