"""What is served: blocks and their zones, frozen into one snapshot.

A snapshot is made whole, elsewhere (ocizone.assemble), and swapped by one assignment; a
query sees one snapshot from its first octet to its last. Not here: how a query finds its
block (answer.route) and what it is answered (answer.respond).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ocizone.answer.ixfr import Deltas
from ocizone.plugins.acl import Acl
from ocizone.plugins.bufsize import BufferSize
from ocizone.plugins.chaos import Chaos
from ocizone.plugins.cookies import CookieMode
from ocizone.plugins.loadbalance import LoadBalance
from ocizone.plugins.transfer import Transfer
from ocizone.plugins.tsig import TsigRules
from ocizone.wire.cookie import CookieSecrets
from ocizone.wire.tsig import TsigKey
from ocizone.zone.reader import ZoneReader

Protocol = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Transport:
    """How a query came in.

    Attributes:
        protocol: decides size limits and truncation.
        listener: id of the listening address, a key of Snapshot.listeners.
        client: the sender's address in text form, without brackets or scope.
        client_port: the sender's port.
        received: unix seconds when it did; cookies and TSIG depend on it.
        wall: unix seconds now, for a response that takes a while; None where none can.
    """

    protocol: Protocol
    listener: str
    client: str
    client_port: int
    received: int = 0
    wall: Callable[[], float] | None = field(default=None, compare=False, repr=False)

    @property
    def family(self) -> str:
        """What metrics call the client's address family: "1" is IPv4, "2" IPv6."""
        return "2" if ":" in self.client else "1"

    def now(self) -> int:
        """Return unix seconds; when the query came in where there is no clock."""
        return self.received if self.wall is None else int(self.wall())


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a served version comes from, as texts: what the ``provenance`` directive tells.

    Attributes:
        reference: what is followed.
        digest: of what is served.
        since: when it was activated, RFC 3339 in UTC.
    """

    reference: str
    digest: str
    since: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A zone with a version: answered from it.

    Attributes:
        reader: the version that is served.
        earlier: versions served before, newest first: what IXFR starts from (RFC 1995).
        catalog: it is a catalog: for secondaries alone (RFC 9432 6).
        deltas: what led from them to this one, as far as somebody asked.
        provenance: where it comes from; None where nobody is told.
    """

    reader: ZoneReader
    earlier: tuple[ZoneReader, ...] = ()
    catalog: bool = False
    deltas: Deltas = field(default_factory=Deltas, compare=False, repr=False)
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class NotReady:
    """A configured zone without a version: SERVFAIL with EDE 14 (RFC 8914 4.15)."""

    reason: str


ServedZone = Loaded | NotReady


@dataclass(frozen=True, slots=True)
class Policy:
    """What a block's directives ask of its answers; one field a directive.

    Attributes:
        acl: in order; the first matching rule decides.
        any_hinfo: ANY is answered with HINFO (RFC 8482).
        bufsize: caps what a client may ask for over UDP.
        nsid: the NSID to give when asked, None when the block has no ``nsid`` (RFC 5001).
        chaos: the CH TXT names, None when the block has no ``chaos``.
        hostname: this server's name, for ``chaos`` and ``nsid`` defaults.
        minimal: leave out authority and additional where a client does not need them.
        loadbalance: rotate A, AAAA and MX.
        whoami: answer every query with who asked.
        cookies: whether DNS cookies are answered, and wrong ones over UDP are an error.
        tsig: what must be signed, in which zones; None when nothing must.
        transfer: who may have zones whole, and whom to notify.
        provenance: ``artifact.APEX`` in class CH tells where a zone comes from.
    """

    acl: tuple[Acl, ...] = ()
    any_hinfo: bool = False
    bufsize: BufferSize | None = None
    nsid: bytes | None = None
    chaos: Chaos | None = None
    hostname: str = ""
    minimal: bool = False
    loadbalance: LoadBalance | None = None
    whoami: bool = False
    cookies: CookieMode = "on"
    tsig: TsigRules | None = None
    transfer: tuple[Transfer, ...] = ()
    provenance: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One server block as it is served.

    Attributes:
        name: its view id, ``dns://example.org.:53``; stable across restarts.
        keys: the zones of its key line, lower-case wire names.
        policy: what its directives ask.
        zones: by apex, lower-case wire name.
        pending: why the set of zones is not known yet (a source without a first version);
            then a name in no known zone is SERVFAIL with EDE 14, not REFUSED.
    """

    name: str
    keys: tuple[bytes, ...]
    policy: Policy = field(default_factory=Policy)
    zones: Mapping[bytes, ServedZone] = field(default_factory=dict)
    pending: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything that is served at one moment.

    Attributes:
        generation: rises by one with each swap; for logs and tests.
        listeners: for each listener id, its blocks by key zone (lower-case wire name).
        keys: every TSIG key, by name; which one may ask what is its blocks' to say.
        cookies: what DNS cookies are made with; None when nobody gets any.
    """

    generation: int
    listeners: Mapping[str, Mapping[bytes, Block]]
    keys: Mapping[bytes, TsigKey] = field(default_factory=dict)
    cookies: CookieSecrets | None = None

    @property
    def blocks(self) -> dict[str, Block]:
        """Each block once, by name; one may stand under several keys and listeners."""
        return {
            block.name: block for by_key in self.listeners.values() for block in by_key.values()
        }
