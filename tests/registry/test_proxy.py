"""An explicit proxy: tunnels and absolute forms, deadlines through it, its password to it alone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.lab import Access, LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.lab.proxy import LabProxy
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.dialer import Dialer
from ocizone.registry.proxy import BadProxyError, Proxy, read_proxy
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"
USER = "proxyuser:canary-proxy"


@pytest.fixture
def proxy() -> Iterator[LabProxy]:
    with LabProxy(USER) as lab:
        yield lab


@pytest.fixture
def tls_registry(certificate_authority: CertificateAuthority) -> Iterator[LabRegistry]:
    context = certificate_authority.server_context("127.0.0.1", "registry.example")
    with LabRegistry(ssl_context=context) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        yield lab


def client_of(host: str, proxy: str, ca: CertificateAuthority | None = None) -> Client:
    client = Client(
        Reference(host, REPOSITORY, "v1", None),
        insecure=ca is None,
        ca_file=str(ca.ca_file) if ca else None,
        proxy=proxy,
    )
    client.start_attempt(20)
    return client


def failing(
    kind: type[RegistryError], reason: FetchReason, match: str = ""
) -> pytest.RaisesExc[RegistryError]:
    return pytest.RaisesExc(kind, match=match or None, check=lambda error: error.reason is reason)


# --- Addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128)),
        ("http://proxy.example:3128/", Proxy("proxy.example", 3128)),
        ("http://proxy.example", Proxy("proxy.example", 80)),
        ("http://[2001:db8::1]:3128", Proxy("2001:db8::1", 3128)),
        ("http://u:p%40ss@h:1", Proxy("h", 1, "Basic dTpwQHNz")),
        ("http://u@h:1", Proxy("h", 1, "Basic dTo=")),
    ],
)
def test_addresses(text: str, wanted: Proxy) -> None:
    assert read_proxy(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["proxy:3128", "https://u:canary@h:1", "http://u:canary@", "http://h:1/x", "http://h:canary",
     "http://h:1?canary", "http://h:1#canary", "http://[::1", "socks5://h:1", "", "http://h:99999"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    """The message quotes nothing: a password may stand anywhere in what is written wrong."""
    with pytest.raises(BadProxyError) as caught:
        read_proxy(text)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_proxy_shows_no_password() -> None:
    proxy = read_proxy(f"http://{USER}@h:1")
    assert proxy.authorization
    assert proxy.authorization not in repr(proxy)
    assert str(proxy) == "h:1"


def test_a_bad_address_is_an_error_of_the_request() -> None:
    """Making a client stops nothing."""
    client = client_of("registry.example", "https://u:canary@h:1")
    with failing(Permanent, FetchReason.PROTOCOL, "http://") as caught:
        client.resolve()
    assert "canary" not in str(caught.value)


# --- Through it ------------------------------------------------------------------------------


def test_tls_goes_through_a_tunnel(
    proxy: LabProxy, tls_registry: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """The proxy sees one name; the registry does not see the proxy's password. One connection."""
    client = client_of(tls_registry.host, f"http://{USER}@{proxy.host}", certificate_authority)
    digest = client.resolve().digest
    assert client.manifest(digest).digest == digest
    assert proxy.requests == [f"CONNECT {tls_registry.host} HTTP/1.1"]
    assert proxy.seen == [proxy.wanted]
    assert all("proxy-authorization" not in one.headers for one in tls_registry.requests)


def test_names_are_looked_up_by_the_proxy(
    proxy: LabProxy, tls_registry: LabRegistry, certificate_authority: CertificateAuthority
) -> None:
    """A machine behind a proxy often has no other way to know the address."""
    host = f"registry.example:{tls_registry.port}"
    client = client_of(host, f"http://{USER}@{proxy.host}", certificate_authority)
    assert client.resolve().digest
    assert proxy.requests == [f"CONNECT {host} HTTP/1.1"]


def test_plain_http_is_asked_for_whole(proxy: LabProxy, lab_registry: LabRegistry) -> None:
    """RFC 9112 3.2.2: absolute-form; the password stops at the proxy."""
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    client = client_of(lab_registry.host, f"http://{USER}@{proxy.host}")
    assert client.small(client.manifest(client.resolve().digest).layers[0], 10) == b"zone"
    assert proxy.requests[0] == (
        f"HEAD http://{lab_registry.host}/v2/{REPOSITORY}/manifests/v1 HTTP/1.1"
    )
    assert proxy.seen == [proxy.wanted] * 3
    assert all("proxy-authorization" not in one.headers for one in lab_registry.requests)


def test_no_password_no_header(lab_registry: LabRegistry) -> None:
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    with LabProxy() as proxy:
        client_of(lab_registry.host, f"http://{proxy.host}").resolve()
        assert proxy.seen == [""]


def test_the_environment_names_no_proxy(
    proxy: LabProxy, lab_registry: LabRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{proxy.host}")
    client_of(lab_registry.host, "").resolve()
    assert proxy.requests == []


def test_token_services_are_reached_through_it(proxy: LabProxy) -> None:
    with LabRegistry(access=Access.BEARER) as lab:
        lab.push_files(REPOSITORY, "v1", {"db": b"zone"})
        client_of(lab.host, f"http://{USER}@{proxy.host}").resolve()
    assert len(proxy.requests) == 3
    assert "/token?" in proxy.requests[1]


# --- What goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [True, False])
def test_wrong_password(
    proxy: LabProxy,
    tls_registry: LabRegistry,
    certificate_authority: CertificateAuthority,
    tls: bool,
) -> None:
    ca = certificate_authority if tls else None
    client = client_of(tls_registry.host, f"http://u:canary-wrong@{proxy.host}", ca)
    with failing(Permanent, FetchReason.AUTH, "password of the proxy") as caught:
        client.resolve()
    assert "canary" not in str(caught.value)
    assert tls_registry.requests == []


def test_dead_proxy(free_tcp_port: int) -> None:
    """The proxy is named, not the registry behind it."""
    with failing(Transient, FetchReason.NETWORK, f"cannot connect to 127.0.0.1:{free_tcp_port}"):
        client_of("registry.example", f"http://u:canary@127.0.0.1:{free_tcp_port}").resolve()


@pytest.fixture
def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Transient, FetchReason.NETWORK),
        (b"HTTP/1.0 403 Forbidden\r\nX: y\r\n\r\n", Permanent, FetchReason.NETWORK),
        (b"SSH-2.0-x\r\n\r\n", Permanent, FetchReason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n\r\nsurprise", Permanent, FetchReason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n", Permanent, FetchReason.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: y", Transient, FetchReason.NETWORK),
        (b"", Transient, FetchReason.NETWORK),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * limits.PROXY_HEAD_OCTETS, Permanent,
         FetchReason.PROTOCOL),
    ],
)  # fmt: skip
def test_odd_answers_to_connect(
    proxy: LabProxy,
    certificate_authority: CertificateAuthority,
    answer: bytes,
    kind: type[RegistryError],
    reason: FetchReason,
) -> None:
    proxy.connect = answer
    client = client_of("registry.example", f"http://{proxy.host}", certificate_authority)
    with failing(kind, reason):
        client.resolve()


def test_forbidden_addresses_stay_forbidden(lab_registry: LabRegistry, proxy: LabProxy) -> None:
    """A metadata service is not reached through the proxy either."""
    dialer = Dialer(Attempt("here"), "here", "registry.example", read_proxy(f"http://{proxy.host}"))
    for host in ("169.254.169.254", "[fd00:ec2::254]", "127.0.0.1"):
        with failing(Permanent, FetchReason.PROTOCOL):
            dialer.dial(host, 80, tunnel=True)
    assert proxy.requests == []


def test_home_at_an_address(lab_registry: LabRegistry, proxy: LabProxy) -> None:
    """The registry itself may be anywhere, and then loopback may name loopback."""
    dialer = Dialer(Attempt("here"), "here", "127.0.0.1", read_proxy(f"http://{USER}@{proxy.host}"))
    for _ in range(2):
        dialer.dial("127.0.0.1", lab_registry.port, tunnel=True).close()
    dialer.dial("[::1]", lab_registry.port).close()


# --- Deadlines -------------------------------------------------------------------------------


@pytest.fixture
def silent() -> Iterator[tuple[str, Callable[[bytes], None]]]:
    """A proxy that says what it is told, an octet each 50 ms, for ever."""
    stop, text = threading.Event(), [b""]

    def serve(listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            at = 0
            while not stop.wait(0.05):
                if text[0]:
                    sock.send(text[0][at % len(text[0]) :][:1])
                    at += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", lambda said: text.__setitem__(0, said)
        stop.set()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX: "])
@pytest.mark.parametrize("end", ["deadline", "abort"])
def test_a_slow_proxy_is_bounded(
    silent: tuple[str, Callable[[bytes], None]],
    certificate_authority: CertificateAuthority,
    said: bytes,
    end: str,
) -> None:
    """The attempt's deadline and abort hold before there is any TLS."""
    host, say = silent
    say(said)
    client = client_of("registry.example", f"http://{host}", certificate_authority)
    client.start_attempt(0.5 if end == "deadline" else 20)
    if end == "abort":
        threading.Timer(0.2, client.abort).start()
    start = time.monotonic()
    with pytest.raises(Transient):
        client.resolve()
    assert time.monotonic() - start < 1.5


def test_certificates_are_checked_through_it(
    proxy: LabProxy, tls_registry: LabRegistry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A tunnel is no trust: the certificate is the registry's to show."""
    other = CertificateAuthority(tmp_path_factory.mktemp("other"))
    client = client_of(tls_registry.host, f"http://{USER}@{proxy.host}", other)
    with failing(Permanent, FetchReason.NETWORK, "TLS"):
        client.resolve()
