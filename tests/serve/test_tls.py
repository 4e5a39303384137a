"""DNS over TLS on a string transport: handshakes, their limits, and how connections end."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.lab.certificates import CertificateAuthority
from ocizone.plugins.tls import ClientAuth, Tls
from ocizone.serve.certificate import Identity, read_identity
from ocizone.serve.gate import TcpGate
from ocizone.serve.identities import Cell
from ocizone.serve.outgoing import Outgoing
from ocizone.serve.tcp import TcpFactory
from ocizone.serve.turns import Turns
from tests.certificates import named
from tests.rounds import RoundClock

NAME = "ns1.example.org"


class Wire(StringTransport):
    def setTcpNoDelay(self, enabled: bool) -> None:
        pass


@dataclass
class Site:
    """One TLS address whose answers are in capitals; ``*`` is answered with 50 messages."""

    directory: Path
    authority: CertificateAuthority = field(init=False)
    cell: Cell = field(init=False)

    def __post_init__(self) -> None:
        self.authority = CertificateAuthority(self.directory)
        self.cell = Cell(identity(self.issue()))
        self.clock = RoundClock()
        self.dropped: list[str] = []
        self.gate = TcpGate(dropped=self.dropped.append)
        self.seen: list[Transport] = []
        tcp = TcpFactory(
            self.clock,
            Turns(self.clock),
            self.gate,
            "tls://127.0.0.1:853",
            self.answer,
            wall=lambda: 0.0,
            protocol_name="tls",
        )
        self.factory = TLSMemoryBIOFactory(self.cell, False, tcp, self.clock)

    def issue(
        self,
        authorities: Path | None = None,
        client_auth: ClientAuth = "nocert",
        keylog: Path | None = None,
    ) -> Tls:
        return named(*self.authority.issue(NAME), authorities, client_auth, keylog)

    def answer(self, packet: bytes, transport: Transport) -> bytes | Outgoing | None:
        self.seen.append(transport)
        if packet == b"*":
            messages = iter([b"%04d" % number for number in range(50)])
            return Outgoing(
                messages, ended=lambda _: None, on_bug=lambda: None, seconds=lambda: 0.0
            )
        return packet.upper()


def identity(tls: Tls) -> Identity:
    found = read_identity(tls)
    assert found is not None
    return found


class Client:
    """A TLS client; its octets go to and fro in ``pump``."""

    def __init__(
        self,
        site: Site,
        context: ssl.SSLContext | None = None,
        host: int = 1,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self.site = site
        address = IPv4Address("TCP", f"192.0.2.{host}", 4242)
        server = site.factory.buildProtocol(address)
        assert server is not None
        self.server = server
        self.transport = Wire(peerAddress=address)
        self.server.makeConnection(self.transport)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or trusting(site)).wrap_bio(
            self._incoming, self._outgoing, server_hostname=NAME, session=session
        )

    def pump(self) -> None:
        sent = self._outgoing.read()
        if sent:
            self.server.dataReceived(sent)
        self.site.clock.advance(0)
        self._incoming.write(self.transport.value())
        self.transport.clear()

    def shake(self) -> None:
        """Do the handshake."""
        for _ in range(4):
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.pump()
            else:
                self.pump()
                return
        raise AssertionError("no handshake")

    def send(self, *packets: bytes) -> None:
        self.tls.write(b"".join(len(one).to_bytes(2, "big") + one for one in packets))
        self.pump()

    def received(self) -> list[bytes]:
        data, found = b"", []
        for _ in range(200):
            self.pump()
            try:
                data += self.tls.read(100_000)
            except ssl.SSLWantReadError:
                continue
        while data:
            size = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + size])
            data = data[2 + size :]
        return found

    @property
    def serial(self) -> int:
        found = self.tls.getpeercert()
        assert found is not None
        return int(str(found["serialNumber"]), 16)

    @property
    def closed(self) -> bool:
        return self.transport.disconnected or self.transport.disconnecting

    def lose(self, error: type[Exception] = ConnectionDone) -> None:
        self.server.connectionLost(Failure(error()))


def trusting(site: Site) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(site.authority.ca_file))


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_queries_are_answered_over_tls(site, version):
    """RFC 7858 3.3: framed as over TCP; the pipeline learns that it is TLS."""
    context = trusting(site)
    context.minimum_version = context.maximum_version = version
    client = Client(site, context)
    client.shake()
    client.send(b"one", b"two")
    assert client.received() == [b"ONE", b"TWO"]
    where = Transport("tls", "tls://127.0.0.1:853", "192.0.2.1", 4242)
    assert site.seen == [where, where]
    assert client.tls.compression() is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_old_versions_are_refused(site):
    """RFC 8996: TLS 1.0 and 1.1 are over; the client hears why."""
    context = trusting(site)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    client = Client(site, context)
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        client.shake()
    assert client.closed


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["dot"], "dot"), (["h2", "dot"], "dot"), (["h2"], None), ([], None)]
)
def test_alpn(site, offered, chosen):
    """RFC 7858 3.1, RFC 9103 7.1: ``dot`` when offered; who offers others is served all the same."""
    context = trusting(site)
    if offered:
        context.set_alpn_protocols(offered)
    client = Client(site, context)
    client.shake()
    assert client.tls.selected_alpn_protocol() == chosen


def test_forward_secrecy(site):
    """RFC 9325 4.2: no key exchange by the certificate's own key, no CBC."""
    context = trusting(site)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError):
        Client(site, context).shake()


def test_a_new_certificate_is_for_new_connections(site):
    """The old connection goes on; a stream across the change is whole."""
    old = Client(site)
    old.shake()
    before = old.serial
    old.send(b"*")
    site.cell.identity = identity(site.issue())
    new = Client(site)
    new.shake()
    new.send(b"new")
    assert new.serial != before
    assert new.received() == [b"NEW"]
    assert len(old.received()) == 50
    old.send(b"old")
    assert old.received() == [b"OLD"]


def test_a_slow_handshake_ends(site):
    """An octet now and then buys no time; it is counted."""
    client = Client(site)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.do_handshake()
    for octet in client._outgoing.read(20):
        client.server.dataReceived(bytes((octet,)))
        site.clock.advance(limits.TLS_HANDSHAKE_S / 10)
    assert client.closed
    client.lose()
    assert site.dropped == ["tls: no handshake"]
    assert not site.gate


def test_after_the_handshake_the_first_query_has_its_time(site):
    """TCP_FIRST_OCTET_S again, and no more."""
    client = Client(site)
    site.clock.advance(limits.TLS_HANDSHAKE_S - 0.5)
    client.shake()
    site.clock.advance(limits.TCP_FIRST_OCTET_S - 0.1)
    assert not client.closed
    site.clock.advance(0.2)
    client.pump()
    assert client.tls.read(1) == b""
    client.lose()
    assert site.dropped == []


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x1d\xab\xcd\x01\x00\x00\x01" + bytes(22),
        bytes(range(256)) * 4,
        b"\x16\x03\x01\xff\xff" + b"\x01" * 500,
    ],
    ids=["http", "plain dns", "noise", "half a hello"],
)
def test_what_is_no_client_hello(site, octets):
    """Quiet, bounded and counted: anybody can connect to a port."""
    client = Client(site)
    client.server.dataReceived(octets)
    site.clock.advance(0)
    site.clock.advance(limits.TLS_HANDSHAKE_S + 0.1)
    assert client.closed
    client.lose()
    assert site.dropped == ["tls: no handshake"]
    assert site.seen == []
    assert site.clock.getDelayedCalls() == []


def test_who_is_not_admitted_costs_no_handshake(site):
    """The gate decides when TCP connects; nothing is sent, nothing computed."""
    for _ in range(limits.TCP_CONNECTIONS_PER_CLIENT):
        Client(site)
    client = Client(site)
    assert client.closed
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.do_handshake()
    client.pump()
    assert client._incoming.pending == 0
    assert site.dropped == ["tcp: too many of one client"]
    other = Client(site, host=2)
    other.shake()
    assert not other.closed


@pytest.mark.parametrize("error", [ConnectionDone, ConnectionLost])
def test_a_client_that_goes_without_a_word(site, error):
    """No close_notify: as common as one, and nothing to tell."""
    client = Client(site)
    client.shake()
    client.send(b"x")
    client.lose(error)
    assert not site.gate
    assert site.dropped == []
    site.clock.advance(0)
    assert site.clock.getDelayedCalls() == []


def test_close_notify_is_answered(site):
    """RFC 8446 6.1: both sides end in order."""
    client = Client(site)
    client.shake()
    client.send(b"x")
    assert client.received() == [b"X"]
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    client.pump()
    client.tls.unwrap()
    assert client.closed


def test_the_server_ends_in_order(site):
    """Stopping says close_notify, so that no client takes it for a cut cable (RFC 8446 6.1)."""
    client = Client(site)
    client.shake()
    client.send(b"x")
    assert client.received() == [b"X"]
    site.gate.close_all()
    client.pump()
    # Without it the end would be one that is not there yet: SSLWantReadError.
    assert client.tls.read(1) == b""


def test_many_queries_and_a_slow_reader(site):
    """Flow control reaches through TLS: what is not read is not made."""
    client = Client(site)
    client.shake()
    client.send(*[b"%d" % number for number in range(500)])
    assert len(client.received()) == 500
    assert client.transport.producer is not None
    client.send(b"*")
    client.transport.producer.pauseProducing()
    client.pump()
    before = len(client.received())
    client.transport.producer.resumeProducing()
    assert before < 50
    assert before + len(client.received()) == 50


def test_renegotiation_is_refused(site):
    """CVE-2011-1473, CVE-2009-3555: a client must not make us compute at will."""
    options = site.cell.identity.context.set_options(0)
    assert options & SSL.OP_NO_RENEGOTIATION
    assert options & SSL.OP_NO_COMPRESSION


# --- Clients with certificates ----------------------------------------------------------------


def with_certificate(site: Site, authority: CertificateAuthority) -> ssl.SSLContext:
    context = trusting(site)
    context.load_cert_chain(*authority.issue("secondary.example.org"))
    return context


def admitted(site: Site, context: ssl.SSLContext) -> bool:
    """Tell whether a client is answered; under TLS 1.3 it hears of a refusal after its handshake."""
    client = Client(site, context)
    try:
        client.shake()
        client.send(b"x")
        answered = client.received() == [b"X"]
    except ssl.SSLError:
        answered = False
    client.lose()
    return answered


@pytest.mark.parametrize(
    ("client_auth", "expected"),
    [
        ("nocert", (True, True, True)),
        ("request", (True, True, True)),
        ("require", (False, True, True)),
        ("verify_if_given", (True, False, True)),
        ("require_and_verify", (False, False, True)),
    ],
)
def test_client_auth(site, tmp_path, client_auth, expected):
    """Without a certificate, with a stranger's, with one of ours; the names are Go's."""
    (tmp_path / "stranger").mkdir()
    stranger = CertificateAuthority(tmp_path / "stranger")
    site.cell.identity = identity(site.issue(site.authority.ca_file, client_auth))
    clients = (
        trusting(site),
        with_certificate(site, stranger),
        with_certificate(site, site.authority),
    )
    assert tuple(admitted(site, client) for client in clients) == expected


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_of_a_verified_client_can_be_resumed(site, version):
    """RFC 7858 3.4; without an id for our sessions OpenSSL would break off here."""
    site.cell.identity = identity(site.issue(site.authority.ca_file, "require_and_verify"))
    context = with_certificate(site, site.authority)
    context.minimum_version = context.maximum_version = version
    first = Client(site, context)
    first.shake()
    first.send(b"x")
    assert first.received() == [b"X"]
    second = Client(site, context, session=first.tls.session)
    second.shake()
    second.send(b"y")
    assert second.received() == [b"Y"]
    assert second.tls.session_reused


def test_a_key_log_lets_wireshark_read_along(site, tmp_path):
    """One line a secret, in a file nobody else may read."""
    keylog = tmp_path / "keys.log"
    site.cell.identity = identity(site.issue(keylog=keylog))
    Client(site).shake()
    assert "CLIENT_TRAFFIC_SECRET_0 " in keylog.read_text()
    assert keylog.stat().st_mode & 0o777 == 0o600
