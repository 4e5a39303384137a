"""The certificates of the open addresses, and taking up changed ones without a restart.

A connection keeps the context it began with; so replacing the one of its address drops nobody.
Files that cannot be used change nothing (design section 1, invariant 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IOpenSSLServerConnectionCreator, IReactorTime
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from ocizone.endpoint import Endpoint
from ocizone.errors import ConfigError, Problem, Severity
from ocizone.limits import TLS_EXPIRES_SOON_S, TLS_LOOK_S
from ocizone.plugins.tls import Tls
from ocizone.serve.certificate import CertificateError, Identity, Material, read_identity

log = Logger(namespace="ocizone")

#: Runs work in a thread; the Deferred is of what it returns or raises.
InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]

_DAY_S = 86_400.0
#: What one look found: a new identity, why there is none, or None for nothing new.
_Looked = dict[Tls, Identity | CertificateError | None]


@implementer(IOpenSSLServerConnectionCreator)
class Cell:
    """What new connections of one address are served with."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def serverConnectionForTLS(  # noqa: N802 - the interface
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: ARG002, N803 - as above
    ) -> SSL.Connection:
        """Return the TLS side of a new connection."""
        return SSL.Connection(self.identity.context, None)


class Identities:
    """Reads certificates, hands them to addresses, and watches their files."""

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        in_thread: InThread,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Make it; nothing is read.

        Args:
            clock: for looking again.
            wall: unix seconds.
            in_thread: runs what reads files.
            on_change: told when changed files were taken up.
        """
        self._on_change = on_change
        self._clock = clock
        self._wall = wall
        self._in_thread = in_thread
        self._wanted: dict[Endpoint, Tls] = {}
        self._cells: dict[Endpoint, Cell] = {}
        self._complaints: dict[Tls, str] = {}
        self._warned: dict[str, float] = {}
        self._timer: IDelayedCall | None = None
        self._looking = False

    @staticmethod
    def read(wanted: Mapping[Endpoint, Tls]) -> dict[Tls, Identity]:
        """Return what the files of these directives hold; each is read once.

        Raises:
            ConfigError: with every one that cannot be used, at its place in the Corefile.
        """
        found: dict[Tls, Identity] = {}
        problems = []
        for tls in dict.fromkeys(wanted.values()):
            try:
                identity = read_identity(tls)
                assert identity is not None
                found[tls] = identity
            except CertificateError as error:
                at = tls.position
                problems.append(
                    Problem(
                        *(at.file, at.line, 0, Severity.ERROR, "tls-certificate"),
                        f"plugin/tls: {error}",
                        error.hint,
                    )
                )
        if problems:
            raise ConfigError(problems)
        return found

    def move_to(self, wanted: Mapping[Endpoint, Tls], identities: Mapping[Tls, Identity]) -> None:
        """Serve these addresses with what ``read`` returned, and watch their files."""
        self._wanted = dict(wanted)
        self._complaints.clear()
        kept, self._cells = self._cells, {}
        for endpoint, tls in wanted.items():
            # An open address holds on to its cell.
            cell = self._cells[endpoint] = kept.get(endpoint) or Cell(identities[tls])
            cell.identity = identities[tls]
            self._tell(tls, cell.identity)
        self._schedule()

    def cell(self, endpoint: Endpoint) -> Cell:
        """Return what serves an address; it stays the same while its content changes."""
        return self._cells[endpoint]

    @property
    def materials(self) -> dict[Endpoint, tuple[Tls, Material]]:
        """What each address is served with: its directive, and what the files held."""
        return {at: (tls, self._cells[at].identity.material) for at, tls in self._wanted.items()}

    @property
    def expiries(self) -> dict[str, float]:
        """Until when the certificate of each address is good, unix seconds."""
        return {str(at): cell.identity.not_after for at, cell in self._cells.items()}

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Take up files that changed; in a thread, for a disk may take its time."""
        self._schedule()
        if self._looking or not self._wanted:
            return
        self._looking = True
        known = {tls: self._cells[at].identity.digest for at, tls in self._wanted.items()}
        looked = self._in_thread(lambda: {tls: _attempt(tls, known[tls]) for tls in known})
        looked.addCallback(self._looked).addErrback(self._broken)

    def _looked(self, found: _Looked) -> None:
        self._looking = False
        for endpoint, tls in self._wanted.items():
            # A reload meanwhile may want files that this look did not read.
            new = found.get(tls)
            cell = self._cells[endpoint]
            if isinstance(new, Identity):
                cell.identity = new
                log.info("certificate taken up", endpoint=str(endpoint), serial=new.serial)
            self._tell(tls, cell.identity)
        if any(isinstance(one, Identity) for one in found.values()):
            self._on_change()
        for tls, one in found.items():
            if not isinstance(one, CertificateError):
                self._complaints.pop(tls, None)
            elif self._complaints.get(tls) != str(one):
                # Once, not every half minute.
                self._complaints[tls] = str(one)
                log.error("certificate not taken up, the old one stays", error=str(one))

    def _broken(self, failure: Failure) -> None:
        """Tell of a bug, and look again next time."""
        self._looking = False
        log.failure("bug while looking at certificates", failure)

    def _schedule(self) -> None:
        self.stop()
        if self._wanted:
            self._timer = self._clock.callLater(TLS_LOOK_S, self._due)

    def _due(self) -> None:
        self._timer = None
        self.look()

    def _tell(self, tls: Tls, identity: Identity) -> None:
        """Warn of a certificate that clients refuse now or soon; once a day."""
        now = self._wall()
        left = identity.not_after - now
        if identity.not_before <= now and left >= TLS_EXPIRES_SOON_S:
            return
        self._warned = {one: at for one, at in self._warned.items() if now - at < _DAY_S}
        if identity.serial in self._warned:
            return
        self._warned[identity.serial] = now
        if left < 0:
            what = "certificate has expired"
        elif identity.not_before > now:
            what = "certificate is not valid yet"
        else:
            what = "certificate expires soon"
        log.warn(what, file=tls.certificate, days=f"{left / _DAY_S:.1f}", subject=identity.subject)


def _attempt(tls: Tls, known: bytes) -> Identity | CertificateError | None:
    try:
        return read_identity(tls, known)
    except CertificateError as error:
        return error
