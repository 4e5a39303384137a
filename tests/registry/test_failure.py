"""From answers and exceptions to errors: reasons, statuses, waits, and no secrets."""

from __future__ import annotations

import pytest
import requests

from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.registry.failure import error_codes, request_error, retry_after, status_error

# Sat, 21 Nov 2026 00:00:00 GMT
NOW = 1_795_219_200.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("9" * 400, 999_999_999.0),
        ("Sat, 21 Nov 2026 00:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 00:01:30 -0000", 90.0),
        ("Fri, 20 Nov 2026 00:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """RFC 9110 10.2.3: seconds or a date, never negative; nonsense is no wish."""
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"secret"}]}', ("MANIFEST_UNKNOWN",)),
        (b'{"errors":[{"code":"A"},{"code":"B"}]}', ("A", "B")),
        (b'{"errors":[{"code":"lower"},{"code":7},{},"x"]}', ()),
        (b'{"errors":{"code":"A"}}', ()),
        (b"[]", ()),
        (b"404 page not found\n", ()),
        (b"", ()),
        (b'{"errors":[' + b",".join([b'{"code":"A"}'] * 50) + b"]}", ("A",) * 5),
    ],
)
def test_error_codes(body: bytes, codes: tuple[str, ...]) -> None:
    """Codes only, a few; prose never."""
    assert error_codes(body) == codes


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, Permanent, FetchReason.PROTOCOL),
        (401, Permanent, FetchReason.AUTH),
        (403, Permanent, FetchReason.AUTH),
        (404, Permanent, FetchReason.NOT_FOUND),
        (405, Permanent, FetchReason.PROTOCOL),
        (408, Transient, FetchReason.TIMEOUT),
        (302, Permanent, FetchReason.PROTOCOL),
        (429, Transient, FetchReason.RATE_LIMITED),
        (500, Transient, FetchReason.SERVER),
        (503, Transient, FetchReason.SERVER),
        (599, Transient, FetchReason.SERVER),
        (204, Permanent, FetchReason.PROTOCOL),
    ],
)
def test_status(status: int, kind: type[Exception], reason: FetchReason) -> None:
    error = status_error(
        "reg.example/zones", "tag v1", status, {"Retry-After": "7"}, b"canary-body", NOW
    )
    assert type(error) is kind
    assert error.reason is reason
    assert error.status == status
    assert str(error).startswith(f"reg.example/zones: tag v1: {status} ")
    assert "canary" not in str(error)
    assert error.retry_after_s == (7.0 if kind is Transient else None)


@pytest.mark.parametrize(
    ("raised", "kind", "reason"),
    [
        (requests.ReadTimeout("x"), Transient, FetchReason.TIMEOUT),
        (requests.ConnectionError(TimeoutError("x")), Transient, FetchReason.TIMEOUT),
        (requests.ConnectionError("x"), Transient, FetchReason.NETWORK),
        (requests.exceptions.SSLError("x"), Permanent, FetchReason.NETWORK),
        (requests.exceptions.InvalidURL("x"), Permanent, FetchReason.PROTOCOL),
        (ConnectionResetError(104, "reset"), Transient, FetchReason.NETWORK),
    ],
)
def test_exceptions(raised: Exception, kind: type[Exception], reason: FetchReason) -> None:
    error = request_error("reg.example/zones", raised)
    assert type(error) is kind
    assert error.reason is reason
