"""twisted.names as an authoritative server: ``python twistednames.py PORT FILE``.

dnspython reads the file, since twisted.names' own reader knows few forms; what answers is
twisted.names alone, over UDP and TCP, without cache and without log.
"""

from __future__ import annotations

import sys
from typing import Any

import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.zone
from twisted.internet import reactor as installed
from twisted.names import authority, server
from twisted.names import dns as names


class Loaded(authority.FileAuthority):
    """The authority of one zone, whose file begins with $ORIGIN."""

    soa: Any
    records: Any

    def loadFile(self, filename: str) -> None:  # noqa: N802  # Twisted's name
        zone = dns.zone.from_file(filename, relativize=False)
        self.records = {}
        for name, ttl, rdata in zone.iterate_rdatas():
            record = made(rdata, ttl)
            owner = name.to_text(omit_final_dot=True).lower().encode()
            self.records.setdefault(owner, []).append(record)
            if rdata.rdtype == dns.rdatatype.SOA:
                self.soa = (owner, record)


def made(rdata: dns.rdata.Rdata, ttl: int) -> object:
    """Return a record as twisted.names has it."""
    kind = dns.rdatatype.to_text(rdata.rdtype)
    if isinstance(rdata, dns.rdtypes.ANY.TXT.TXT):
        return names.Record_TXT(*rdata.strings, ttl=ttl)
    words = [word.strip('"') for word in rdata.to_text().rstrip(".").split()]
    values: list[str | int] = [int(w) if w.isdigit() else w.rstrip(".") for w in words]
    return getattr(names, f"Record_{kind}")(*values, ttl=ttl)


def main(port: int, path: str) -> None:
    # Their interfaces are not annotated.
    reactor: Any = installed
    loaded: Any = Loaded
    factory = server.DNSServerFactory(authorities=[loaded(path)])
    factory.noisy = False
    protocol = names.DNSDatagramProtocol(factory)
    protocol.noisy = False
    reactor.listenUDP(port, protocol, "127.0.0.1", maxPacketSize=1232)
    reactor.listenTCP(port, factory, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
