"""Zones as another server gives them away: AXFR over TCP (RFC 5936), with TSIG when asked.

Blocking, and without checks: what is compared is what that server serves, sound or not.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.name
import dns.query
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone

from ocizone.corefile.directive import BadArgumentError
from ocizone.errors import FetchReason, Problem, Severity, Transient, ZoneError
from ocizone.findings import Findings
from ocizone.limits import TRANSFER_IN_S
from ocizone.plugins.tsig import read_named_conf
from ocizone.sides import Transferred
from ocizone.wire import name as names
from ocizone.wire.tsig import TsigKey
from ocizone.zone.build import nsec3_nodes, zone_info, zone_nodes
from ocizone.zone.content import gather
from ocizone.zone.reader import DictZone, ZoneReader
from ocizone.zone.record import Record


def transfer(side: Transferred, apex: bytes, key: TsigKey | None) -> ZoneReader:
    """Return a zone as a server gives it away.

    Args:
        side: the server.
        apex: lower-case wire name.
        key: that the request is signed with, or None.

    Raises:
        Transient: the server does not answer, or does not let us.
        ZoneError: what it sent is no zone.
    """
    zone = dns.zone.Zone(dns.name.from_wire(apex, 0)[0], relativize=False)
    what = f"AXFR of {names.to_text(apex)} from {side.host}:{side.port}"
    try:
        (_, _, _, _, address) = socket.getaddrinfo(side.host, side.port, type=socket.SOCK_STREAM)[0]
        query, _ = dns.xfr.make_query(zone, keyring=_keyring(key))
        dns.query.inbound_xfr(
            str(address[0]),
            zone,
            query,
            port=side.port,
            timeout=TRANSFER_IN_S,
            lifetime=TRANSFER_IN_S,
        )
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as error:
        said = str(error) or type(error).__name__
        raise Transient(f"{what}: {said}", reason=FetchReason.NETWORK) from error
    findings = Findings()
    content = gather(_records(zone, what), apex, findings)
    if findings.refused or not any(one.rrtype == dns.rdatatype.SOA for one in content.names[b""]):
        problem = Problem(what, 0, 0, Severity.ERROR, "transfer", "it is no whole zone")
        raise ZoneError([*findings.problems(), problem])
    nodes, hashed = dict(zone_nodes(content)), dict(nsec3_nodes(content))
    return DictZone(zone_info(content, what), nodes, hashed)


def read_key(file: Path) -> TsigKey:
    """Return the key of a file in named.conf's form, as tsig-keygen writes it.

    Raises:
        ZoneError: it holds no key, or several.
    """
    try:
        keys = list(read_named_conf(file.read_text(encoding="utf-8")))
    except (BadArgumentError, UnicodeDecodeError) as error:
        raise ZoneError(
            [Problem(str(file), 0, 0, Severity.ERROR, "tsig-key", str(error))]
        ) from error
    if len(keys) != 1:
        message = f"{len(keys)} keys; one is wanted"
        raise ZoneError([Problem(str(file), 0, 0, Severity.ERROR, "tsig-key", message)])
    return keys[0]


def _keyring(key: TsigKey | None) -> Any:
    if key is None:
        return None
    name = dns.name.from_wire(key.name, 0)[0]
    algorithm = dns.name.from_wire(key.algorithm, 0)[0]
    return {name: dns.tsig.Key(name, key.secret, algorithm)}


def _records(zone: dns.zone.Zone, what: str) -> Iterator[Record]:
    for name, ttl, rdata in zone.iterate_rdatas():
        owner = name.to_wire()
        wire = rdata.to_wire()
        assert owner is not None  # to_wire() without a file gives octets
        assert wire is not None  # as above
        yield Record(owner, int(rdata.rdtype), ttl, wire, what, 0, 0)
