"""Blobs: streamed to a file or to memory, size and digest verified, redirects judged.

Not here: manifests (client.py) and who may have our credentials (auth.py, calls.py).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import requests

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, StoreError, Transient
from ocizone.registry import body
from ocizone.registry.calls import Calls
from ocizone.registry.manifest import Descriptor, is_digest

_REDIRECTS = (301, 302, 303, 307, 308)


def fetch(calls: Calls, blob: Descriptor, destination: Path) -> None:
    """Stream a blob into a new file; see Client.fetch."""
    response = _open(calls, blob, limits.BLOB_OCTETS)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(destination, flags, 0o600), "wb", buffering=0)
    except OSError as error:
        response.close()
        raise StoreError(f"{destination}: {error.strerror}") from error
    complete = False

    def write(piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            view = view[file.write(view) :]

    try:
        with file:
            _receive(calls, response, blob, write)
            os.fsync(file.fileno())
        complete = True
    except OSError as error:
        raise StoreError(f"{destination}: {error.strerror}") from error
    finally:
        if not complete:
            destination.unlink(missing_ok=True)


def small(calls: Calls, blob: Descriptor, most: int) -> bytes:
    """Return a blob of at most ``most`` octets; see Client.small."""
    whole = bytearray()
    _receive(calls, _open(calls, blob, most), blob, whole.extend)
    return bytes(whole)


def _open(calls: Calls, blob: Descriptor, most: int) -> requests.Response:
    asked = _asked(blob)
    if not is_digest(blob.digest):
        raise Permanent(
            f"{calls.where}: not a digest: {blob.digest!a}", reason=FetchReason.PROTOCOL
        )
    if blob.size > most:
        raise Permanent(
            f"{calls.where}: {asked}: {blob.size} octets, the limit is {most}",
            reason=FetchReason.TOO_LARGE,
        )
    return _get(calls, f"{calls.base}/blobs/{blob.digest}", asked)


def _asked(blob: Descriptor) -> str:
    return f"blob {blob.digest}"


def _receive(
    calls: Calls, response: requests.Response, blob: Descriptor, write: Callable[[bytes], None]
) -> None:
    """Hand the body on in pieces; never more than announced, and an error when it is less."""
    asked, received, checksum = _asked(blob), 0, hashlib.sha256()
    pieces = body.chunks(response)
    try:
        while True:
            with calls.translated():
                calls.attempt.remaining(limits.READ_S)
                piece = next(pieces, b"")
            if not piece:
                break
            received += len(piece)
            if received > blob.size:
                raise _corrupt(calls, asked, f"more than the {blob.size} octets announced")
            checksum.update(piece)
            write(piece)
    finally:
        response.close()
    if received < blob.size:
        raise Transient(
            f"{calls.where}: {asked}: cut short after {received} of {blob.size} octets",
            reason=FetchReason.NETWORK,
        )
    if f"sha256:{checksum.hexdigest()}" != blob.digest:
        raise _corrupt(
            calls, asked, f"the bytes sent have the digest sha256:{checksum.hexdigest()}"
        )


def _corrupt(calls: Calls, asked: str, what: str) -> Permanent:
    return Permanent(f"{calls.where}: {asked}: {what}", reason=FetchReason.INTEGRITY)


# --- Redirects -------------------------------------------------------------------------------


def _get(calls: Calls, url: str, asked: str) -> requests.Response:
    """GET a blob, through at most REDIRECTS redirects; credentials stay at home."""
    at_home = True
    for _ in range(limits.REDIRECTS + 1):
        get = calls.do_request if at_home else calls.get_elsewhere
        response = get(url)
        if response.status_code not in _REDIRECTS:
            return calls.expect(response, asked, 200)
        response.close()
        target = calls.absolute(url, response.headers.get("Location", ""), asked)
        _check_redirect(calls, url, target, asked)
        # Once away, credentials do not come back either: who redirects here is a stranger.
        at_home = at_home and calls.is_home(target)
        url = target
    raise Permanent(
        f"{calls.where}: {asked}: more than {limits.REDIRECTS} redirects",
        reason=FetchReason.PROTOCOL,
    )


def _check_redirect(calls: Calls, source: str, target: str, asked: str) -> None:
    try:
        parts = urlsplit(target)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    downgrade = source.startswith("https:") and not target.startswith("https:")
    if not usable or downgrade or parts.username is not None:
        raise Permanent(
            f"{calls.where}: {asked}: redirected to {calls.shown(target)}, which is not followed",
            reason=FetchReason.PROTOCOL,
        )
