"""Programs of this host, and pages in a browser on it."""

from __future__ import annotations

import pytest

from ocizone.admin.origin import from_loopback, is_loopback, names_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("LocalHost.", True), ("x.localhost", True), ("127.0.0.1", True),
        ("127.255.1.2", True), ("::1", True), ("", False), ("localhosts", False),
        ("xlocalhost", False), ("128.0.0.1", False), ("0.0.0.0", False), ("::", False),
        ("127.1", False), ("2130706433", False), ("127.0.0.1.example", False),
    ],
)  # fmt: skip
def test_names_and_addresses_of_loopback(host: str, expected: bool):
    """RFC 6761 6.3 and RFC 1122 3.2.1.3; no address in another notation."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("header", "host", "origin"),
    [
        ("", True, True), ("localhost:80", True, False), ("[::1]:80", True, False),
        ("http://localhost:80", False, True), ("https://[::1]", False, True),
        ("null", False, False), ("[::1", False, False),
        ("a@localhost", True, False), ("localhost@a", False, False),
    ],
)  # fmt: skip
def test_headers(header: str, host: bool, origin: bool):
    """With a port, or none; what cannot be read is nobody's of here."""
    assert names_loopback(header) is host
    assert from_loopback(header) is origin
