"""From an HTTP answer or a requests exception to the one error callers see.

Only error *codes* of the registry's JSON enter a message, never its prose: a hostile registry
could echo our own credentials there.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.registry.strictjson import BadJSONError, read_json

_TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
# Errors in one chain, of requests, urllib3 and http.client; a chain may be a ring.
_CHAIN = 16
_CODE = re.compile(r"[A-Z][A-Z_]{0,63}")


def retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds to wait by a Retry-After header (RFC 9110 10.2.3), never negative."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)


def error_codes(body: bytes) -> tuple[str, ...]:
    """Return the codes of an OCI error body (distribution spec "Error Codes"); () for any other."""
    try:
        document = read_json(body)
    except BadJSONError:
        return ()
    errors = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(errors, list):
        return ()
    codes = (error.get("code") for error in errors if isinstance(error, dict))
    return tuple(code for code in codes if isinstance(code, str) and _CODE.fullmatch(code))[:5]


def status_error(
    where: str, asked: str, status: int, headers: Mapping[str, str], body: bytes, now: float
) -> RegistryError:
    """Return the error for an answer that is not the one asked for.

    Args:
        where: ``host/repository``.
        asked: what was being done, such as ``manifest latest``.
        status: the HTTP status.
        headers: of the answer, looked up without regard to case.
        body: its beginning; may be empty.
        now: seconds since the epoch, for a Retry-After date.
    """
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unknown status"
    codes = ", ".join(error_codes(body))
    said = f"{where}: {asked}: {status} {phrase}" + (f" ({codes})" if codes else "")
    wait_s = retry_after(headers.get("Retry-After"), now)
    if status == HTTPStatus.NOT_FOUND:
        hint = "check the repository and the tag, and that it was pushed"
        return Permanent(f"{said}; {hint}", reason=FetchReason.NOT_FOUND, status=status)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        hint = "check username, password and the rights on this repository"
        return Permanent(f"{said}; {hint}", reason=FetchReason.AUTH, status=status)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        hint = "check the user and the password of the proxy"
        return Permanent(f"{said}; {hint}", reason=FetchReason.AUTH, status=status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked_for = f"; it asks to wait {wait_s:g} s" if wait_s is not None else ""
        return Transient(
            f"{said}{asked_for}",
            reason=FetchReason.RATE_LIMITED,
            status=status,
            retry_after_s=wait_s,
        )
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return Transient(said, reason=FetchReason.TIMEOUT, status=status, retry_after_s=wait_s)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient(said, reason=FetchReason.SERVER, status=status, retry_after_s=wait_s)
    return Permanent(said, reason=FetchReason.PROTOCOL, status=status)


def shown_host(url: str) -> str:
    """Return scheme, host and port of a stranger's URL, which is as much of it as is shown."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        return "something that is no address"
    return ascii(f"{parts.scheme}://{host}{f':{port}' if port else ''}"[:200])


def request_error(where: str, error: Exception) -> RegistryError:
    """Return the error for what requests or urllib3 raised."""
    if isinstance(error, requests.exceptions.SSLError):
        hint = (
            "name its CA (ca_file, --ca-file); for plain HTTP say so (insecure true, --plain-http)"
        )
        return Permanent(f"{where}: TLS: {_root(error)}; {hint}", reason=FetchReason.NETWORK)
    root = _root(error)
    if isinstance(error, _TIMEOUTS) or isinstance(root, _TIMEOUTS):
        return Transient(f"{where}: no answer in time", reason=FetchReason.TIMEOUT)
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader)):
        return Permanent(f"{where}: {root}", reason=FetchReason.PROTOCOL)
    if isinstance(root, (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)):
        return Transient(f"{where}: the answer was cut short", reason=FetchReason.NETWORK)
    return Transient(f"{where}: connection failed: {root}", reason=FetchReason.NETWORK)


def chain(error: BaseException) -> str:
    """Return what a traceback would tell of an error and of those before it."""
    told: list[str] = []
    before: BaseException | None = error
    while before is not None and len(told) < _CHAIN:
        told.append(repr(before))
        before = before.__cause__ or before.__context__
    return " ".join(told)


def _root(error: BaseException) -> BaseException:
    """Return the innermost exception: what the libraries wrapped, three deep, in each other."""
    for _ in range(8):
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error
