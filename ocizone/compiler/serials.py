"""Which serial a zone gets: ``serial keep|auto|unixtime`` (RFC 1982).

A function of the file, of what is deployed now and of the time, so that compiling a deployed
revision once more, with its own record as what is deployed, gives the same serial.
"""

from __future__ import annotations

from typing import assert_never

from ocizone.compiler.spec import BaseZone, SerialRule
from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.build import soa_numbers
from ocizone.zone.content import Content
from ocizone.zone.serial import following, newer


def serial_for(
    rule: SerialRule, written: int, content: str, base: BaseZone | None, now: int
) -> int:
    """Return the serial to serve.

    Args:
        rule: of the view.
        written: serial in the file.
        content: hash of the zone without its serial.
        base: the zone as it is deployed now, if it is.
        now: unix seconds.
    """
    changed = base is None or base.content != content
    match rule:
        case "keep":
            return written
        case "auto":
            if base is None or newer(written, base.serial):
                return written
            return following(base.serial) if changed else base.serial
        case "unixtime":
            if base is None:
                return now % 2**32 or 1
            if not changed:
                return base.serial
            next_one = following(base.serial)
            return now % 2**32 if newer(now % 2**32, next_one) else next_one
        case _:
            assert_never(rule)


def written_serial(content: Content) -> int:
    """Return the serial of a zone's SOA; it has one."""
    return soa_numbers(_soa(content))[0]


def _soa(content: Content) -> bytes:
    return next(one.rdata for one in content.names[b""] if one.rrtype == TYPE_SOA)


def set_serial(content: Content, serial: int) -> None:
    """Write a serial into a zone's SOA."""
    content.names[b""] = [
        record._replace(rdata=record.rdata[:-20] + serial.to_bytes(4) + record.rdata[-16:])
        if record.rrtype == TYPE_SOA
        else record
        for record in content.names[b""]
    ]
