"""Deadlines, look-ups and addresses, below HTTP."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import LabRegistry
from ocizone.lab.faults import Fault
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.dialer import Dialer
from ocizone.registry.reference import Reference
from ocizone.registry.route import tls_context
from ocizone.registry.sharing import Sharing
from ocizone.registry.transport import warnings_in


def test_remaining_counts_down() -> None:
    """By the injected clock; a new start gives new time and forgets an abort."""
    moment = [100.0]
    attempt = Attempt("here", lambda: moment[0])
    assert attempt.remaining(15) == 15
    attempt.start(10)
    assert attempt.remaining(15) == 10
    moment[0] += 7
    assert attempt.remaining(15) == 3
    moment[0] += 3
    with pytest.raises(Transient, match="10 s") as caught:
        attempt.remaining(15)
    assert caught.value.reason is FetchReason.TIMEOUT
    attempt.abort()
    with pytest.raises(Transient, match="stopped"):
        attempt.remaining(15)
    attempt.start(1)
    assert attempt.remaining(15) == 1


@pytest.fixture
def slow_lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A name service that does not answer until told."""
    answer = threading.Event()

    def lookup(*args: object, **kwargs: object) -> list[object]:
        answer.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield answer
    answer.set()


def test_lookup_is_bounded(slow_lookup: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up can block for half a minute; nothing waits longer than CONNECT_S for it."""
    monkeypatch.setattr(limits, "CONNECT_S", 0.4)
    client = Client(Reference("registry.example", "x", "v1", None), insecure=True)
    start = time.monotonic()
    with pytest.raises(Transient, match="look-up") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.TIMEOUT
    assert time.monotonic() - start < 2


def test_abort_ends_a_lookup(slow_lookup: threading.Event) -> None:
    client = Client(Reference("registry.example", "x", "v1", None), insecure=True)
    timer = threading.Timer(0.2, client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    assert time.monotonic() - start < 1.2
    timer.join()


@pytest.fixture
def full_listener() -> Iterator[int]:
    """A port whose queue is full: connecting to it gets no answer at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            waiting.append(sock)
        yield int(listener.getsockname()[1])
        for sock in waiting:
            sock.close()


def test_connecting_is_bounded(full_listener: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECT_S", 0.4)
    client = Client(Reference(f"127.0.0.1:{full_listener}", "x", "v1", None), insecure=True)
    start = time.monotonic()
    with pytest.raises(Transient, match="cannot connect") as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.TIMEOUT
    assert time.monotonic() - start < 2


def test_abort_ends_connecting(full_listener: int) -> None:
    client = Client(Reference(f"127.0.0.1:{full_listener}", "x", "v1", None), insecure=True)
    timer = threading.Timer(0.2, client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        client.resolve()
    assert time.monotonic() - start < 1.2
    timer.join()


def dialer_at(home: str) -> Dialer:
    return Dialer(Attempt("here"), "here", home)


FORBIDDEN = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "fd00:ec2::254",
    "100.100.100.200",
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_rebinding(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """DNS rebinding: the address is checked where it is used, whatever the name."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(family, socket.SOCK_STREAM, 6, "", (address, port))],
    )
    with pytest.raises(Permanent, match=r"evil\.example") as caught:
        dialer_at("registry.example").dial("evil.example", 443)
    assert caught.value.reason is FetchReason.PROTOCOL


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.1", "fd12::7", "203.0.113.9"])
def test_private_networks_are_fine(address: str) -> None:
    """oras-go #1246: registries and token services inside a cluster."""
    dialer_at("registry.example")._check_foreign("auth.example", ipaddress.ip_address(address))


def test_home_may_be_anywhere(lab_registry: LabRegistry) -> None:
    """The operator named the registry: its address is not judged, and loopback may name loopback."""
    dialer = dialer_at("127.0.0.1")
    dialer.dial("127.0.0.1", lab_registry.port).close()
    dialer.dial("localhost", lab_registry.port).close()
    assert dialer.opened == 2


def test_second_address_is_tried(
    monkeypatch: pytest.MonkeyPatch, lab_registry: LabRegistry
) -> None:
    """A dead address before a live one."""
    stream = socket.SOCK_STREAM
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [
            (socket.AF_INET, stream, 6, "", ("127.0.0.1", 1)),
            (socket.AF_INET, stream, 6, "", ("127.0.0.1", port)),
        ],
    )
    dialer_at("registry.example").dial("registry.example", lab_registry.port).close()


def test_trickling_headers_end_at_the_deadline() -> None:
    """An octet of header a time never completes a line; only the socket sees the clock."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def trickle() -> None:
            sock, _ = listener.accept()
            with sock:
                while not stop.wait(0.05):
                    sock.send(b"H")

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        client = Client(Reference(host, "x", "v1", None), insecure=True)
        client.start_attempt(0.5)
        start = time.monotonic()
        with pytest.raises(Transient) as caught:
            client.resolve()
        assert caught.value.reason is FetchReason.TIMEOUT
        assert time.monotonic() - start < 1.5
        stop.set()
        client.close()
        thread.join()


def test_without_system_cas_certifi_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim container has no CA directory."""
    nowhere = ssl.DefaultVerifyPaths(None, None, "", "", "", "")  # type: ignore[arg-type]  # as CPython does
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    assert tls_context("here", None).cert_store_stats()["x509_ca"] > 50


def test_plain_http_loads_no_ca(lab_registry: LabRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 0.1 s of loading them is spent at the first https connection only."""
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: pytest.fail("loaded"))
    lab_registry.push_files("x", "v1", {"db": b"zone"})
    client = Client(Reference(lab_registry.host, "x", "v1", None), insecure=True)
    client.resolve()


def test_deadline_between_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second address is tried when the time is over."""
    moment = [0.0]
    attempt = Attempt("here", lambda: moment[0])
    attempt.start(1)

    def lookup(host: str, port: int, **_: object) -> list[object]:
        moment[0] = 2.0
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(Transient) as caught:
        Dialer(attempt, "here", "registry.example").dial("registry.example", 1)
    assert caught.value.reason is FetchReason.TIMEOUT


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ('299 - "pulls without a login end in March"', ["pulls without a login end in March"]),
        ('299 - "one", 299 - "two"', ["one", "two"]),
        ('299 - "a, b"', ["a, b"]),
        ('199 - "not for people"', []),
        ('299 proxy.test "of somebody else"', []),
        ("299 - unquoted", []),
        ("", []),
        (", ".join(['299 - "x"'] * 9), ["x", "x", "x"]),
        (f'299 - "{"x" * 999}"', ["x" * 120]),
    ],
)
def test_what_a_registry_warns_of(header: str, texts: list[str]):
    """Distribution spec "Warnings": code 299, agent -, a quoted text; few, and short."""
    assert warnings_in(header) == texts


def test_warnings_are_told(lab_registry: LabRegistry):
    """With the host that wants them read."""
    told: list[tuple[str, str]] = []
    reference = Reference(f"127.0.0.1:{lab_registry.port}", "dns/zones", "prod", None)
    heard = Sharing(on_warning=lambda host, text: told.append((host, text)))
    client = Client(reference, insecure=True, sharing=heard)
    warning: dict[str, str | None] = {"Warning": '299 - "soon gone"'}
    lab_registry.faults.add(Fault("manifest", status=404, body=b"", headers=warning))
    with pytest.raises(Permanent):
        client.resolve()
    client.close()
    assert told == [(f"127.0.0.1:{lab_registry.port}", "soon gone")]
